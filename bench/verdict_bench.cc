// The whole verdict of a correct softmax with 16 fuzz cases: with an empty build cache, and with
// the object (and the task's baseline and reference) built already. The verdict cache is off. And
// that of 32 fuzz cases without the timed workloads, whose goal is 500 ms; and the standard
// schedule with workloads of 1 to 4 million elements, whose goal is 1 s on top of the build.
#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "kw/base/clock.h"
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

// What the object does not have to be built for, with workloads as large as models have.
void BM_StandardScheduleUpTo4MElements(benchmark::State& state) {
  Bench bench;
  const ScratchDirectory folder = *ScratchDirectory::Make("verdict_bench");
  const auto copy = [&](const std::string& name) {
    return WriteFileAtomic(folder.path() + "/" + name, *ReadFile(bench.task.folder + "/" + name));
  };
  for (const char* name : {"definition.json", "task.toml", "reference.cpp", "baseline.cu"}) {
    if (!copy(name)) return state.SkipWithError("no copy of the task");
  }
  std::string lines;
  for (const auto& [rows, cols] : {std::pair{4096, 257}, {2048, 1024}, {1024, 4096}}) {
    lines += R"({"definition":"softmax","workload":{"uuid":"rows-)" + std::to_string(rows) +
             R"(","axes":{"rows":)" + std::to_string(rows) + R"(,"cols":)" + std::to_string(cols) +
             R"(},"inputs":{"x":{"type":"random"}}},"solution":null,"evaluation":null})" + "\n";
  }
  if (!WriteFileAtomic(folder.path() + "/workloads.jsonl", lines)) {
    return state.SkipWithError("no workloads");
  }
  bench.task = *LoadTask(folder.path());
  const std::string source = Source(0);
  bench.Judge(state, source);
  for (auto _ : state) bench.Judge(state, source);
  state.counters["goal_ms"] = 1000;
}
BENCHMARK(BM_StandardScheduleUpTo4MElements)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime()
    ->Iterations(5);

// A judge's rooms in this process, with a build cache that holds the candidate and the reference.
struct Rooms {
  ScratchDirectory cache = *ScratchDirectory::Make("verdict_bench");
  Task task = *LoadTask(std::string(kHome) + "/data/tasks/softmax/softmax");
  std::string source = Source(0);
  std::unique_ptr<Device> device = MakeEmulatorDevice(
      {.sheet = *LoadDeviceSheet(std::string(kHome) + "/data/devices", "a100_sxm4")});
  Builder builder = *Builder::Make({.cache = cache.path()});
  std::unique_ptr<Reference> reference = MakeReference(builder, {});

  // What a verdict counts but for timing: build (from the cache), load, the cases with a reference
  // that knows none of them, and the calls that show whether the candidate lasts. In milliseconds.
  struct Stages {
    double build = 0, load = 0, cases = 0, endurance = 0;
  };
  Result<Stages> Judge(uint64_t seed, int case_count) {
    Stages stages;
    int64_t last_us = SystemClock().MonotonicMicros();
    const auto lap = [&] {
      const int64_t before_us = std::exchange(last_us, SystemClock().MonotonicMicros());
      return static_cast<double>(last_us - before_us) / 1000;
    };
    KW_ASSIGN(const BuildOutcome built, builder.BuildCandidate(source, {.sm = device->sheet().sm}));
    stages.build = lap();
    KW_ASSIGN(const OpenOutcome opened, device->Open({.object_path = built.object_path,
                                                      .parameters = CandidateParameters(task),
                                                      .seed = seed,
                                                      .registers = RegistersOf(built.resources)}));
    if (!opened.session) return Fail(ErrorCode::kInternal, opened.message);
    device->Prepare();
    stages.load = lap();
    KW_ASSIGN(const std::vector<Case> cases, PlanCases(task, FuzzSeed(seed, task), case_count));
    KW_ASSIGN(OracleReport report,
              RunOracle(task, cases, *opened.session, *reference, {.seed = seed}));
    if (!report.ok) return Fail(ErrorCode::kInternal, report.feedback);
    stages.cases = lap();
    KW_ASSIGN(report, RunEndurance(task, EnduranceCases(task, seed), *opened.session, *reference,
                                   {.seed = seed, .calls = std::nullopt}));
    if (!report.ok) return Fail(ErrorCode::kInternal, report.feedback);
    stages.endurance = lap();
    return stages;
  }
};

void BM_VerdictOf32CasesUntimed(benchmark::State& state) {
  Rooms rooms;
  uint64_t seed = 1;
  if (auto warm = rooms.Judge(seed++, 32); !warm) {
    return state.SkipWithError(warm.error().ToString().c_str());
  }
  Rooms::Stages sum;
  for (auto _ : state) {
    const auto stages = rooms.Judge(seed++, 32);
    if (!stages) return state.SkipWithError(stages.error().ToString().c_str());
    sum.build += stages->build;
    sum.load += stages->load;
    sum.cases += stages->cases;
    sum.endurance += stages->endurance;
  }
  const auto mean = [](double value) {
    return benchmark::Counter(value, benchmark::Counter::kAvgIterations);
  };
  state.counters["build_ms"] = mean(sum.build);
  state.counters["load_ms"] = mean(sum.load);
  state.counters["cases_ms"] = mean(sum.cases);
  state.counters["endurance_ms"] = mean(sum.endurance);
  state.counters["goal_ms"] = 500;
}
BENCHMARK(BM_VerdictOf32CasesUntimed)->Unit(benchmark::kMillisecond)->UseRealTime()->Iterations(10);

}  // namespace
}  // namespace kw::eval

BENCHMARK_MAIN();
