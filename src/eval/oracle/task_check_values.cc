// What the comparison makes of a task's outputs: values that a dtype holds, elements that are off,
// and a tolerance that honest arithmetic keeps.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "calibrate_source.h"
#include "compare.h"
#include "kw/base/text.h"
#include "task_check.h"
#include "value_draw.h"
#include "value_types.h"

namespace kw::eval {
namespace {

using State = CheckStep::State;

constexpr double kMoved = 4;  // tolerances that a wrong element is off
constexpr uint64_t kElementsTried = 8;
constexpr size_t kLeastElements = 32;  // of an output of zeros that must be found
constexpr double kFarAbove = 20;       // tolerance over honest error

std::string RoundedBytes(const Task& task, const Expected& expected, size_t i) {
  const Tensor& tensor = task.outputs[i];
  std::string bytes;
  for (const double value : expected.floats[i]) AppendRounded(tensor.dtype, value, bytes);
  for (const int64_t value : expected.integers[i]) {
    AppendRounded(tensor.dtype, static_cast<double>(value), bytes);
  }
  return bytes;
}

// The value four tolerances away; nothing where no value of the dtype is.
std::optional<double> MovedFloat(const Task& task, const Tensor& tensor, double value,
                                 double scale) {
  if (!std::isfinite(value) || std::fabs(value) > LargestFinite(tensor.dtype)) return std::nullopt;
  const Tolerance tolerance = ToleranceOf(task, tensor.dtype);
  const double allowed =
      std::max(tolerance.absolute * scale + tolerance.relative * std::fabs(value),
               UnitInLastPlace(tensor.dtype, value));
  for (const double way : {value < 0 ? -1.0 : 1.0, value < 0 ? 1.0 : -1.0}) {
    const double moved = RoundedTo(tensor.dtype, value + way * kMoved * allowed);
    if (std::isfinite(moved)) return moved;
  }
  return std::nullopt;
}

// An integer that is right nowhere: an index out of range, or the next number.
double MovedInteger(const Tensor& tensor, int64_t value) {
  if (!tensor.selects.empty()) return -1;
  if (tensor.dtype == DType::kBool) return value != 0 ? 0 : 1;
  return static_cast<double>(value > 0 ? value - 1 : value + 1);
}

class FaultFinder {
 public:
  FaultFinder(const Task& task, const CheckedCase& checked) : task_(task), checked_(checked) {
    for (size_t i = 0; i < task.outputs.size(); ++i) {
      right_.push_back(RoundedBytes(task, *checked.expected, i));
    }
  }

  // What the comparison says of right outputs, or "".
  Result<std::string> RightFails() const {
    KW_ASSIGN(const Comparison comparison,
              CompareOutputs(task_, checked_.c, right_, *checked_.expected));
    if (comparison.ok) return std::string();
    return fmt::format("the reference's own output '{}', rounded, does not pass {}",
                       comparison.output, PlaceOf(checked_.c));
  }

  // Whether an element that is off is found by `expected`, which may excuse some.
  Result<bool> Finds(size_t output, size_t element, const Expected& expected) const {
    const Tensor& tensor = task_.outputs[output];
    std::vector<std::string> outputs = right_;
    std::string moved;
    if (IsFloat(tensor.dtype)) {
      const auto value = MovedFloat(task_, tensor, expected.floats[output][element],
                                    checked_.expected->ScaleOf(output));
      if (!value) return true;  // not judged
      AppendRounded(tensor.dtype, *value, moved);
    } else {
      AppendRounded(tensor.dtype, MovedInteger(tensor, expected.integers[output][element]), moved);
    }
    outputs[output].replace(element * moved.size(), moved.size(), moved);
    KW_ASSIGN(const Comparison comparison, CompareOutputs(task_, checked_.c, outputs, expected));
    return !comparison.ok && comparison.output == tensor.name;
  }

  // Elements to try, by the case's seed.
  std::vector<size_t> Elements(size_t output) const {
    const size_t count = std::max(checked_.expected->floats[output].size(),
                                  checked_.expected->integers[output].size());
    BitDraw bits(checked_.c.seed, "moved/" + task_.outputs[output].name);
    std::vector<size_t> elements;
    for (uint64_t i = 0; count > 0 && i < kElementsTried; ++i) {
      elements.push_back(static_cast<size_t>(bits.At(i) % count));
    }
    return elements;
  }

  // Whether zeros pass in place of an output; nothing where half of it is zero anyway.
  Result<std::optional<bool>> ZerosPass(size_t output) const {
    const std::vector<double>& expected = checked_.expected->floats[output];
    const auto zeros = std::count(expected.begin(), expected.end(), 0.0);
    if (static_cast<size_t>(zeros) * 2 >= expected.size()) return std::optional<bool>();
    std::vector<std::string> outputs = right_;
    std::fill(outputs[output].begin(), outputs[output].end(), '\0');
    KW_ASSIGN(const Comparison comparison,
              CompareOutputs(task_, checked_.c, outputs, *checked_.expected));
    return std::optional<bool>(comparison.ok);
  }

 private:
  const Task& task_;
  const CheckedCase& checked_;
  std::vector<std::string> right_;
};

// What is wrong with how a case's outputs are compared, or "". Outputs of which every element tried
// is excused go to `excused`.
Result<std::string> FaultOfComparison(const Task& task, const CheckedCase& checked,
                                      const FaultFinder& finder, Reference& reference,
                                      std::set<std::string>& excused) {
  KW_ASSIGN(std::string fault, finder.RightFails());
  if (!fault.empty()) return fault;
  KW_ASSIGN(std::vector<std::vector<double>> slack, reference.Sensitivity(task, checked.c));
  const Expected lenient = WithSlack(*checked.expected, std::move(slack));
  for (size_t i = 0; i < task.outputs.size(); ++i) {
    bool any = false;
    for (const size_t element : finder.Elements(i)) {
      KW_ASSIGN(const bool found, finder.Finds(i, element, *checked.expected));
      if (!found) {
        return fmt::format("element {} of '{}' may be off by {} times its tolerance and passes, {}",
                           element, task.outputs[i].name, kMoved, PlaceOf(checked.c));
      }
      if (any) continue;
      KW_ASSIGN(any, finder.Finds(i, element, lenient));
    }
    if (!any) excused.insert(fmt::format("'{}' in {}", task.outputs[i].name, PlaceOf(checked.c)));
  }
  return std::string();
}

// How often an output of zeros is taken for the right one, of ordinary values.
struct ZerosSeen {
  int64_t passed = 0, found = 0;
  std::string large;  // a case of many elements in which they pass
};

Result<void> TryZeros(const CheckedCase& checked, const FaultFinder& finder,
                      std::vector<ZerosSeen>& seen) {
  if (checked.c.group != "original") return {};
  for (size_t i = 0; i < seen.size(); ++i) {
    KW_ASSIGN(const std::optional<bool> pass, finder.ZerosPass(i));
    if (!pass) continue;
    ++(*pass ? seen[i].passed : seen[i].found);
    const bool is_large = checked.expected->floats[i].size() >= kLeastElements;
    if (*pass && is_large) seen[i].large = PlaceOf(checked.c);
  }
  return {};
}

// "" where a kernel that writes zeros is found out.
std::string FaultOfZeros(const Task& task, const std::vector<ZerosSeen>& seen) {
  for (size_t i = 0; i < seen.size(); ++i) {
    const bool always = seen[i].passed > 0 && seen[i].found == 0;
    if (!always && seen[i].large.empty()) continue;
    return fmt::format(
        "'{}' of zeros passes, {}: the absolute tolerance is as large as the output: "
        "lower it in task.toml, [tolerance]",
        task.outputs[i].name, always ? "in every case of ordinary values" : seen[i].large);
  }
  return "";
}

}  // namespace

Result<CheckStep> CheckFaultsAreFound(const Task& task, const std::vector<CheckedCase>& cases,
                                      Reference& reference) {
  const std::string name = "a wrong element is found";
  std::set<std::string> excused;
  std::vector<ZerosSeen> zeros(task.outputs.size());
  for (const CheckedCase& checked : cases) {
    const FaultFinder finder(task, checked);
    KW_ASSIGN(std::string fault, FaultOfComparison(task, checked, finder, reference, excused));
    if (!fault.empty()) return CheckStep{State::kFailed, name, std::move(fault)};
    KW_TRY(TryZeros(checked, finder, zeros));
  }
  if (std::string fault = FaultOfZeros(task, zeros); !fault.empty()) {
    return CheckStep{State::kFailed, name, std::move(fault)};
  }
  if (excused.empty()) {
    return CheckStep{State::kOk, name, fmt::format("{} tolerances off, in every case", kMoved)};
  }
  return CheckStep{
      State::kWarning, name,
      fmt::format("{} tolerances off are excused, as rounding of the inputs moves the result by "
                  "as much: {}. The tolerance may be too small, or the case ill-conditioned",
                  kMoved, Join({excused.begin(), excused.end()}, "; "))};
}

namespace {

// What is not an ordinary number in one output of one case.
struct OddValues {
  int64_t nan = -1;  // the first that is, or -1
  int64_t infinite = 0, beyond = 0;
};
OddValues OddValuesOf(const std::vector<double>& values, DType dtype) {
  OddValues odd;
  for (size_t i = 0; i < values.size(); ++i) {
    if (std::isnan(values[i]) && odd.nan < 0) odd.nan = static_cast<int64_t>(i);
    if (std::isinf(values[i])) {
      ++odd.infinite;
    } else if (std::fabs(values[i]) > LargestFinite(dtype)) {
      ++odd.beyond;
    }
  }
  return odd;
}

// "12 of 'y', case c03 (...)", the first and how many more.
std::string FirstOf(const std::vector<std::string>& places) {
  if (places.size() == 1) return places[0];
  return fmt::format("{}, and in {} more", places[0], places.size() - 1);
}

}  // namespace

CheckStep CheckExpectedValues(const Task& task, const std::vector<CheckedCase>& cases) {
  const std::string name = "expected values";
  std::vector<std::string> infinite, beyond;
  for (const CheckedCase& checked : cases) {
    if (checked.c.group == kNonfiniteGroup) continue;
    for (size_t i = 0; i < task.outputs.size(); ++i) {
      const Tensor& tensor = task.outputs[i];
      if (!IsFloat(tensor.dtype)) continue;
      const OddValues odd = OddValuesOf(checked.expected->floats[i], tensor.dtype);
      const std::string place = fmt::format("of '{}', {}", tensor.name, PlaceOf(checked.c));
      if (odd.nan >= 0) {
        return {State::kFailed, name,
                fmt::format("element {} {} is NaN: reference.cpp must define it, or the schema "
                            "(task.toml, [inputs]) exclude it",
                            odd.nan, place)};
      }
      if (odd.infinite > 0) infinite.push_back(fmt::format("{} {}", odd.infinite, place));
      if (odd.beyond > 0) beyond.push_back(fmt::format("{} {}", odd.beyond, place));
    }
  }
  std::vector<std::string> notes;
  if (!infinite.empty()) {
    notes.push_back("elements are infinite, which is right only if the Definition says so: " +
                    FirstOf(infinite));
  }
  if (!beyond.empty()) {
    notes.push_back("elements that the dtype cannot hold are not judged: " + FirstOf(beyond) +
                    "; a range in task.toml, [inputs], excludes them");
  }
  if (notes.empty()) return {State::kOk, name, "finite, and each within its dtype"};
  return {State::kWarning, name, Join(notes, "; ")};
}

Result<CheckStep> CheckAlternatives(const Task& task, const Alternatives& alternatives,
                                    const std::vector<CheckedCase>& cases, Reference& reference) {
  const std::string step = "alternatives";
  for (const auto& [name, source] : alternatives) {
    const Task other = AlternativeTask(task, source);
    for (const CheckedCase& checked : cases) {
      const auto got = reference.EvaluateOn(other, checked.c, checked.inputs);
      if (!got && got.error().code == ErrorCode::kInvalid) {
        // It was run as a reference, which messages name.
        constexpr std::string_view kReference = "reference.cpp";
        std::string text = got.error().message;
        const size_t at = text.find(kReference);
        const std::string file = fmt::format("alternative_{}.cpp", name);
        if (at != text.npos) text.replace(at, kReference.size(), file);
        return CheckStep{State::kFailed, step, std::move(text)};
      }
      if (!got) return Fail(got.error());
      std::vector<std::string> outputs;
      for (size_t i = 0; i < task.outputs.size(); ++i) {
        outputs.push_back(RoundedBytes(task, *got, i));
      }
      KW_ASSIGN(const Comparison comparison,
                CompareWithReference(task, checked.c, outputs, reference));
      if (comparison.ok) continue;
      return CheckStep{State::kFailed, step,
                       fmt::format("alternative_{}.cpp computes another '{}' than reference.cpp, "
                                   "{}: {:g} where {:g} is expected",
                                   name, comparison.output, PlaceOf(checked.c), comparison.got,
                                   comparison.expected)};
    }
  }
  return CheckStep{
      State::kOk, step,
      fmt::format("{} of them, the same as reference.cpp in float64", alternatives.size())};
}

Result<CheckStep> CheckTolerance(const Task& task, const Alternatives& alternatives,
                                 const std::vector<CheckedCase>& cases, Reference& reference) {
  const std::string name = "tolerance";
  std::vector<Case> plain;
  for (const CheckedCase& checked : cases) plain.push_back(checked.c);
  std::vector<CalibrationMember> members = MembersOf(task, alternatives);
  const auto is_alternative = [](const CalibrationMember& m) { return !m.source.empty(); };
  members.erase(members.begin() + 1, std::find_if(members.begin(), members.end(), is_alternative));
  const auto calibration = Calibrate(task, plain, reference, std::move(members));
  if (!calibration && calibration.error().code == ErrorCode::kInvalid) {
    return CheckStep{State::kWarning, name,
                     "the honest error cannot be measured: " + calibration.error().ToString()};
  }
  if (!calibration) return Fail(calibration.error());
  std::vector<std::string> failed, wide, seen;
  for (const ToleranceProposal& proposal : calibration->proposals) {
    const std::string_view dtype = DTypeName(proposal.dtype);
    // The proposal is what is honest with a margin of a half.
    const double above = proposal.now_ratio * 1.5;
    if (proposal.now_used > 1) {
      failed.push_back(fmt::format(
          "that of {} is below the honest error: float32 in the order of the reference, or of an "
          "alternative, needs {:.2g} times as much ('{}', case {}). `kwright tasks calibrate` "
          "proposes another",
          dtype, proposal.now_used, proposal.worst_member, proposal.worst_case));
    } else if (above > kFarAbove) {
      wide.push_back(fmt::format("that of {} is {:.0f} times the honest error", dtype, above));
    } else {
      seen.push_back(fmt::format("that of {} is {:.2g} times the honest error", dtype, above));
    }
  }
  if (!failed.empty()) return CheckStep{State::kFailed, name, Join(failed, "; ")};
  if (!wide.empty()) {
    return CheckStep{State::kWarning, name,
                     Join(wide, "; ") + ". `kwright tasks calibrate` proposes another"};
  }
  return CheckStep{State::kOk, name, seen.empty() ? "all outputs are exact" : Join(seen, "; ")};
}

}  // namespace kw::eval
