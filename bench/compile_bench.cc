// A softmax from source to a loadable object, never built before: by the build room and by plain
// `nvcc -shared`, in turn. The ratio's goal is 0.6.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "kw/base/clock.h"
#include "kw/base/file.h"
#include "kw/base/process.h"
#include "kw/eval/build.h"

namespace kw::eval {
namespace {

// No two builds are of the same source: no cache knows it.
std::string NewSource() {
  static int variant = 0;
  static const std::string text =
      ReadFile(KW_SOURCE_DIR "/tests/e2e/kernels/softmax/warp_shuffle.cu").value_or("");
  return text + "// variant " + std::to_string(variant++) + "\n";
}

double Milliseconds(const std::function<bool()>& work, benchmark::State& state) {
  const int64_t start = SystemClock().MonotonicMicros();
  if (!work()) state.SkipWithError("a build failed");
  return static_cast<double>(SystemClock().MonotonicMicros() - start) / 1000;
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// Each over its neighbour in time: a machine's pace changes.
double MedianRatio(const std::vector<double>& ours, const std::vector<double>& theirs) {
  std::vector<double> ratios;
  for (size_t i = 0; i < ours.size(); ++i) ratios.push_back(ours[i] / theirs[i]);
  return Median(ratios);
}

bool PlainNvcc(const std::string& nvcc, const std::string& folder) {
  const auto done =
      RunProcess({.argv = {nvcc, "-shared", "-cudart", "shared", "-std=c++17", "-O3", "-arch=sm_80",
                           "-Xcompiler", "-fPIC", "-o", "candidate.so", "candidate.cu"},
                  .inherit_environment = true,
                  .directory = folder});
  return done && done->ok();
}

bool Build(Builder& builder) {
  const auto built = builder.BuildCandidate(NewSource(), {.sm = 80});
  return built && built->ok && !built->from_cache;
}

// `first_*` also makes the builder, which looks for the compilers and learns nvcc's steps: what the
// first build of a program costs. Medians; the time is that of a build later on.
void BM_ColdBuild(benchmark::State& state) {
  const ScratchDirectory scratch = *ScratchDirectory::Make("compile_bench");
  auto builder = Builder::Make({.cache = scratch.path() + "/cache"});
  if (!builder || !Build(*builder)) return state.SkipWithError("no nvcc");
  const std::string nvcc = builder->toolchain().nvcc_path;
  std::vector<double> build, first, plain;
  int iteration = 0;
  for (auto _ : state) {
    build.push_back(Milliseconds([&] { return Build(*builder); }, state));
    if (!WriteFileAtomic(scratch.path() + "/candidate.cu", NewSource())) std::abort();
    plain.push_back(Milliseconds([&] { return PlainNvcc(nvcc, scratch.path()); }, state));
    const std::string cache = scratch.path() + "/cache" + std::to_string(iteration++);
    first.push_back(Milliseconds(
        [&] {
          auto afresh = Builder::Make({.cache = cache});
          return afresh && Build(*afresh);
        },
        state));
    state.SetIterationTime(build.back() / 1000);
  }
  if (build.empty()) return;
  state.counters["build_ms"] = Median(build);
  state.counters["plain_nvcc_ms"] = Median(plain);
  state.counters["first_build_ms"] = Median(first);
  state.counters["ratio"] = MedianRatio(build, plain);
  state.counters["first_ratio"] = MedianRatio(first, plain);
  state.counters["goal"] = 0.6;
}
BENCHMARK(BM_ColdBuild)->UseManualTime()->Unit(benchmark::kMillisecond)->Iterations(15);

}  // namespace
}  // namespace kw::eval

BENCHMARK_MAIN();
