#include "value_draw.h"

#include "kw/base/hash.h"
#include "kw/base/random.h"
#include "normal_table.h"

namespace kw::eval {
namespace {

double Between(double low, double high, double t) { return low + (high - low) * t; }

}  // namespace

double UniformFromBits(uint64_t bits) { return static_cast<double>(bits >> 11) * 0x1p-53; }

double NormalFromBits(uint64_t bits) {
  const bool negative = (bits >> 63) != 0;
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
  return negative ? -magnitude : magnitude;
}

BitDraw::BitDraw(uint64_t seed, std::string_view name) {
  const uint64_t key = DeriveSeed(seed, name);
  key_ = {static_cast<uint32_t>(key), static_cast<uint32_t>(key >> 32)};
}

uint64_t BitDraw::At(uint64_t index) {
  if (index / 2 != block_) {
    block_ = index / 2;
    words_ = Philox4x32({static_cast<uint32_t>(block_), static_cast<uint32_t>(block_ >> 32), 0, 0},
                        key_);
  }
  const size_t at = (index & 1) * 2;
  return (static_cast<uint64_t>(words_[at + 1]) << 32) | words_[at];
}

}  // namespace kw::eval
