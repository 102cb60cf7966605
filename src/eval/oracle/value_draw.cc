#include "value_draw.h"

#include <bit>

#include "kw/base/hash.h"
#include "normal_table.h"

namespace kw::eval {
namespace {

double Between(double low, double high, double t) { return low + (high - low) * t; }

}  // namespace

double UniformFromBits(uint64_t bits) { return static_cast<double>(bits >> 11) * 0x1p-53; }

double NormalFromBits(uint64_t bits) {
  const auto cell = static_cast<int>((bits >> 54) & 511);
  double magnitude = 0;
  if (cell < 511) {
    const double t = static_cast<double>(bits & ((1ULL << 53) - 1)) * 0x1p-53;
    magnitude = Between(kHalfNormal[cell], kHalfNormal[cell + 1], t);
  } else {
    const auto tail = static_cast<int>((bits >> 48) & 63);
    const double t = static_cast<double>(bits & ((1ULL << 48) - 1)) * 0x1p-48;
    magnitude = Between(kHalfNormalTail[tail], kHalfNormalTail[tail + 1], t);
  }
  // Its sign is a coin's throw, which no processor predicts.
  return std::bit_cast<double>(std::bit_cast<uint64_t>(magnitude) | (bits >> 63) << 63);
}

BitDraw::BitDraw(uint64_t seed, std::string_view name) {
  const uint64_t key = DeriveSeed(seed, name);
  key_ = {static_cast<uint32_t>(key), static_cast<uint32_t>(key >> 32)};
}

uint64_t BitDraw::At(uint64_t index) {
  const uint64_t at = index % numbers_.size();
  if (index - at != first_) {
    first_ = index - at;
    Philox4x32Blocks(first_ / 2, key_, numbers_);
  }
  return numbers_[at];
}

}  // namespace kw::eval
