#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "judge_call.h"
#include "kw/base/hash.h"
#include "kw/base/random.h"
#include "kw/eval/oracle.h"

namespace kw::eval {
namespace {

// Between these, drawn by the seed: nobody knows which call is the last that is looked at.
constexpr uint64_t kLeastCalls = 300, kMostCalls = 400;
// What they may cost, in thread instructions: with what every call costs, some 100 ms. A kernel
// that starts many more threads than a small case has elements gets fewer calls, but some.
constexpr uint64_t kLaneInstructions = 100'000'000;
constexpr uint64_t kCallsOfAnyKernel = 80;

// A case with all that its calls need.
struct Prepared {
  Case c;
  std::string inputs_hash;
  CallRequest request;
  std::vector<std::string> right;  // outputs that were compared and found right
  uint64_t lane_instructions = 0;  // of its first call
};

Result<std::vector<Prepared>> Prepare(const Task& task, const std::vector<Case>& cases) {
  std::vector<Prepared> prepared;
  for (const Case& c : cases) {
    KW_ASSIGN(CaseInputs inputs, GenerateInputs(task, c));
    KW_ASSIGN(CallRequest request, MakeCall(task, c, inputs));
    prepared.push_back({c, std::move(inputs.hash), std::move(request), {}});
  }
  return prepared;
}

uint64_t LaneInstructions(const CallOutcome& outcome) {
  uint64_t sum = 0;
  for (const LaunchRecord& launch : outcome.launches) sum += launch.counters.lane_instructions;
  return sum;
}

// Some kernels do at one small shape a hundred times the work of another: what costs too much for
// so many calls is called no more, as long as a few others are left.
void KeepCheap(std::vector<Prepared>& prepared) {
  constexpr size_t kLeastCases = 4;
  constexpr uint64_t kCheap = kLaneInstructions / kMostCalls;
  std::stable_sort(prepared.begin(), prepared.end(), [](const Prepared& a, const Prepared& b) {
    return a.lane_instructions < b.lane_instructions;
  });
  while (prepared.size() > kLeastCases && prepared.back().lane_instructions > kCheap) {
    prepared.pop_back();
  }
}

bool IsRight(const CallOutcome& outcome, const Case& c, const std::vector<std::string>& right) {
  for (const bool written : outcome.output_written) {
    if (!written) return false;
  }
  return !right.empty() && outcome.outputs == right && !ReportOfCall(outcome, c);
}

// What the candidate held after some call.
struct Held {
  uint64_t call = 0, allocations = 0, bytes = 0;
};

// A workspace may be kept, and may grow with the shape; what grows with every call is lost.
std::optional<OracleReport> Leak(const Held& before, const Held& after, const Case& c) {
  const uint64_t calls = after.call - before.call;
  if (calls < 16 || after.allocations < before.allocations + calls / 2) return std::nullopt;
  OracleReport report = WrongResult(c, "leak");
  report.status = Status::kRejected;
  report.hazards = "found";
  report.feedback = fmt::format(
      "Device memory leaks: in {} calls the candidate's allocations grew from {} to {}, by about "
      "{} "
      "bytes a call. Free in run() what it allocates (cudaFreeAsync on the given stream), or "
      "allocate once and keep it.",
      calls, before.allocations, after.allocations,
      (std::max(after.bytes, before.bytes) - before.bytes) / calls);
  return report;
}

OracleReport StoppedAt(OracleReport report, const Prepared& one, int64_t calls_before) {
  report.failing->calls_before = calls_before;
  report.failing_inputs_hash = one.inputs_hash;
  report.feedback += fmt::format(
      "\nThis was call {} of the candidate; the {} calls before it, on these inputs and others, "
      "were right. Compute the result in every call, however many came before: look for a counter, "
      "a flag or a workspace that is kept between calls.",
      calls_before + 1, calls_before);
  return report;
}

}  // namespace

Result<OracleReport> RunEndurance(const Task& task, const std::vector<Case>& cases,
                                  Session& session, Reference& reference,
                                  const EnduranceOptions& options) {
  OracleReport passed;
  passed.ok = true;
  KW_ASSIGN(std::vector<Prepared> prepared, Prepare(task, cases));
  if (prepared.empty()) return passed;
  Random random(DeriveSeed(options.seed, "endurance"));
  const uint64_t calls =
      options.calls.value_or(kLeastCalls + random.Below(kMostCalls - kLeastCalls + 1));
  uint64_t spent = 0;
  Held warm, last;
  for (uint64_t i = 0; i < calls; ++i) {
    if (!options.calls && i >= kCallsOfAnyKernel && spent > kLaneInstructions) break;
    if (options.cancelled && options.cancelled()) {
      return Fail(ErrorCode::kCancelled, "the evaluation was cancelled");
    }
    // Each once, then in no order that could be foreseen.
    if (i == cases.size()) KeepCheap(prepared);
    Prepared& one = prepared[i < cases.size() ? i : random.Below(prepared.size())];
    one.request.seed = random.Next64();
    one.request.reuse_buffers = random.Chance(0.5);
    KW_ASSIGN(CallOutcome outcome, session.Call(one.request));
    const uint64_t lane_instructions = LaneInstructions(outcome);
    spent += lane_instructions;
    if (i < cases.size()) one.lane_instructions = lane_instructions;
    last = {i + 1, outcome.kept_allocations, outcome.kept_bytes};
    if (i + 1 == cases.size()) warm = last;
    if (IsRight(outcome, one.c, one.right)) continue;
    Comparison comparison;
    KW_ASSIGN(std::optional<OracleReport> failure,
              JudgeCall(task, one.c, outcome, reference, "", comparison));
    if (failure) {
      return StoppedAt(*std::move(failure), one, options.calls_before + static_cast<int64_t>(i));
    }
    one.right = std::move(outcome.outputs);
  }
  if (std::optional<OracleReport> leak = Leak(warm, last, prepared.front().c)) return *leak;
  return passed;
}

}  // namespace kw::eval
