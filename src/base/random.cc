#include "kw/base/random.h"

#include "kw/base/error.h"

namespace kw {

std::array<uint32_t, 4> Philox4x32(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key) {
  constexpr uint32_t kMultiplier0 = 0xD2511F53, kMultiplier1 = 0xCD9E8D57;
  constexpr uint32_t kWeyl0 = 0x9E3779B9, kWeyl1 = 0xBB67AE85;
  for (int round = 0; round < 10; ++round) {
    const uint64_t product0 = uint64_t{kMultiplier0} * counter[0];
    const uint64_t product1 = uint64_t{kMultiplier1} * counter[2];
    counter = {static_cast<uint32_t>(product1 >> 32) ^ counter[1] ^ key[0],
               static_cast<uint32_t>(product1),
               static_cast<uint32_t>(product0 >> 32) ^ counter[3] ^ key[1],
               static_cast<uint32_t>(product0)};
    key[0] += kWeyl0;
    key[1] += kWeyl1;
  }
  return counter;
}

uint32_t Random::Next32() {
  if (used_ == 4) {
    words_ = Philox4x32({static_cast<uint32_t>(block_), static_cast<uint32_t>(block_ >> 32), 0, 0},
                        {static_cast<uint32_t>(seed_), static_cast<uint32_t>(seed_ >> 32)});
    ++block_;
    used_ = 0;
  }
  return words_[used_++];
}

uint64_t Random::Next64() {
  const uint64_t low = Next32();
  return low | (uint64_t{Next32()} << 32);
}

uint64_t Random::Below(uint64_t bound) {
  KW_CHECK(bound > 0, "Below needs a positive bound");
  // Rejects the numbers of the last, incomplete round so that all remainders are equally likely.
  const uint64_t incomplete = (0 - bound) % bound;
  uint64_t number = Next64();
  while (number < incomplete) number = Next64();
  return number % bound;
}

double Random::Uniform() { return static_cast<double>(Next64() >> 11) * 0x1.0p-53; }

}  // namespace kw
