// What it costs to take a candidate from a model's answer and to check its structure, before any
// compiler: 10 KB of text, code and comments in the proportions of real answers.
#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "kw/eval/extract.h"

namespace {

using kw::eval::Extraction;
using kw::eval::Task;

Task LoadOrExit(const std::string& path) {
  kw::Result<Task> task = kw::eval::LoadTask(std::string(KW_SOURCE_DIR) + "/data/tasks/" + path);
  if (!task) {
    std::fprintf(stderr, "%s\n", task.error().ToString().c_str());
    std::exit(1);
  }
  return *std::move(task);
}

const Task& Softmax() {
  static const Task task = LoadOrExit("softmax/softmax");
  return task;
}

// Prose, a complete kernel, and device functions with comments until the size is reached.
std::string Answer(size_t bytes) {
  const std::string prose =
      "The rows are independent, so each block takes one; it's a reduction in shared memory.\n\n";
  std::string source = Softmax().baseline_cu;
  for (int i = 0; source.size() + prose.size() + 16 < bytes; ++i) {
    const std::string n = std::to_string(i);
    source +=
        "// Step " + n + ": sums four values of a warp's lane; don't unroll further.\n" +
        "__device__ __forceinline__ float step_" + n +
        "(const float4* in, int lane, float scale) {\n" + "  const float4 value = in[lane + " + n +
        "];\n" + "  float sum = value.x * scale + value.y;\n" +
        "  for (int i = 0; i < 4; ++i) { sum += __shfl_xor_sync(0xffffffff, sum, 1 << i); }\n" +
        "  return sum > 1'000.0f ? sum : value.z - value.w;\n}\n";
  }
  return prose + "```cuda\n" + source + "```\n";
}

void ExtractAndPrecheck(benchmark::State& state) {
  const std::string answer = Answer(static_cast<size_t>(state.range(0)));
  for (auto _ : state) {
    Extraction taken = kw::eval::ExtractCandidate(answer, "stop", Softmax());
    if (!taken.ok) state.SkipWithError(taken.feedback.c_str());
    benchmark::DoNotOptimize(taken);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(answer.size()));
}
BENCHMARK(ExtractAndPrecheck)
    ->Arg(2 << 10)
    ->Arg(10 << 10)
    ->Arg(100 << 10)
    ->Unit(benchmark::kMicrosecond);

void RefuseCutAnswer(benchmark::State& state) {
  std::string answer = Answer(10 << 10);
  answer.resize(answer.size() - 20);
  for (auto _ : state) {
    Extraction taken = kw::eval::ExtractCandidate(answer, "stop", Softmax());
    if (taken.ok) state.SkipWithError("a cut answer was taken");
    benchmark::DoNotOptimize(taken);
  }
}
BENCHMARK(RefuseCutAnswer)->Unit(benchmark::kMicrosecond);

// 10 MB of one character: linear, whatever it is.
void Hostile(benchmark::State& state, char c) {
  const std::string answer(10 << 20, c);
  for (auto _ : state) {
    Extraction taken = kw::eval::ExtractCandidate(answer, "stop", Softmax());
    if (taken.ok) state.SkipWithError("taken");
    benchmark::DoNotOptimize(taken);
  }
}
BENCHMARK_CAPTURE(Hostile, Backticks, '`')->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(Hostile, Parentheses, '(')->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(Hostile, Newlines, '\n')->Unit(benchmark::kMillisecond);

// A source of 3 MB of one character, which the lexer must pass.
void HostileSource(benchmark::State& state, const std::string& unit) {
  std::string source = Softmax().baseline_cu;
  while (source.size() < (3u << 20)) source += unit;
  for (auto _ : state) {
    Extraction checked = kw::eval::PrecheckSource(source, Softmax());
    benchmark::DoNotOptimize(checked);
  }
}
BENCHMARK_CAPTURE(HostileSource, Parentheses, "(")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(HostileSource, Conditionals, "#if X\n{\n#else\n{\n#endif\n")
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(HostileSource, Runs, "run (")->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
