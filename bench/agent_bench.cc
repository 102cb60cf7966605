// The controller's own time per attempt: a whole run with an author and an evaluator that answer
// at once, so that what is left is prompts, extraction, the journal, retrieval and learning.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <cstdlib>

#include "agent/fakes.h"

namespace kw {
namespace {

using test::Must;

// On the disk, as a run's folder is.
const int kOnDisk = setenv("TMPDIR", "/tmp", /*overwrite=*/0);

void RunOnce(benchmark::State& state, const std::string& learner) {
  int number = 0;
  int64_t attempts = 0;
  test::TestRooms rooms;
  for (auto _ : state) {
    state.PauseTiming();
    rooms.OpenBank(fmt::format("memory{}.db", ++number));
    RunConfig config = rooms.Config("refine", learner);
    config.name = fmt::format("run{}", number);
    config.epochs = 3;
    config.batch = 4;
    config.tasks = {"softmax", "rmsnorm", "layernorm",    "gelu",
                    "matmul",  "row_sum", "silu_and_mul", "leaky_relu"};
    config.samples = config.iterations = 4;
    config.parallel_tasks = 1;
    config.max_in_flight = 1;
    state.ResumeTiming();
    RunRecord run = Must(StartRun(config, rooms.View(), rooms.nobody, {}));
    attempts += static_cast<int64_t>(run.attempts.size());
  }
  state.counters["attempts"] = static_cast<double>(attempts);
  state.counters["per_attempt"] = benchmark::Counter(
      static_cast<double>(attempts), benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

// `per_attempt` is the figure: seconds of the controller an attempt, the share of learning
// included (EvolRule asks its judge many times an attempt).
void BM_ControllerNone(benchmark::State& state) { RunOnce(state, "none"); }
void BM_ControllerReasoningBank(benchmark::State& state) { RunOnce(state, "reasoning_bank"); }
void BM_ControllerEvolRule(benchmark::State& state) { RunOnce(state, "evolrule"); }
BENCHMARK(BM_ControllerNone)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(BM_ControllerReasoningBank)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(BM_ControllerEvolRule)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace kw

BENCHMARK_MAIN();
