#include "case_text.h"

#include <fmt/format.h>

#include <cmath>

#include "kw/base/text.h"

namespace kw::eval {
namespace {

std::string GroupText(const std::string& group) {
  if (group == "original") return "ordinary random inputs";
  if (group == "x3") return "inputs 3 times as large as usual";
  if (group == "x0.01") return "small inputs (x 0.01)";
  if (group == "negative") return "inputs all negative, every other row near -112 and below";
  if (group == "zeros_and_ones") return "inputs of zeros and ones";
  if (group == "constant") return "inputs all equal";
  if (group == "ramp") return "inputs that rise with the index";
  if (group == kSwappedGroup)
    return "the inputs of the call before but for a few exchanged elements";
  if (group == "outlier") return "inputs with very large elements, at most one a row";
  if (group == "opposed") return "inputs all negative and all positive by turns";
  if (group == kTinyGroup) return "subnormal inputs";
  if (group == kLargestGroup) return "inputs among which are the largest finite numbers";
  if (group == kNonfiniteGroup) return "inputs among which are NaN and infinities";
  return "inputs " + group;
}

std::string NumberText(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  return fmt::format("{:.7g}", value);
}

// "y[3][32]" and, where there are rows and columns, "(row 3, column 32)".
std::string ElementText(const Comparison& comparison) {
  std::string text = comparison.output;
  for (const int64_t index : comparison.at) text += fmt::format("[{}]", index);
  if (comparison.at.size() == 2) {
    text += fmt::format(" (row {}, column {})", comparison.at[0], comparison.at[1]);
  }
  return text;
}

std::string AdviceText(const Comparison& comparison) {
  return comparison.advice.empty() ? "" : "\nUsually: " + comparison.advice + ".";
}

}  // namespace

std::string DescribeCase(const Case& c) {
  std::vector<std::string> parts;
  for (const auto& [axis, size] : c.axes) parts.push_back(fmt::format("{}={}", axis, size));
  for (const auto& [name, value] : c.scalars)
    parts.push_back(fmt::format("{}={:.6g}", name, value));
  return fmt::format("case {} ({}; {})", c.id, Join(parts, ", "), GroupText(c.group));
}

std::string DescribeDifference(const Comparison& comparison) {
  const ElementErrors& errors = comparison.errors;
  std::string text =
      fmt::format("{} of {} elements of {} are wrong", errors.bad, errors.total, comparison.output);
  if (errors.max_abs > 0) text += fmt::format(", the largest error is {:.4g}", errors.max_abs);
  if (std::isfinite(comparison.worst) && comparison.worst > 0) {
    text += fmt::format(" (at worst {:.3g} times what is allowed)", comparison.worst);
  }
  if (errors.nan > 0) text += fmt::format("; {} elements are NaN", errors.nan);
  if (errors.inf > 0) text += fmt::format("; {} elements are infinite", errors.inf);
  text += fmt::format(".\nFirst wrong: {} is {}, expected {}", ElementText(comparison),
                      NumberText(comparison.got), NumberText(comparison.expected));
  const double error = std::fabs(comparison.got - comparison.expected);
  if (std::isfinite(error) && comparison.allowed > 0) {
    text += fmt::format(
        ": an error of {:.3g} ({:.3g} units in the last place), {:.3g} times the "
        "{:.3g} allowed",
        error, comparison.ulps, error / comparison.allowed, comparison.allowed);
  }
  text += ".";
  if (comparison.sensitivity.value_or(0) > 0) {
    text += fmt::format(" Inputs moved by a unit in the last place of float32 move it by {:.2g}.",
                        *comparison.sensitivity);
  }
  if (!comparison.pattern.empty()) text += "\nPattern: " + comparison.pattern + ".";
  text += AdviceText(comparison);
  return text;
}

std::string WithoutAdvice(std::string text, const Comparison& comparison) {
  const std::string advice = AdviceText(comparison);
  const size_t at = text.find(advice);
  return at == text.npos ? text : text.erase(at, advice.size());
}

std::string PassedBefore(const std::vector<CaseResult>& cases) {
  if (cases.size() < 2) return "";
  const size_t before = cases.size() - 1;
  return fmt::format("\n{} case{} passed before this one.", before, before == 1 ? "" : "s");
}

std::string DescribeHazard(const Hazard& hazard) {
  if (hazard.line <= 0) return hazard.text;
  const std::string place = fmt::format(":{}", hazard.line);
  if (hazard.text.find(place) != std::string::npos ||
      hazard.text.find(fmt::format("line {}", hazard.line)) != std::string::npos) {
    return hazard.text;
  }
  const std::string file = hazard.file.substr(hazard.file.rfind('/') + 1);
  return fmt::format("{}{}: {}", file.empty() ? "line" : file, place, hazard.text);
}

}  // namespace kw::eval
