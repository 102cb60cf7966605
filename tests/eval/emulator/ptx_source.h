// Compiles CUDA sources with nvcc for tests, and runs single kernels.
#pragma once

#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "kw/base/file.h"
#include "kw/base/process.h"
#include "kw/eval/emulator.h"

namespace kw::eval {

// The PTX that nvcc makes of a source, for "sm_80" and the like; fails the test when it does not.
std::string CompilePtx(std::string_view source, std::string_view arch = "80",
                       std::vector<std::string> flags = {});

// An emulator with one module, and typed buffers.
class Bench {
 public:
  explicit Bench(std::string_view ptx, uint64_t seed = 1, int threads = 1);

  template <class T>
  uint64_t Upload(const std::vector<T>& values, std::string name) {
    const uint64_t at = Make(values.size() * sizeof(T), std::move(name));
    Put(at,
        std::string_view(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)));
    return at;
  }
  uint64_t Make(uint64_t bytes, std::string name);
  template <class T>
  std::vector<T> Download(uint64_t at, size_t count) {
    std::vector<T> values(count);
    Get(at, reinterpret_cast<char*>(values.data()), count * sizeof(T));
    return values;
  }
  // Parameters are packed as C would lay them out.
  template <class... A>
  LaunchOutcome Run(const std::string& kernel, Dim3 grid, Dim3 block, uint32_t shared, A... args) {
    std::string packed;
    (Pack(&packed, args), ...);
    return RunPacked(kernel, grid, block, shared, packed);
  }
  LaunchOutcome RunPacked(const std::string& kernel, Dim3 grid, Dim3 block, uint32_t shared,
                          std::string packed);
  // Kinds of the hazards since the last call, joined by spaces.
  std::string HazardKinds();
  std::vector<Hazard> last_hazards;
  Emulator gpu;
  int module = -1;
  bool cooperative = false;  // of the launches that follow

 private:
  template <class T>
  static void Pack(std::string* to, T value) {
    to->resize((to->size() + alignof(T) - 1) / alignof(T) * alignof(T));
    to->append(reinterpret_cast<const char*>(&value), sizeof(T));
  }
  void Put(uint64_t at, std::string_view bytes);
  void Get(uint64_t at, char* to, uint64_t bytes);
};

#define EXPECT_CLEAN(bench)            \
  EXPECT_EQ((bench).HazardKinds(), "") \
      << ((bench).last_hazards.empty() ? "" : (bench).last_hazards[0].text)

// Standard normal values, for test data.
std::vector<float> Normal(size_t n, uint32_t seed = 7);
// IEEE binary16, for test data.
uint16_t ToHalf(float value);
float FromHalf(uint16_t bits);

}  // namespace kw::eval
