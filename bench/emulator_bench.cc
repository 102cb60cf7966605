// Speed of the emulator, in lane-instructions a second, with all checks and with those of bounds
// alone, launch by launch in turn; the cost of loading; and what a second thread brings, in wall
// time, beside the bound of the machine: two single-threaded launches at once against one.
#include <benchmark/benchmark.h>

#include <chrono>
#include <ctime>
#include <string>
#include <thread>
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

// A kernel's launch: buffers of floats, then ints, as its parameters.
struct Workload {
  const char* name;
  const char* kernel;
  Dim3 grid, block;
  std::vector<size_t> buffers;
  std::vector<int> numbers;
};

Workload Rows(const char* name, const char* kernel, uint32_t rows, size_t cols, bool weights,
              bool one_result) {
  std::vector<size_t> buffers = {rows * cols};
  if (weights) buffers.push_back(cols);
  buffers.push_back(one_result ? rows : rows * cols);
  return {name, kernel, {rows}, {256}, buffers, {static_cast<int>(cols)}};
}
Workload Matmul(const char* name, const char* kernel, uint32_t n, uint32_t tile, Dim3 block) {
  const size_t cells = size_t{n} * n;
  return {name, kernel, {n / tile, n / tile}, block, {cells, cells, cells}, {static_cast<int>(n)}};
}

const std::vector<Workload>& Workloads() {
  static const std::vector<Workload> all = {
      Rows("softmax/64x1000", "softmax", 64, 1000, false, false),
      Rows("softmax/512x4096", "softmax", 512, 4096, false, false),
      Rows("rmsnorm/512x1024", "rmsnorm", 512, 1024, true, false),
      Rows("row_sum_tree/512x1024", "row_sum_tree", 512, 1024, false, true),
      Matmul("matmul_tiled/128", "matmul_tiled", 128, 16, {16, 16}),
      Matmul("matmul_tiled/256", "matmul_tiled", 256, 16, {16, 16}),
      Matmul("matmul_blocked/256", "matmul_blocked", 256, 64, {256}),
      Matmul("matmul_blocked/512", "matmul_blocked", 512, 64, {256}),
      {"scale_half2/256Ki", "scale_half2", {64}, {256}, {1 << 18, 1 << 18}, {1 << 18}},
      {"polynomial_half2/256Ki", "polynomial_half2", {64}, {256}, {1 << 18, 1 << 18}, {1 << 18}},
      {"collatz/64Ki (divergent)", "collatz", {256}, {256}, {1 << 16}, {1 << 16}},
  };
  return all;
}

void Append(std::string* parameters, const void* value, size_t bytes) {
  parameters->append(static_cast<const char*>(value), bytes);
}

double ThreadSeconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// A device with the workload's buffers on it.
struct Rig {
  explicit Rig(const Workload& work, Emulator::Checks checks = Emulator::Checks::kAll,
               int threads = 1)
      : gpu(DeviceSheet{}, 1, checks, threads) {
    request.module = gpu.LoadModule(Ptx()).value_or(-1);
    request.kernel = work.kernel;
    request.grid = work.grid;
    request.block = work.block;
    for (size_t i = 0; i < work.buffers.size(); ++i) {
      std::vector<float> values(work.buffers[i]);
      for (size_t k = 0; k < values.size(); ++k)
        values[k] = static_cast<float>(k * 2654435761u % 1000) / 500 - 1;
      const uint64_t at = gpu.Allocate(values.size() * 4, std::string(1, "abcd"[i])).value_or(0);
      const std::string_view bytes(reinterpret_cast<const char*>(values.data()), values.size() * 4);
      if (!gpu.Write(at, bytes)) std::abort();
      Append(&request.parameters, &at, sizeof(at));
    }
    for (const int number : work.numbers) Append(&request.parameters, &number, sizeof(number));
  }

  // Seconds of CPU time of one launch: other work on the machine disturbs it less than wall time.
  double Launch() {
    const double start = ThreadSeconds();
    last = gpu.Launch(request);
    return ThreadSeconds() - start;
  }

  Emulator gpu;
  LaunchRequest request;
  LaunchOutcome last;
};

void BM_Launch(benchmark::State& state, const Workload& work) {
  Rig all(work, Emulator::Checks::kAll), bounds(work, Emulator::Checks::kBounds);
  double all_seconds = 0, bounds_seconds = 0;
  for (auto _ : state) {
    bounds_seconds += bounds.Launch();
    const double seconds = all.Launch();
    all_seconds += seconds;
    state.SetIterationTime(seconds);
    if (all.last.status != LaunchOutcome::Status::kOk) {
      state.SkipWithError(all.last.message.c_str());
      return;
    }
  }
  if (!all.gpu.TakeHazards().empty()) state.SkipWithError("a correct kernel was flagged");
  const double lanes = static_cast<double>(all.last.counters.lane_instructions) *
                       static_cast<double>(state.iterations());
  state.counters["lane_instr/s"] = lanes / all_seconds;
  state.counters["bounds_only_lane_instr/s"] = lanes / bounds_seconds;
  state.counters["all_checks_over_bounds_only"] = all_seconds / bounds_seconds;
}

double WallSeconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

void BM_TwoThreads(benchmark::State& state, const Workload& work) {
  Rig one(work), other(work), two(work, Emulator::Checks::kAll, 2);
  double one_seconds = 0, two_seconds = 0, both_seconds = 0;
  // How much work a kernel is shows in its first launch.
  for (Rig* rig : {&one, &other, &two}) rig->Launch();
  const uint64_t shared_before = two.gpu.shared_launches();
  for (auto _ : state) {
    const double start = WallSeconds();
    one.Launch();
    const double after_one = WallSeconds();
    two.Launch();
    const double after_two = WallSeconds();
    std::thread beside([&] { other.Launch(); });
    one.Launch();
    beside.join();
    both_seconds += WallSeconds() - after_two;
    one_seconds += after_one - start;
    two_seconds += after_two - after_one;
    state.SetIterationTime(after_two - after_one);
  }
  if (two.gpu.shared_launches() - shared_before != static_cast<uint64_t>(state.iterations())) {
    return state.SkipWithError("a launch ran on one thread");
  }
  state.counters["two_threads_speedup"] = one_seconds / two_seconds;
  state.counters["machine_speedup"] = 2 * one_seconds / both_seconds;
}

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

int main(int argc, char** argv) {
  for (const kw::eval::Workload& work : kw::eval::Workloads()) {
    benchmark::RegisterBenchmark(work.name, kw::eval::BM_Launch, work)
        ->UseManualTime()
        ->Unit(benchmark::kMillisecond);
    if (uint64_t{work.grid.x} * work.grid.y < 64) continue;
    benchmark::RegisterBenchmark((std::string("two_threads/") + work.name).c_str(),
                                 kw::eval::BM_TwoThreads, work)
        ->UseManualTime()
        ->Unit(benchmark::kMillisecond);
  }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
