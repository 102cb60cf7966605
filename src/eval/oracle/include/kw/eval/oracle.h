// oracle: is this kernel right? What to try (seeded fuzzing over the task's schema), the fp64
// reference in a process of its own, comparison of every element, tolerances, replay.
//
//   std::vector<Case> cases = *PlanCases(task, FuzzSeed(run_seed, task), {.count = 16});
//   KW_ASSIGN(OracleReport report, RunOracle(task, cases, *session, reference, options));
//   if (!report.ok) feedback = report.feedback;
//
// Inputs are a pure function of (task, case): each element is Philox(case seed, input, index), so
// a case does not depend on those before it, on threads, or on the machine.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kw/eval/build.h"
#include "kw/eval/device.h"
#include "kw/eval/task.h"

namespace kw::eval {

// The vocabulary of FlashInfer-Trace plus ours (design 4.3).
enum class Status {
  kPassed,
  kIncorrectShape,
  kIncorrectDtype,
  kIncorrectNumerical,
  kRuntimeError,
  kCompileError,
  kTimeout,
  kMalformed,
  kRejected,
  kUnsupported,
};
std::string_view StatusName(Status status);  // "PASSED", ...
std::optional<Status> StatusFromName(std::string_view name);

enum class Effort { kQuick, kStandard, kDeep };  // 8, 32 and 128 cases
std::string_view EffortName(Effort effort);
std::optional<Effort> EffortFromName(std::string_view name);
[[nodiscard]] Result<Effort> EffortNamed(std::string_view name);  // kInvalid names those there are
int CaseCount(Effort effort);

// Which check decides: ours, or the one that benchmarks make (RunAllclose).
enum class OracleKind { kFull, kAllclose };
std::string_view OracleName(OracleKind kind);  // "full", "allclose"
[[nodiscard]] Result<OracleKind> OracleNamed(std::string_view name);

// The value groups that inputs are drawn in. "original" is standard normal, or uniform in a range.
//   original, x3, x0.01, negative, zeros_and_ones, constant, ramp, outlier
//   opposed, of tasks with two float tensors
// and those of the task: tiny, largest, nonfinite.
std::vector<std::string> ValueGroups(const Task& task);
// The values of "original" with a few pairs of elements exchanged. Not drawn for cases of their
// own: a call with them follows one with the original values, in the same buffers, and shows a
// kernel that recognises inputs by their address, by samples or by a sum.
inline constexpr std::string_view kSwappedGroup = "swapped";

struct Case {
  std::string id;  // "c07": position in its plan
  uint64_t seed = 0;
  std::map<std::string, int64_t> axes;  // var axes
  std::string group;
  std::map<std::string, double> scalars;  // scalar inputs
  // Of a case that failed after many calls: how many of the candidate came before, all of them
  // right. 0: that does not matter.
  int64_t calls_before = 0;
};
inline constexpr int64_t kMaxCallsBefore = 1'000'000;  // what stored text may say

// The case whose inputs are almost those of `c`, which is of group "original".
Case SwappedCase(const Case& c);

uint64_t FuzzSeed(uint64_t run_seed, const Task& task);

// Boundaries of every axis first, then pairs, then random; crossed with value groups. The timed
// workloads' shapes are among them when small enough. kInvalid: no shape satisfies the
// constraints.
[[nodiscard]] Result<std::vector<Case>> PlanCases(const Task& task, uint64_t seed, int count);
// A case at a random shape between the smallest and the largest workloads, at most as large as the
// largest, and none of them: whoever knows the timed shapes does not know this one. Nothing when
// there is none, as with a single workload or constraints that leave no choice.
std::optional<Case> UntimedCase(const Task& task, uint64_t seed);
// Cases that many calls can be made of: a few small random shapes, more than one set of ordinary
// inputs each.
std::vector<Case> EnduranceCases(const Task& task, uint64_t seed);
// A case at a workload's shape with fresh inputs.
Case WorkloadCase(const Task& task, const Workload& workload, uint64_t seed);

struct CaseInputs {
  std::vector<std::string> tensors;  // contents per input of the task ("" for scalars)
  std::string hash;                  // of all of them: what replay prints
};
[[nodiscard]] Result<CaseInputs> GenerateInputs(const Task& task, const Case& c);

// The call of `run` for a case, buffers and all.
[[nodiscard]] Result<CallRequest> MakeCall(const Task& task, const Case& c,
                                           const CaseInputs& inputs);

// What the outputs should be: one value an element, in fp64 (integers exactly).
struct Expected {
  std::vector<std::vector<double>> floats;     // per output, empty for integer outputs
  std::vector<std::vector<int64_t>> integers;  // per output, empty for float outputs
  // Per output, what the absolute tolerance is multiplied with; empty: 1. Above 1 only in group
  // "x3", by as much as the outputs are larger than those of "original" at the same case.
  std::vector<double> absolute_scale;
  double ScaleOf(size_t output) const {
    return absolute_scale.empty() ? 1 : absolute_scale[output];
  }
  // Per output and element, what is allowed whatever the tolerance says; empty: nothing. See
  // Reference::Sensitivity.
  std::vector<std::vector<double>> slack;
};

// Runs reference.cpp in a sandboxed process (kwright-reference) with guarded buffers.
class Reference {
 public:
  virtual ~Reference() = default;
  // kInvalid when the task's reference does not compile, crashes, or writes out of bounds: a fault
  // of the task folder, said as such. Cached by (task hash, case), in memory and in files.
  [[nodiscard]] virtual Result<std::shared_ptr<const Expected>> Evaluate(const Task& task,
                                                                         const Case& c) = 0;
  // The same for who has the inputs of the case already: they are not generated once more.
  [[nodiscard]] virtual Result<std::shared_ptr<const Expected>> EvaluateCase(
      const Task& task, const Case& c, const CaseInputs& /*inputs*/) {
    return Evaluate(task, c);
  }
  // Per output and element: how far the fp64 result moves when every float input moves by up to a
  // unit in the last place of float32. The worst of a few seeded moves; empty where unknown.
  [[nodiscard]] virtual Result<std::vector<std::vector<double>>> Sensitivity(const Task& /*task*/,
                                                                             const Case& /*c*/) {
    return std::vector<std::vector<double>>{};
  }
  // The same for inputs that are given, such as a part of a case's; c.axes are their sizes.
  [[nodiscard]] virtual Result<Expected> EvaluateOn(const Task& /*task*/, const Case& /*c*/,
                                                    const CaseInputs& /*inputs*/) {
    return Fail(ErrorCode::kUnavailable, "this reference takes no inputs that are given");
  }
  [[nodiscard]] virtual Result<std::vector<std::vector<double>>> SensitivityOn(
      const Task& /*task*/, const Case& /*c*/, const CaseInputs& /*inputs*/,
      const Expected& /*expected*/) {
    return std::vector<std::vector<double>>{};
  }
};
struct ReferenceConfig {
  std::string programs;               // folder of kwright-reference; "" = beside this program
  int64_t cache_bytes = 256LL << 20;  // in memory
  // Where results that took long are kept for other programs, "": nowhere. No candidate and no
  // reference can read it: their cages have no files.
  std::string folder;
  int64_t folder_bytes = 1LL << 30;
  int64_t memory_bytes = 16LL << 30;  // that a reference's process may hold
};
// The builder outlives the reference.
std::unique_ptr<Reference> MakeReference(Builder& builder, ReferenceConfig config);

struct ElementErrors {
  double max_abs = 0, max_rel = 0, mean_abs = 0;
  int64_t bad = 0, total = 0, first_bad = -1, nan = 0, inf = 0;
};
struct Comparison {
  bool ok = true;
  std::string output;    // the first output that fails
  ElementErrors errors;  // of that output (of all outputs, worst, when ok)
  std::string pattern;   // "only columns 32..32 of each row are wrong", "" when none is seen
  std::string advice;    // what usually causes such a pattern, "" when none is seen
  double worst = 0;      // the largest error in units of what is allowed; infinite for a wrong NaN
  // The first bad element: where it is in its output, what it is, how far off it may be, its error
  // in units in the last place, and its sensitivity (Reference::Sensitivity) where that is known.
  std::vector<int64_t> at;
  double got = 0, expected = 0, allowed = 0, ulps = 0;
  std::optional<double> sensitivity;
};
[[nodiscard]] Result<Comparison> CompareOutputs(const Task& task, const Case& c,
                                                const std::vector<std::string>& outputs,
                                                const Expected& expected);

// Compares with what the reference says. Where elements fail, each is allowed a few times its
// sensitivity: an ill-conditioned element is never held against a kernel.
[[nodiscard]] Result<Comparison> CompareWithReference(const Task& task, const Case& c,
                                                      const std::vector<std::string>& outputs,
                                                      Reference& reference);

// ---- shapes beyond what the emulator and the reference can do as a whole ----

// Small enough to be checked as a whole, at several calls a verdict.
bool FitsInFull(const Task& task, const std::map<std::string, int64_t>& axes);
// The same case at the largest shape that fits and whose sizes leave the same remainders, so that
// tiles end as they do at the whole shape. Nothing where the constraints admit none.
std::optional<Case> ScaledCase(const Task& task, const Case& c);

// What some blocks stored, checked.
struct SampleCheck {
  std::string unchecked;  // why their elements cannot be, for people; "": they were
  int64_t elements = 0;   // that the blocks stored
  Comparison comparison;  // of the first part that is wrong, its places those in the whole output
};
// `stored`: for each output the bytes to look at (CallOutcome::sampled). The
// reference computes these elements alone, along axes for which it has been seen at small shapes
// that their parts do not depend on each other.
[[nodiscard]] Result<SampleCheck> CheckSample(const Task& task, const Case& c,
                                              const CaseInputs& inputs,
                                              const std::vector<std::string>& outputs,
                                              const std::vector<ByteRuns>& stored,
                                              Reference& reference);

struct CaseResult {
  Case c;
  bool ok = false;
};
struct OracleReport {
  bool ok = false;
  Status status = Status::kPassed;
  std::string reason;             // stable: "numerical", "device_fault", "out_of_bounds", ...
  std::string feedback;           // for the author: which case, what is wrong, its pattern
  std::vector<CaseResult> cases;  // those that ran, up to the first failure
  std::optional<Case> failing;
  std::string failing_inputs_hash;
  Comparison comparison;         // of the failing case
  std::string hazards = "none";  // none | found | unchecked
  bool bitwise = true;           // both runs of each case gave the same bits
  bool environmental = false;
};
struct OracleOptions {
  uint64_t seed = 0;
  std::function<bool()> cancelled;  // asked between cases; may be empty
  // Sees every call; may be empty.
  std::function<void(const Case&, const CaseInputs&, const CallOutcome&)> after_call = {};
};
// Runs each case twice in fresh buffers and stops at the first that fails.
[[nodiscard]] Result<OracleReport> RunOracle(const Task& task, const std::vector<Case>& cases,
                                             Session& session, Reference& reference,
                                             const OracleOptions& options);

// What benchmarks call correct, to be compared with: 5 trials of ordinary random inputs at one
// shape, the first workload's that fits in full. Each float element within atol + rtol * |expected|
// with atol = rtol = 1e-4, or 1e-2 for dtypes of at most 16 bits; integers equal. Hazards are not
// looked at; a call that fails, fails.
[[nodiscard]] Result<OracleReport> RunAllclose(const Task& task, Session& session,
                                               Reference& reference, const OracleOptions& options);

// Runs one case by itself, in a session of its own, as a replay does.
using CaseRunner = std::function<Result<OracleReport>(const Case&)>;
// The failure of the smallest case found that fails in the same way: sizes as small as they may be,
// ordinary values where they fail too. As it was where nothing smaller fails, or where the case
// alone does not, or where a run was environmental. It takes up to 40 runs, and none after one that
// times out.
[[nodiscard]] Result<OracleReport> ShrinkFailure(const Task& task, OracleReport report,
                                                 const CaseRunner& run);

// Writes one call's tensors into a folder as .npy: input_NAME, output_NAME as the candidate left
// it, expected_NAME and error_NAME (what came minus what is expected) in float64 or int64. Outputs
// that did not come are left out. bfloat16 and float8 are widened to float32.
[[nodiscard]] Result<void> DumpCall(const Task& task, const Case& c, const CaseInputs& inputs,
                                    const CallOutcome& outcome, Reference& reference,
                                    const std::string& folder);

struct EnduranceOptions {
  uint64_t seed = 0;
  int64_t calls_before = 0;       // that the session has seen already, all of them right
  std::optional<uint64_t> calls;  // as many; not given: a few hundred, by the seed, or fewer where
                                  // they are expensive
  std::function<bool()> cancelled;  // asked between calls; may be empty
};
// Does the candidate go on as it began? Many calls of these cases in a seeded order, every output
// compared; stops at the first that fails, whose case then says how many calls came before. How
// many there are follows from the seed and the instructions that they take, never from the clock.
[[nodiscard]] Result<OracleReport> RunEndurance(const Task& task, const std::vector<Case>& cases,
                                                Session& session, Reference& reference,
                                                const EnduranceOptions& options);

// The report of one call that was not kOk, or that found hazards; nothing when all is well.
std::optional<OracleReport> ReportOfCall(const CallOutcome& outcome, const Case& c);

// A stored failure: enough to re-create its inputs byte for byte.
struct Replay {
  std::string id;  // short hash
  std::string task_name, task_folder, task_hash;
  std::string candidate_hash, candidate_source;
  Case c;
  uint64_t seed = 0;  // of the evaluation: addresses, and the order of warps and blocks
  std::string inputs_hash;
  std::string device;            // sheet name
  std::string status, feedback;  // as first seen
};
// One file an id under `folder` (docs/formats/replay.md). Storing the same failure again is a
// no-op.
[[nodiscard]] Result<std::string> StoreReplay(const std::string& folder, Replay replay);
[[nodiscard]] Result<Replay> LoadReplay(const std::string& folder, const std::string& id);

}  // namespace kw::eval
