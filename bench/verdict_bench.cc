// The whole verdict of a correct softmax with 16 fuzz cases: with an empty build cache, and with
// the object (and the task's baseline and reference) built already. The verdict cache is off.
#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstdlib>

#include "kw/base/file.h"
#include "kw/eval/worker.h"

namespace kw::eval {
namespace {

constexpr const char* kHome = KW_SOURCE_DIR;

std::string Source(int variant) {
  const auto text = ReadFile(std::string(kHome) + "/tests/e2e/kernels/softmax/warp_shuffle.cu");
  if (!text) {
    std::fprintf(stderr, "%s\n", text.error().ToString().c_str());
    std::exit(1);
  }
  return *text + "// variant " + std::to_string(variant) + "\n";
}

// An evaluator on caches of its own, whose task is warm: its baseline is timed.
struct Bench {
  ScratchDirectory cache = *ScratchDirectory::Make("verdict_bench");
  Task task = *LoadTask(std::string(kHome) + "/data/tasks/softmax/softmax");
  std::unique_ptr<Evaluator> evaluator = *MakeEvaluator(
      {.home = kHome, .cache = cache.path(), .workers = 2, .use_verdict_cache = false});

  void Judge(benchmark::State& state, const std::string& source) {
    const auto verdict = evaluator->Evaluate(task, source, {.seed = 1});
    if (!verdict) return state.SkipWithError(verdict.error().ToString().c_str());
    if (!verdict->passed()) return state.SkipWithError(verdict->feedback.c_str());
  }
};

// Nothing was ever built: candidate, baseline and reference are.
void BM_VerdictOnAnEmptyCache(benchmark::State& state) {
  for (auto _ : state) {
    state.PauseTiming();
    auto bench = std::make_unique<Bench>();
    state.ResumeTiming();
    bench->Judge(state, Source(0));
    state.PauseTiming();
    bench.reset();
    state.ResumeTiming();
  }
}
BENCHMARK(BM_VerdictOnAnEmptyCache)->Unit(benchmark::kMillisecond)->UseRealTime()->Iterations(3);

// As in a run: the task is known, the candidate is new.
void BM_VerdictColdBuild(benchmark::State& state) {
  Bench bench;
  int variant = 0;
  bench.Judge(state, Source(variant++));
  for (auto _ : state) bench.Judge(state, Source(variant++));
}
BENCHMARK(BM_VerdictColdBuild)->Unit(benchmark::kMillisecond)->UseRealTime()->Iterations(5);

void BM_VerdictWarmBuild(benchmark::State& state) {
  Bench bench;
  const std::string source = Source(0);
  bench.Judge(state, source);
  for (auto _ : state) bench.Judge(state, source);
}
BENCHMARK(BM_VerdictWarmBuild)->Unit(benchmark::kMillisecond)->UseRealTime()->Iterations(10);

}  // namespace
}  // namespace kw::eval

BENCHMARK_MAIN();
