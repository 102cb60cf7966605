#include "task_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "calibrate_source.h"
#include "kw/base/hash.h"
#include "kw/base/text.h"
#include "value_types.h"

namespace kw::eval {
namespace {

using State = CheckStep::State;

// A fault of the folder is a step that failed; all other errors are trouble of ours.
bool IsFaultOfFolder(const Error& error) { return error.code == ErrorCode::kInvalid; }

CheckStep FailedStep(std::string name, std::string text) {
  return {State::kFailed, std::move(name), std::move(text)};
}

Result<CheckStep> RunReference(const Task& task, const std::vector<Case>& cases,
                               Reference& reference, std::vector<CheckedCase>& checked) {
  const std::string name = "reference";
  if (task.reference_cpp.empty()) {
    return FailedStep(name,
                      "reference.cpp is missing, and the Definition's Python cannot be run "
                      "here: write one with " +
                          ReferencePrototype(task));
  }
  for (const Case& c : cases) {
    auto inputs = GenerateInputs(task, c);
    if (!inputs && IsFaultOfFolder(inputs.error()))
      return FailedStep(name, inputs.error().ToString());
    if (!inputs) return Fail(std::move(inputs).error());
    auto expected = reference.Evaluate(task, c);
    if (!expected && IsFaultOfFolder(expected.error())) {
      return FailedStep(name, expected.error().message);
    }
    if (!expected) return Fail(std::move(expected).error());
    checked.push_back({c, *std::move(inputs), *std::move(expected)});
  }
  return CheckStep{State::kOk, name,
                   fmt::format("compiles, and writes all of its outputs and nothing else in {} "
                               "cases",
                               cases.size())};
}

// Another process, another order: what a reference keeps between calls, or never set, shows.
Result<CheckStep> CheckDeterminism(const Task& task, const std::vector<CheckedCase>& cases,
                                   Reference& fresh) {
  const std::string name = "deterministic";
  for (auto checked = cases.rbegin(); checked != cases.rend(); ++checked) {
    auto again = fresh.EvaluateOn(task, checked->c, checked->inputs);
    std::string difference;
    if (again) {
      difference = DifferenceOf(task, *checked->expected, *again);
    } else if (IsFaultOfFolder(again.error())) {
      difference = "the outcome (" + again.error().message + ")";
    } else {
      return Fail(std::move(again).error());
    }
    if (difference.empty()) continue;
    return FailedStep(name,
                      fmt::format("{} is another in a second process, {}: reference.cpp keeps "
                                  "something between calls, or reads what it never set",
                                  difference, PlaceOf(checked->c)));
  }
  return CheckStep{State::kOk, name, "the same bits in another process, in another order"};
}

Result<CheckStep> CheckWritesOnly(const Task& task, const std::vector<CheckedCase>& cases,
                                  Reference& reference) {
  const std::string name = "outputs are only written";
  const Task filled = FilledTask(task);
  for (const CheckedCase& checked : cases) {
    auto again = reference.EvaluateOn(filled, VariantCase(checked.c, 1), checked.inputs);
    if (!again && !IsFaultOfFolder(again.error())) return Fail(std::move(again).error());
    const std::string difference = again ? DifferenceOf(task, *checked.expected, *again)
                                         : "the outcome (" + again.error().message + ")";
    if (difference.empty()) continue;
    return FailedStep(name, fmt::format("{} depends on what the output held before the call, {}: "
                                        "reference.cpp must write it before it reads or adds to it",
                                        difference, PlaceOf(checked.c)));
  }
  return CheckStep{State::kOk, name, "the same whatever they hold before the call"};
}

}  // namespace

std::string PlaceOf(const Case& c) {
  std::vector<std::string> parts;
  for (const auto& [axis, size] : c.axes) {
    if (axis != kVariantAxis) parts.push_back(fmt::format("{}={}", axis, size));
  }
  return fmt::format("case {} (group {}; {})", c.id, c.group, Join(parts, ", "));
}

std::string DifferenceOf(const Task& task, const Expected& a, const Expected& b) {
  for (size_t i = 0; i < task.outputs.size(); ++i) {
    const auto differs = [&](const auto& x, const auto& y) {
      for (size_t k = 0; k < x.size(); ++k) {
        if (std::memcmp(&x[k], &y[k], sizeof x[k]) != 0) {
          return fmt::format("element {} of '{}'", k, task.outputs[i].name);
        }
      }
      return std::string();
    };
    std::string found = differs(a.floats[i], b.floats[i]);
    if (found.empty()) found = differs(a.integers[i], b.integers[i]);
    if (!found.empty()) return found;
  }
  return "";
}

bool TaskCheck::ok() const {
  return std::none_of(steps.begin(), steps.end(),
                      [](const CheckStep& step) { return step.state == State::kFailed; });
}

Result<std::string> ExpectedDigest(const Task& task, const std::vector<Case>& cases,
                                   Reference& reference) {
  // Below this part of an output's largest value there is only what the machine's library leaves.
  constexpr double kNothing = 1e-10;
  Hasher hasher;
  hasher.Add("kwright-expected-1");
  for (const Case& c : cases) {
    KW_ASSIGN(const std::shared_ptr<const Expected> expected, reference.Evaluate(task, c));
    hasher.Add(PlaceOf(c));
    for (const auto& [name, value] : c.scalars) hasher.Add(name).Add(fmt::format("{:.5e}", value));
    for (const std::vector<double>& output : expected->floats) {
      double largest = 0;
      for (const double value : output) {
        if (std::isfinite(value)) largest = std::max(largest, std::fabs(value));
      }
      std::string text;
      for (const double value : output) {
        const bool is_nothing = std::fabs(value) <= kNothing * largest;
        text += is_nothing ? "0 " : fmt::format("{:.5e} ", value);
      }
      hasher.Add(text);
    }
    for (const std::vector<int64_t>& output : expected->integers) {
      for (const int64_t value : output) hasher.Add(value);
    }
  }
  return hasher.Hex();
}

Result<TaskCheck> CheckTask(const Task& task, const Alternatives& alternatives,
                            const std::vector<Case>& cases, Reference& reference,
                            Reference& fresh_reference,
                            const std::function<void(const CheckStep&)>& seen) {
  TaskCheck check;
  const auto keep = [&](CheckStep step) {
    if (seen) seen(step);
    check.steps.push_back(std::move(step));
  };
  std::vector<CheckedCase> checked;
  KW_ASSIGN(CheckStep first, RunReference(task, cases, reference, checked));
  keep(std::move(first));
  if (!check.ok()) return check;
  KW_ASSIGN(check.digest, ExpectedDigest(task, cases, reference));

  KW_ASSIGN(CheckStep determinism, CheckDeterminism(task, checked, fresh_reference));
  keep(std::move(determinism));
  KW_ASSIGN(CheckStep writes_only, CheckWritesOnly(task, checked, reference));
  keep(std::move(writes_only));
  KW_ASSIGN(CheckStep inputs, CheckInputsMatter(task, checked, reference));
  keep(std::move(inputs));
  KW_ASSIGN(CheckStep axes, CheckAxesMatter(task, checked, reference));
  keep(std::move(axes));
  keep(CheckExpectedValues(task, checked));
  KW_ASSIGN(CheckStep faults, CheckFaultsAreFound(task, checked, reference));
  keep(std::move(faults));
  bool good = true;
  if (!alternatives.empty()) {
    KW_ASSIGN(CheckStep same, CheckAlternatives(task, alternatives, checked, reference));
    good = same.state != State::kFailed;
    keep(std::move(same));
  }
  KW_ASSIGN(CheckStep tolerance,
            CheckTolerance(task, good ? alternatives : Alternatives{}, checked, reference));
  keep(std::move(tolerance));
  return check;
}

}  // namespace kw::eval
