// From "here is an object" to the first instruction of its `run`, processes, cages and loading
// included; and the same where the processes were started before they were needed.
//
// The candidate is built with nvcc at the start; it tells when its `run` began.
#include <benchmark/benchmark.h>

#include <chrono>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "kw/base/clock.h"
#include "kw/base/file.h"
#include "kw/base/process.h"
#include "kw/eval/device.h"

namespace kw::eval {
namespace {

constexpr char kSource[] = R"(#include <time.h>
__global__ void tell(double* y, double seconds, double nanoseconds) {
  y[0] = seconds;
  y[1] = nanoseconds;
}
extern "C" void run(double* y, cudaStream_t stream) {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  tell<<<1, 1, 0, stream>>>(y, double(now.tv_sec), double(now.tv_nsec));
}
)";

const ScratchDirectory& Scratch() {
  static const ScratchDirectory scratch = *ScratchDirectory::Make("guest-bench");
  return scratch;
}

const std::string& Object() {
  static const std::string object = [] {
    const std::string source = Scratch().path() + "/kernel.cu", object = Scratch().path() + "/k.so";
    const auto written = WriteFileAtomic(source, kSource);
    const auto built =
        RunProcess({.argv = {"nvcc", "-shared", "-Xcompiler", "-fPIC", "-cudart", "shared",
                             "-gencode", "arch=compute_80,code=compute_80", source, "-o", object},
                    .inherit_environment = true});
    return written && built && built->ok() ? object : std::string();
  }();
  return object;
}

const std::vector<Parameter> kParameters = {
    {Parameter::Role::kOutput, "y", DType::kFloat64, "double*"},
    {Parameter::Role::kStream, "stream", DType::kInt64, "cudaStream_t"}};

// When `run` began, in seconds of the monotonic clock; 0: something failed.
double Judge(Device& device) {
  auto opened = device.Open({Object(), kParameters, 1});
  if (!opened || !opened->session) return 0;
  CallRequest request;
  request.arguments = {{.parameter = kParameters[0], .output_bytes = 16}};
  const auto done = opened->session->Call(request);
  if (!done || done->status != CallOutcome::Status::kOk) return 0;
  double told[2];
  std::memcpy(told, done->outputs[0].data(), sizeof told);
  return told[0] + told[1] / 1e9;
}

void Starts(benchmark::State& state, bool warm) {
  if (Object().empty()) return state.SkipWithError("no nvcc");
  const auto device = MakeEmulatorDevice({.sheet = {}, .programs = KW_BINARY_DIR});
  for (auto _ : state) {
    if (warm) {
      device->Prepare();
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    const double asked = static_cast<double>(SystemClock().MonotonicMicros()) / 1e6;
    const double began = Judge(*device);
    if (began == 0) return state.SkipWithError("the candidate did not run");
    state.SetIterationTime(began - asked);
  }
}

void BM_GuestToRunCold(benchmark::State& state) { Starts(state, false); }
void BM_GuestToRunWarm(benchmark::State& state) { Starts(state, true); }
// Each start a repetition: the median of starts is the figure.
BENCHMARK(BM_GuestToRunCold)
    ->UseManualTime()
    ->Iterations(1)
    ->Repetitions(200)
    ->ReportAggregatesOnly(true)
    ->Unit(benchmark::kMillisecond);
BENCHMARK(BM_GuestToRunWarm)
    ->UseManualTime()
    ->Iterations(1)
    ->Repetitions(200)
    ->ReportAggregatesOnly(true)
    ->Unit(benchmark::kMillisecond);

// What a worker pays for making the next one ready.
void BM_Prepare(benchmark::State& state) {
  for (auto _ : state) {
    const auto device = MakeEmulatorDevice({.sheet = {}, .programs = KW_BINARY_DIR});
    const int64_t started = SystemClock().MonotonicMicros();
    device->Prepare();
    state.SetIterationTime(static_cast<double>(SystemClock().MonotonicMicros() - started) / 1e6);
  }
}
BENCHMARK(BM_Prepare)->UseManualTime()->Iterations(100)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace kw::eval

BENCHMARK_MAIN();
