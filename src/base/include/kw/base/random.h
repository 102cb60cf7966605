// Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011): a
// counter-based generator. Number i of a stream is a pure function of (key, i): it does not
// depend on the numbers drawn before it, on threads, or on the machine.
#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace kw {

// One block of the generator: 10 rounds on a 128-bit counter with a 64-bit key.
std::array<uint32_t, 4> Philox4x32(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key);

// Blocks of counters (first, 0), (first + 1, 0), ..., two numbers of 64 bits a block, low words
// first. Side by side they take less than half of the time.
inline constexpr size_t kPhiloxBlocks = 16;
void Philox4x32Blocks(uint64_t first, std::array<uint32_t, 2> key,
                      std::span<uint64_t, 2 * kPhiloxBlocks> numbers);

// Draws in sequence from the stream of one seed. Copies continue from the same place.
class Random {
 public:
  explicit Random(uint64_t seed) : seed_(seed) {}

  uint32_t Next32();
  uint64_t Next64();
  // Uniform in [0, bound), without bias; bound > 0.
  uint64_t Below(uint64_t bound);
  // Uniform in [0, 1), 53 bits.
  double Uniform();
  // True with the given probability.
  bool Chance(double probability) { return Uniform() < probability; }

 private:
  uint64_t seed_;
  uint64_t block_ = 0;
  int used_ = 4;
  std::array<uint32_t, 4> words_{};
};

}  // namespace kw
