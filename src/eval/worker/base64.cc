#include "base64.h"

#include <array>
#include <cstdint>

namespace kw::eval {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::array<int8_t, 256> MakeValues() {
  std::array<int8_t, 256> values;
  values.fill(-1);
  for (size_t i = 0; i < kAlphabet.size(); ++i) {
    values[static_cast<uint8_t>(kAlphabet[i])] = static_cast<int8_t>(i);
  }
  return values;
}

}  // namespace

std::string EncodeBase64(std::string_view bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const size_t left = bytes.size() - i;
    const auto byte = [&](size_t at) {
      return at < left ? static_cast<uint32_t>(static_cast<uint8_t>(bytes[i + at])) : 0;
    };
    const uint32_t word = byte(0) << 16 | byte(1) << 8 | byte(2);
    text += kAlphabet[word >> 18];
    text += kAlphabet[word >> 12 & 63];
    text += left > 1 ? kAlphabet[word >> 6 & 63] : '=';
    text += left > 2 ? kAlphabet[word & 63] : '=';
  }
  return text;
}

Result<std::string> DecodeBase64(std::string_view text) {
  static const std::array<int8_t, 256> kValues = MakeValues();
  if (text.size() % 4 != 0)
    return Fail(ErrorCode::kParse, "base64: the length is no multiple of 4");
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3);
  for (size_t i = 0; i < text.size(); i += 4) {
    const bool last = i + 4 == text.size();
    const int padding = !last || text[i + 3] != '=' ? 0 : text[i + 2] == '=' ? 2 : 1;
    uint32_t word = 0;
    for (int k = 0; k < 4; ++k) {
      const int value = k >= 4 - padding ? 0 : kValues[static_cast<uint8_t>(text[i + k])];
      if (value < 0) return Fail(ErrorCode::kParse, "base64: a character outside the alphabet");
      word = word << 6 | static_cast<uint32_t>(value);
    }
    if ((padding == 1 && (word & 0xff) != 0) || (padding == 2 && (word & 0xffff) != 0)) {
      return Fail(ErrorCode::kParse, "base64: bits after the end");
    }
    bytes += static_cast<char>(word >> 16);
    if (padding < 2) bytes += static_cast<char>(word >> 8 & 0xff);
    if (padding < 1) bytes += static_cast<char>(word & 0xff);
  }
  return bytes;
}

}  // namespace kw::eval
