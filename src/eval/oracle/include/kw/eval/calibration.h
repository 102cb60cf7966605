// The judge's own numbers, measured: what error is honest for a task, and whether a task folder
// holds what it promises (docs/design/calibration.md).
//
//   KW_ASSIGN(std::vector<Case> cases, PlanCases(task, FuzzSeed(1, task), 32));
//   KW_ASSIGN(Calibration calibration, Calibrate(task, cases, *reference, MembersOf(task, {})));
//   for (const ToleranceProposal& p : calibration.proposals) ...  // p.proposed
//
//   KW_ASSIGN(TaskCheck check, CheckTask(task, {}, cases, *reference, *fresh, {}));
//   if (!check.ok()) ...  // check.steps say what is wrong, where, and what to do
//
// Neither needs a device. Both cost a few seconds the first time, most of it g++.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "kw/eval/oracle.h"

namespace kw::eval {

// Other algorithms for a task, by name: sources that define `reference` as reference.cpp does. No
// ensemble can find out by itself that ordinary kernels compute 1 + erf where the reference has
// erfc.
using Alternatives = std::map<std::string, std::string>;
// The files alternative_NAME.cpp of the task's folder. They decide no verdict, and are no part of
// the task's hash. kInvalid names a file that cannot be one.
[[nodiscard]] Result<Alternatives> ReadAlternatives(const Task& task);

// One way to compute what reference.cpp says, in the precision that kernels work in: its text
// with another type in place of `double`.
struct CalibrationMember {
  enum class Order { kSequential, kPairwise, kKahan };
  std::string name;  // "pair+fma"
  Order order = Order::kSequential;
  bool fused = false;
  int math_ulps = 0;            // how far exp, sqrt, ... may be off, beyond their own rounding
  bool fast = false;            // exp and log as __expf and __logf, x * (1 / y) for x / y
  std::optional<DType> narrow;  // every result is rounded to this 16-bit format, or
  bool narrow_factors = false;  // only what is multiplied and summed, as by tensor cores
  std::string source;           // of an alternative; "": reference.cpp
  bool counts = true;           // admissible: its errors are honest. False: only looked at.
};

// An output of a case that an implementation cannot hold or cannot decide as the reference does.
struct UnheldCase {
  Case c;
  std::string output, member;  // member "": the output's own dtype does not hold the value
  std::string what;            // "12 of 66 elements are beyond float16: 81203.4"
};

// The errors of one case: per member, the largest |got - ref| / (unit * scale + |ref|) of the
// outputs of one dtype, where `unit` is that of the dtype's proposal. NaN where the member cannot
// hold the case.
struct CaseErrors {
  Case c;
  std::vector<double> largest;
};

struct ToleranceProposal {
  DType dtype = DType::kFloat32;
  double unit = 1;   // absolute = unit * relative
  double p95 = 0;    // over cases, of the largest error of all members that count
  double worst = 0;  // of all cases, elements that their sensitivity excuses left out
  std::string worst_case, worst_member;
  bool raised = false;   // 2 * worst is more than 1.5 * p95, and the proposal
  bool exact = false;    // no member errs in any case: only what the rule allows anyway
  bool floored = false;  // the errors are below a unit in the last place: that counts instead
  Tolerance proposed, now;
  double now_used = 0;   // largest |got - ref| / (what the folder allows): above 1 it is too tight
  double now_ratio = 0;  // what the folder allows over what is proposed, at elements of usual size
  std::vector<CaseErrors> cases;
};

struct Calibration {
  std::vector<CalibrationMember> members;
  std::vector<ToleranceProposal> proposals;  // per float dtype of the outputs
  std::vector<UnheldCase> unheld;
};
// kInvalid: reference.cpp does not compile with another type in place of `double`, or any fault
// that Reference::Evaluate names.
[[nodiscard]] Result<Calibration> Calibrate(const Task& task, const std::vector<Case>& cases,
                                            Reference& reference,
                                            std::vector<CalibrationMember> members);
// The ensemble of a task, those that are only looked at among them.
std::vector<CalibrationMember> MembersOf(const Task& task, const Alternatives& alternatives);
// What can be pasted into task.toml: [tolerance] and [tolerance.relative].
std::string ToleranceText(const Calibration& calibration);

// The smallest value that at least `share` of the values do not exceed; 0 for none.
double Percentile(std::vector<double> values, double share);

// ---- a task folder, checked ----

struct CheckStep {
  enum class State { kOk, kWarning, kFailed };
  State state = State::kOk;
  std::string name;  // "every input matters"
  std::string text;  // what, where, what to do; of kOk what was seen
};
struct TaskCheck {
  std::vector<CheckStep> steps;  // up to the first after which others make no sense
  std::string digest;            // of the expected outputs, 6 significant digits; "" when unknown
  bool ok() const;
};
// `seen` is told each step when it is done; may be empty. The baseline is not judged here: that
// takes an Evaluator. An error is trouble with the surroundings; all else is a step that failed.
[[nodiscard]] Result<TaskCheck> CheckTask(const Task& task, const Alternatives& alternatives,
                                          const std::vector<Case>& cases, Reference& reference,
                                          Reference& fresh_reference,
                                          const std::function<void(const CheckStep&)>& seen);
[[nodiscard]] Result<std::string> ExpectedDigest(const Task& task, const std::vector<Case>& cases,
                                                 Reference& reference);

}  // namespace kw::eval
