#include "kw/vector_text.h"

#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>

namespace kw {
namespace {

constexpr size_t kDigits = 2 * sizeof(float);
static_assert(sizeof(float) == 4 && std::endian::native == std::endian::little,
              "vectors are kept as little-endian float32");

int HexValue(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  return -1;
}

}  // namespace

std::string VectorToText(const std::vector<float>& vector) {
  constexpr char kHex[] = "0123456789abcdef";
  std::string text;
  text.reserve(vector.size() * kDigits);
  for (const float component : vector) {
    unsigned char bytes[sizeof(float)];
    std::memcpy(bytes, &component, sizeof(float));
    for (const unsigned char byte : bytes) {
      text += kHex[byte >> 4];
      text += kHex[byte & 15];
    }
  }
  return text;
}

Result<std::vector<float>> VectorFromText(std::string_view text, std::string_view what) {
  const auto corrupt = [&](std::string_view why) {
    return Fail(ErrorCode::kCorrupt, fmt::format("{}: a vector {}", what, why));
  };
  if (text.empty() || text.size() % kDigits != 0) {
    return corrupt(fmt::format("of {} digits, not eight a component", text.size()));
  }
  std::vector<float> vector(text.size() / kDigits);
  for (size_t i = 0; i < vector.size(); ++i) {
    unsigned char bytes[sizeof(float)];
    for (size_t b = 0; b < sizeof(float); ++b) {
      const int high = HexValue(text[i * kDigits + 2 * b]);
      const int low = HexValue(text[i * kDigits + 2 * b + 1]);
      if (high < 0 || low < 0) return corrupt("with what is no hexadecimal digit");
      bytes[b] = static_cast<unsigned char>(high << 4 | low);
    }
    std::memcpy(&vector[i], bytes, sizeof(float));
    if (!std::isfinite(vector[i])) return corrupt("with a component that is no number");
  }
  return vector;
}

}  // namespace kw
