// Speed of the emulator, in lane-instructions a second, all checks on; and the cost of loading.
#include <benchmark/benchmark.h>

#include <cstring>
#include <string>
#include <vector>

#include "kw/base/file.h"
#include "kw/eval/emulator.h"

namespace kw::eval {
namespace {

const std::string& Ptx() {
  static const std::string text =
      ReadFile(std::string(KW_SOURCE_DIR) + "/tests/eval/emulator/data/kernels.ptx").value_or("");
  return text;
}

template <class... A>
std::string Packed(A... args) {
  std::string out;
  const auto add = [&](auto value) {
    out.resize((out.size() + sizeof(value) - 1) / sizeof(value) * sizeof(value));
    out.append(reinterpret_cast<const char*>(&value), sizeof(value));
  };
  (add(args), ...);
  return out;
}

uint64_t Upload(Emulator& gpu, size_t floats, std::string name) {
  std::vector<float> values(floats);
  for (size_t i = 0; i < floats; ++i)
    values[i] = static_cast<float>(i * 2654435761u % 1000) / 500 - 1;
  const uint64_t at = gpu.Allocate(floats * 4, std::move(name)).value_or(0);
  if (!gpu.Write(at, std::string_view(reinterpret_cast<const char*>(values.data()), floats * 4))) {
    std::abort();
  }
  return at;
}

void Run(benchmark::State& state, Emulator& gpu, LaunchRequest request) {
  uint64_t lanes = 0;
  for (auto _ : state) {
    const LaunchOutcome done = gpu.Launch(request);
    if (done.status != LaunchOutcome::Status::kOk) {
      state.SkipWithError(done.message.c_str());
      return;
    }
    lanes += done.counters.lane_instructions;
  }
  if (!gpu.TakeHazards().empty()) state.SkipWithError("a correct kernel was flagged");
  state.counters["lane_instr/s"] =
      benchmark::Counter(static_cast<double>(lanes), benchmark::Counter::kIsRate);
}

void BM_Softmax(benchmark::State& state) {
  Emulator gpu(DeviceSheet{}, 1);
  LaunchRequest request;
  request.module = gpu.LoadModule(Ptx()).value_or(-1);
  const int rows = static_cast<int>(state.range(0)), cols = static_cast<int>(state.range(1));
  const size_t n = static_cast<size_t>(rows) * static_cast<size_t>(cols);
  const uint64_t x = Upload(gpu, n, "x"), y = Upload(gpu, n, "y");
  request.kernel = "softmax";
  request.grid = {static_cast<uint32_t>(rows)};
  request.block = {256};
  request.parameters = Packed(x, y, cols);
  Run(state, gpu, request);
}
BENCHMARK(BM_Softmax)->Args({64, 1000})->Args({512, 4096})->Unit(benchmark::kMillisecond);

void BM_Matmul(benchmark::State& state, const char* kernel, bool blocked) {
  Emulator gpu(DeviceSheet{}, 1);
  LaunchRequest request;
  request.module = gpu.LoadModule(Ptx()).value_or(-1);
  const int n = static_cast<int>(state.range(0));
  const size_t count = static_cast<size_t>(n) * static_cast<size_t>(n);
  const uint64_t a = Upload(gpu, count, "a"), b = Upload(gpu, count, "b"),
                 c = Upload(gpu, count, "c");
  const uint32_t tiles = static_cast<uint32_t>(blocked ? n / 64 : n / 16);
  request.kernel = kernel;
  request.grid = {tiles, tiles};
  request.block = blocked ? Dim3{256} : Dim3{16, 16};
  request.parameters = Packed(a, b, c, n);
  Run(state, gpu, request);
}
BENCHMARK_CAPTURE(BM_Matmul, tiled, "matmul_tiled", false)
    ->Arg(128)
    ->Arg(256)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(BM_Matmul, blocked, "matmul_blocked", true)
    ->Arg(128)
    ->Arg(256)
    ->Arg(512)
    ->Unit(benchmark::kMillisecond);

void BM_Half2(benchmark::State& state) {
  Emulator gpu(DeviceSheet{}, 1);
  LaunchRequest request;
  request.module = gpu.LoadModule(Ptx()).value_or(-1);
  const int n = 1 << 18;
  const uint64_t x = Upload(gpu, n, "x"), y = Upload(gpu, n, "y");
  request.kernel = "scale_half2";
  request.grid = {64};
  request.block = {256};
  request.parameters = Packed(x, y, n);
  Run(state, gpu, request);
}
BENCHMARK(BM_Half2)->Unit(benchmark::kMillisecond);

void BM_LoadModuleAndDecode(benchmark::State& state) {
  for (auto _ : state) {
    Emulator gpu(DeviceSheet{}, 1);
    const int module = gpu.LoadModule(Ptx()).value_or(-1);
    for (const char* kernel : {"softmax", "matmul_tiled", "matmul_blocked", "scale_half2"}) {
      benchmark::DoNotOptimize(gpu.FindKernel(module, kernel));
    }
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * Ptx().size()));
}
BENCHMARK(BM_LoadModuleAndDecode)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace kw::eval
BENCHMARK_MAIN();
