#include "loop_unit.h"

#include <algorithm>

#include "utf8_joiner.h"

namespace kw::llm {
namespace {

constexpr size_t kLongestFormat = 3;

enum class UnitKind { kSpace, kWord, kMark };

bool IsLineBreak(Character c) { return c == '\n'; }
bool IsUnitDigit(Character c) { return c >= '0' && c <= '9'; }
bool IsUnitLetter(Character c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c >= 0x80;
}
bool IsHexCharacter(Character c) {
  return IsUnitDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == 'x';
}

// Beyond ASCII: U+0080 to U+00BF, U+2000 to U+2FFF and U+3000 to U+303F are dashes, arrows, boxes
// and other signs; all else counts as letters.
bool IsSign(Character c) {
  return (c >= 0xC280 && c <= 0xC2BF) || (c >= 0xE28080 && c <= 0xE2BFBF) ||
         (c >= 0xE38080 && c <= 0xE380BF);
}

UnitKind UnitKindOf(Character c) {
  if (c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f' || c == '\n') {
    return UnitKind::kSpace;
  }
  const bool word = IsUnitDigit(c) || c == '_' || (IsUnitLetter(c) && !IsSign(c));
  return word ? UnitKind::kWord : UnitKind::kMark;
}

Character Before(const Unit& unit, size_t at) { return unit[at == 0 ? unit.size() - 1 : at - 1]; }

bool BeginsPiece(const Unit& unit, size_t at) {
  return UnitKindOf(unit[at]) != UnitKindOf(Before(unit, at));
}

bool HoldsFence(const Unit& unit) {
  size_t run = 0;
  // A run may go around the end; three characters more show it, of a shorter unit too.
  for (size_t i = 0; i < unit.size() + 3; ++i) {
    run = unit[i % unit.size()] == '`' ? run + 1 : 0;
    if (run == 3) return true;
  }
  return false;
}

// The word that begins at `begin`, seen around the end.
bool IsTrueWord(const Unit& unit, size_t begin) {
  if (IsUnitDigit(unit[begin])) return false;
  size_t length = 0;
  bool letters = false;
  while (length < unit.size()) {
    const Character c = unit[(begin + length) % unit.size()];
    if (UnitKindOf(c) != UnitKind::kWord) break;
    letters = letters || c != '_';
    ++length;
  }
  const Character before = Before(unit, begin);
  const bool is_format = (before == '%' || before == '\\') && length <= kLongestFormat;
  return letters && !is_format;
}

bool HoldsWord(const Unit& unit) {
  bool has_pieces = false;
  for (size_t i = 0; i < unit.size(); ++i) {
    if (!BeginsPiece(unit, i)) continue;
    has_pieces = true;
    if (UnitKindOf(unit[i]) == UnitKind::kWord && IsTrueWord(unit, i)) return true;
  }
  if (has_pieces || UnitKindOf(unit[0]) != UnitKind::kWord) return false;
  if (unit.size() == 1 && unit[0] < 0x80) return false;
  return !std::all_of(unit.begin(), unit.end(), IsHexCharacter);
}

}  // namespace

Unit UnitOf(std::string_view bytes) {
  Unit unit;
  for (size_t at = 0; at < bytes.size();) {
    const auto lead = static_cast<unsigned char>(bytes[at++]);
    Character c = lead;
    size_t more = lead < 0xC2 || lead > 0xF4 ? 0 : lead < 0xE0 ? 1 : lead < 0xF0 ? 2 : 3;
    for (; more > 0 && at < bytes.size(); --more) {
      if (!ContinuesCharacter(bytes[at])) break;
      c = c << 8 | static_cast<unsigned char>(bytes[at++]);
    }
    unit += c;
  }
  return unit;
}

std::string ToBytes(const Unit& unit) {
  std::string bytes;
  for (const Character c : unit) {
    const int size = c < 0x100 ? 1 : c < 0x10000 ? 2 : c < 0x1000000 ? 3 : 4;
    for (int i = size - 1; i >= 0; --i) bytes += static_cast<char>((c >> (8 * i)) & 0xFF);
  }
  return bytes;
}

UnitTraits DescribeUnit(const Unit& unit) {
  UnitTraits traits;
  if (unit.empty()) return traits;
  traits.line_break = std::any_of(unit.begin(), unit.end(), IsLineBreak);
  traits.blank = std::all_of(unit.begin(), unit.end(),
                             [](Character c) { return UnitKindOf(c) == UnitKind::kSpace; });
  traits.code_fence = HoldsFence(unit);
  traits.comma = std::find(unit.begin(), unit.end(), Character{','}) != unit.end();
  traits.word = HoldsWord(unit);
  return traits;
}

size_t BeginOfInstance(const Unit& unit) {
  for (size_t i = 0; i < unit.size(); ++i) {
    if (IsLineBreak(Before(unit, i)) && !IsLineBreak(unit[i])) return i;
  }
  for (size_t i = 0; i < unit.size(); ++i) {
    if (BeginsPiece(unit, i)) return i;
  }
  return 0;
}

}  // namespace kw::llm
