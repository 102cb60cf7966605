// Random values as pure functions of (seed, name, index): integer bits, additions, products and a
// table, so that every machine draws the same bytes.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "kw/base/random.h"

namespace kw::eval {

// Uniform in [0, 1), 53 bits.
double UniformFromBits(uint64_t bits);
// Standard normal by the quantiles of normal_table.h, linear between them: |z| < 4.77.
double NormalFromBits(uint64_t bits);

// 64 bits for each index: half a block of Philox. Reading in order costs least.
class BitDraw {
 public:
  BitDraw(uint64_t seed, std::string_view name);
  uint64_t At(uint64_t index);

 private:
  std::array<uint32_t, 2> key_;
  uint64_t first_ = ~0ULL;  // index of numbers_[0]
  std::array<uint64_t, 2 * kPhiloxBlocks> numbers_{};
};

}  // namespace kw::eval
