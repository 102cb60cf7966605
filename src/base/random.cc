#include "kw/base/random.h"

#include "kw/base/error.h"

namespace kw {

namespace {

constexpr int kRounds = 10;
constexpr uint32_t kMultiplier0 = 0xD2511F53, kMultiplier1 = 0xCD9E8D57;
constexpr uint32_t kWeyl0 = 0x9E3779B9, kWeyl1 = 0xBB67AE85;

uint32_t High(uint64_t product) { return static_cast<uint32_t>(product >> 32); }
uint32_t Low(uint64_t product) { return static_cast<uint32_t>(product); }

// N counters in the same round at a time: word k of counter i is words[k][i].
template <size_t N>
void PhiloxRounds(uint32_t (&words)[4][N], std::array<uint32_t, 2> key) {
  for (int round = 0; round < kRounds; ++round) {
    for (size_t i = 0; i < N; ++i) {
      const uint64_t product0 = uint64_t{kMultiplier0} * words[0][i];
      const uint64_t product1 = uint64_t{kMultiplier1} * words[2][i];
      words[0][i] = High(product1) ^ words[1][i] ^ key[0];
      words[1][i] = Low(product1);
      words[2][i] = High(product0) ^ words[3][i] ^ key[1];
      words[3][i] = Low(product0);
    }
    key[0] += kWeyl0;
    key[1] += kWeyl1;
  }
}

}  // namespace

std::array<uint32_t, 4> Philox4x32(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key) {
  uint32_t words[4][1] = {{counter[0]}, {counter[1]}, {counter[2]}, {counter[3]}};
  PhiloxRounds(words, key);
  return {words[0][0], words[1][0], words[2][0], words[3][0]};
}

void Philox4x32Blocks(uint64_t first, std::array<uint32_t, 2> key,
                      std::span<uint64_t, 2 * kPhiloxBlocks> numbers) {
  uint32_t words[4][kPhiloxBlocks] = {};
  for (size_t i = 0; i < kPhiloxBlocks; ++i) {
    words[0][i] = Low(first + i);
    words[1][i] = High(first + i);
  }
  PhiloxRounds(words, key);
  for (size_t i = 0; i < kPhiloxBlocks; ++i) {
    numbers[2 * i] = uint64_t{words[1][i]} << 32 | words[0][i];
    numbers[2 * i + 1] = uint64_t{words[3][i]} << 32 | words[2][i];
  }
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
