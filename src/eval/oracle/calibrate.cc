// The formulas are in docs/design/calibration.md.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "calibrate_source.h"
#include "compare.h"
#include "kw/eval/calibration.h"
#include "value_types.h"

namespace kw::eval {
namespace {

constexpr double kMargin = 1.5, kShare = 0.95;
// Over the largest error that was seen: another seed may see a larger one.
constexpr double kWorstMargin = 2;
constexpr std::array<double, 9> kUnits = {1e2, 1e1, 1, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6};
// Where no implementation errs at all: less than any unit in the last place, which the rule allows.
constexpr Tolerance kExact = {.absolute = 1e-38, .relative = 1e-8};
// An error of a tenth of an element is no rounding.
constexpr double kLost = 0.1;
// A larger unit is taken where it allows hardly more: its tolerance hangs less on single elements.
constexpr double kNearlyAsTight = 1.1;

// The largest errors of one member in one case, over the outputs of one dtype.
struct MemberErrors {
  std::array<double, kUnits.size()> by_unit{};
  double of_now = 0;  // in units of what the folder allows
  double lost = 0;    // in units of the element and the usual size of the outputs
  bool held = true;   // false: an intermediate result overflowed, and an element was lost
};

struct CaseSample {
  const Case* c = nullptr;
  std::vector<MemberErrors> members;
  double magnitude = 0, scale = 1;  // of the outputs: mean |ref|, and what absolute parts grow by
  bool unexcused = false;           // elements that their sensitivity excuses are left out
};

struct JudgedOutput {
  const Tensor* tensor = nullptr;
  const std::vector<double>* expected = nullptr;
  const std::vector<double>* sensitivity = nullptr;  // nullptr: no element is excused
  double scale = 1, magnitude = 0;
  Tolerance now;
};

// How a member's output differs where no tolerance says anything.
struct Differences {
  int64_t count = 0;
  double got = 0, expected = 0;  // the first
  void Add(double g, double e) {
    if (count++ == 0) {
      got = g;
      expected = e;
    }
  }
};

void Measure(const JudgedOutput& output, const std::vector<double>& got, MemberErrors& errors,
             Differences* unheld) {
  const DType dtype = output.tensor->dtype;
  const double largest = LargestFinite(dtype);
  for (size_t i = 0; i < got.size(); ++i) {
    const double wanted = (*output.expected)[i];
    const double value = RoundedTo(dtype, got[i]);
    if (!std::isfinite(wanted)) {
      const bool same = std::isnan(wanted) ? std::isnan(value) : value == wanted;
      if (!same && unheld != nullptr) unheld->Add(value, wanted);
      continue;
    }
    if (std::fabs(wanted) > largest) continue;
    if (!std::isfinite(value)) {
      if (unheld != nullptr) unheld->Add(value, wanted);
      continue;
    }
    const double error = std::fabs(value - wanted);
    if (error == 0) continue;
    const bool excused =
        output.sensitivity != nullptr && error <= kSlackFactor * (*output.sensitivity)[i];
    if (excused) continue;
    for (size_t unit = 0; unit < kUnits.size(); ++unit) {
      const double part = error / (kUnits[unit] * output.scale + std::fabs(wanted));
      errors.by_unit[unit] = std::max(errors.by_unit[unit], part);
    }
    if (error <= UnitInLastPlace(dtype, wanted)) continue;
    const double allowed =
        output.now.absolute * output.scale + output.now.relative * std::fabs(wanted);
    errors.of_now = std::max(errors.of_now, error / allowed);
    if (error <= allowed) continue;
    errors.lost = std::max(errors.lost, error / (output.magnitude + std::fabs(wanted)));
  }
}

// To two digits, as task.toml has it.
double RoundedUp(double value) {
  if (!(value > 0)) return 0;
  const double step = std::pow(10.0, std::floor(std::log10(value)) - 1);
  // A value that has two digits already stays as it is.
  return std::stod(fmt::format("{:.1e}", std::ceil(value / step - 1e-6) * step));
}

double Median(std::vector<double> values) { return Percentile(std::move(values), 0.5); }

class Calibrator {
 public:
  Calibrator(const Task& task, const std::vector<Case>& cases, Reference& reference,
             std::vector<CalibrationMember> members)
      : task_(task), cases_(cases), reference_(reference) {
    calibration_.members = std::move(members);
    for (const CalibrationMember& member : calibration_.members) {
      if (variants_.contains(member.source)) continue;
      variants_[member.source] = MemberTask(task, member.source, calibration_.members);
    }
  }

  Result<Calibration> Run() {
    for (const Tensor& output : task_.outputs) {
      if (IsFloat(output.dtype)) samples_.try_emplace(output.dtype);
    }
    for (const Case& c : cases_) KW_TRY(Take(c));
    for (auto& [dtype, samples] : samples_) {
      KW_ASSIGN(ToleranceProposal proposal, Propose(dtype, samples));
      calibration_.proposals.push_back(std::move(proposal));
    }
    return std::move(calibration_);
  }

 private:
  JudgedOutput OutputAt(size_t i, const Expected& expected) const {
    JudgedOutput output;
    output.tensor = &task_.outputs[i];
    output.expected = &expected.floats[i];
    output.scale = expected.ScaleOf(i);
    output.now = ToleranceOf(task_, output.tensor->dtype);
    return output;
  }
  Result<Expected> Compute(const Case& c, const CaseInputs& inputs, size_t member) {
    const Task& variant = variants_.at(calibration_.members[member].source);
    auto got = reference_.EvaluateOn(variant, VariantCase(c, member), inputs);
    if (got) return got;
    return Fail(std::move(got).error().While(
        fmt::format("computing '{}' as '{}' does, with another type in place of double "
                    "(docs/design/calibration.md says what cannot stand for one)",
                    task_.name, calibration_.members[member].name)));
  }

  Result<void> Take(const Case& c) {
    KW_ASSIGN(const std::shared_ptr<const Expected> expected, reference_.Evaluate(task_, c));
    KW_ASSIGN(const CaseInputs inputs, GenerateInputs(task_, c));
    for (auto& [dtype, samples] : samples_) {
      samples.push_back({.c = &c, .members = {}, .magnitude = 0, .scale = 1, .unexcused = false});
      samples.back().members.resize(calibration_.members.size());
    }
    Describe(c, *expected);
    for (size_t member = 0; member < calibration_.members.size(); ++member) {
      KW_ASSIGN(const Expected got, Compute(c, inputs, member));
      const int64_t overflows = got.integers.back().at(0);
      for (size_t i = 0; i < task_.outputs.size(); ++i) {
        Compare(c, i, member, *expected, got, overflows);
      }
    }
    return {};
  }

  // How large the outputs are, and what of them their dtype does not hold.
  void Describe(const Case& c, const Expected& expected) {
    std::map<DType, std::pair<double, int64_t>> sums;
    for (size_t i = 0; i < task_.outputs.size(); ++i) {
      const Tensor& tensor = task_.outputs[i];
      if (!IsFloat(tensor.dtype)) continue;
      const double largest = LargestFinite(tensor.dtype);
      Differences beyond;
      for (const double value : expected.floats[i]) {
        if (std::isfinite(value) && std::fabs(value) > largest) {
          beyond.Add(value, value);
        } else if (std::isfinite(value)) {
          sums[tensor.dtype].first += std::fabs(value);
          ++sums[tensor.dtype].second;
        }
      }
      CaseSample& sample = samples_[tensor.dtype].back();
      sample.scale = std::max(sample.scale, OutputAt(i, expected).scale);
      if (beyond.count == 0) continue;
      calibration_.unheld.push_back(
          {c, tensor.name, "",
           fmt::format("{} of {} elements are beyond {}, the first is {:.6g}", beyond.count,
                       expected.floats[i].size(), DTypeName(tensor.dtype), beyond.expected)});
    }
    for (const auto& [dtype, sum] : sums) {
      samples_[dtype].back().magnitude = sum.first / static_cast<double>(sum.second);
    }
  }

  void Compare(const Case& c, size_t i, size_t member, const Expected& expected,
               const Expected& got, int64_t overflows) {
    const Tensor& tensor = task_.outputs[i];
    Differences unheld;
    if (IsFloat(tensor.dtype)) {
      CaseSample& sample = samples_[tensor.dtype].back();
      MemberErrors& errors = sample.members[member];
      JudgedOutput output = OutputAt(i, expected);
      output.magnitude = sample.magnitude;
      Measure(output, got.floats[i], errors, &unheld);
      if (overflows > 0 && errors.lost > kLost) errors.held = false;
      if (!errors.held && unheld.count == 0) {
        Keep(
            c, i, member,
            fmt::format("results on the way overflow ({} of them), and an element is off by {:.2g} "
                        "of its size",
                        overflows, errors.lost));
      }
    } else if (tensor.selects.empty()) {
      for (size_t k = 0; k < got.integers[i].size(); ++k) {
        if (got.integers[i][k] == expected.integers[i][k]) continue;
        unheld.Add(static_cast<double>(got.integers[i][k]),
                   static_cast<double>(expected.integers[i][k]));
      }
    }
    if (unheld.count == 0) return;
    const size_t elements = std::max(got.floats[i].size(), got.integers[i].size());
    Keep(c, i, member,
         fmt::format("{} of {} elements differ, the first is {:.6g} where the reference has {:.6g}",
                     unheld.count, elements, unheld.got, unheld.expected));
  }
  void Keep(const Case& c, size_t output, size_t member, std::string what) {
    calibration_.unheld.push_back(
        {c, task_.outputs[output].name, calibration_.members[member].name, std::move(what)});
  }

  bool Counts(const CaseSample& sample, size_t member) const {
    return calibration_.members[member].counts && sample.members[member].held;
  }
  // The largest error of all members that count.
  double LargestOf(const CaseSample& sample, size_t unit) const {
    double largest = 0;
    for (size_t member = 0; member < sample.members.size(); ++member) {
      if (!Counts(sample, member)) continue;
      largest = std::max(largest, sample.members[member].by_unit[unit]);
    }
    return largest;
  }
  double P95(const std::vector<CaseSample>& samples, size_t unit) const {
    std::vector<double> largest;
    for (const CaseSample& sample : samples) largest.push_back(LargestOf(sample, unit));
    return Percentile(std::move(largest), kShare);
  }

  // Cases of ordinary values say how large elements usually are.
  static std::vector<const CaseSample*> OrdinaryOf(const std::vector<CaseSample>& samples) {
    std::vector<const CaseSample*> ordinary, all;
    for (const CaseSample& sample : samples) {
      if (sample.magnitude == 0) continue;
      all.push_back(&sample);
      if (sample.c->group == "original") ordinary.push_back(&sample);
    }
    return ordinary.empty() ? all : ordinary;
  }

  // The unit whose tolerance allows least, in the geometric mean over the cases, at an element of
  // each case's usual size. Outputs that all but vanish count as small ones.
  size_t ChooseUnit(const std::vector<CaseSample>& samples, double least) const {
    constexpr double kVanishing = 1e-2;  // of the median size
    std::vector<double> sizes;
    for (const CaseSample& sample : samples) {
      if (sample.magnitude > 0) sizes.push_back(sample.magnitude / sample.scale);
    }
    const double smallest = kVanishing * Median(sizes);
    std::array<double, kUnits.size()> allowed{};
    for (size_t unit = 0; unit < kUnits.size(); ++unit) {
      double logarithms = 0;
      for (const double size : sizes)
        logarithms += std::log1p(kUnits[unit] / std::max(size, smallest));
      const double mean = sizes.empty() ? 0 : logarithms / static_cast<double>(sizes.size());
      allowed[unit] = std::max(P95(samples, unit), least) * std::exp(mean);
    }
    const double tightest = *std::min_element(allowed.begin(), allowed.end());
    for (size_t unit = 0; unit < kUnits.size(); ++unit) {
      if (allowed[unit] <= tightest * kNearlyAsTight) return unit;
    }
    return 0;
  }

  // A case measured again, without the elements that their sensitivity excuses.
  Result<std::vector<MemberErrors>> MeasureUnexcused(const CaseSample& sample, DType dtype) {
    const Case& c = *sample.c;
    KW_ASSIGN(const std::shared_ptr<const Expected> expected, reference_.Evaluate(task_, c));
    KW_ASSIGN(const CaseInputs inputs, GenerateInputs(task_, c));
    KW_ASSIGN(const auto sensitivity, reference_.Sensitivity(task_, c));
    std::vector<MemberErrors> unexcused(sample.members.size());
    for (size_t member = 0; member < unexcused.size(); ++member) {
      unexcused[member].held = sample.members[member].held;
      if (!Counts(sample, member)) continue;
      KW_ASSIGN(const Expected got, Compute(c, inputs, member));
      for (size_t i = 0; i < task_.outputs.size(); ++i) {
        if (task_.outputs[i].dtype != dtype) continue;
        JudgedOutput output = OutputAt(i, *expected);
        if (!sensitivity.empty()) output.sensitivity = &sensitivity[i];
        Measure(output, got.floats[i], unexcused[member], nullptr);
      }
    }
    return unexcused;
  }

  // Cases with errors far beyond the others': where that is their elements' condition, as in a
  // constant row whose mean is taken off, they are no measure of the arithmetic.
  Result<void> LeaveOutIllConditioned(DType dtype, size_t unit, std::vector<CaseSample>& samples) {
    constexpr double kFarBeyond = 10;
    std::vector<double> largest;
    for (const CaseSample& sample : samples) largest.push_back(LargestOf(sample, unit));
    const double usual = Median(std::move(largest));
    for (CaseSample& sample : samples) {
      if (LargestOf(sample, unit) <= kFarBeyond * usual) continue;
      KW_ASSIGN(sample.members, MeasureUnexcused(sample, dtype));
      sample.unexcused = true;
    }
    return {};
  }

  Result<ToleranceProposal> Propose(DType dtype, std::vector<CaseSample>& samples) {
    ToleranceProposal proposal;
    proposal.dtype = dtype;
    proposal.now = ToleranceOf(task_, dtype);
    // The rule allows a unit in the last place whatever the tolerance.
    const double least = UnitInLastPlace(dtype, 1);
    const size_t unit = ChooseUnit(samples, least);
    proposal.unit = kUnits[unit];
    KW_TRY(LeaveOutIllConditioned(dtype, unit, samples));
    proposal.p95 = P95(samples, unit);
    proposal.floored = proposal.p95 < least;
    double relative = kMargin * std::max(proposal.p95, least);
    for (const CaseSample& sample : samples) {
      KW_TRY(TakeWorst(sample, unit, relative, proposal));
      proposal.cases.push_back({*sample.c, {}});
      for (const MemberErrors& errors : sample.members) {
        proposal.cases.back().largest.push_back(
            errors.held ? errors.by_unit[unit] : std::numeric_limits<double>::quiet_NaN());
      }
    }
    proposal.raised = kWorstMargin * proposal.worst > relative;
    if (proposal.raised) relative = kWorstMargin * proposal.worst;
    // Beyond 1 anything would pass, and the loader refuses it.
    proposal.proposed = {.absolute = RoundedUp(relative * proposal.unit),
                         .relative = std::min(RoundedUp(relative), 0.99)};
    proposal.exact = proposal.worst == 0 && proposal.p95 == 0;
    if (proposal.exact) proposal.proposed = kExact;
    std::vector<double> ratios;
    for (const CaseSample* sample : OrdinaryOf(samples)) {
      const auto allows = [&](const Tolerance& tolerance) {
        return tolerance.absolute + tolerance.relative * sample->magnitude;
      };
      ratios.push_back(allows(proposal.now) / allows(proposal.proposed));
    }
    proposal.now_ratio = Median(std::move(ratios));
    return proposal;
  }

  Result<void> TakeWorst(const CaseSample& sample, size_t unit, double relative,
                         ToleranceProposal& proposal) {
    std::vector<MemberErrors> members = sample.members;
    const auto of_now = [&] {
      double largest = 0;
      for (size_t i = 0; i < members.size(); ++i) {
        if (Counts(sample, i)) largest = std::max(largest, members[i].of_now);
      }
      return largest;
    };
    const bool beyond = kWorstMargin * LargestOf(sample, unit) > relative || of_now() > 1;
    if (beyond && !sample.unexcused) {
      KW_ASSIGN(members, MeasureUnexcused(sample, proposal.dtype));
    }
    proposal.now_used = std::max(proposal.now_used, of_now());
    for (size_t i = 0; i < members.size(); ++i) {
      if (!Counts(sample, i) || members[i].by_unit[unit] <= proposal.worst) continue;
      proposal.worst = members[i].by_unit[unit];
      proposal.worst_case = sample.c->id;
      proposal.worst_member = calibration_.members[i].name;
    }
    return {};
  }

  const Task& task_;
  const std::vector<Case>& cases_;
  Reference& reference_;
  std::map<std::string, Task> variants_;  // by source
  Calibration calibration_;
  std::map<DType, std::vector<CaseSample>> samples_;
};

}  // namespace

double Percentile(std::vector<double> values, double share) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const double rank = std::ceil(share * static_cast<double>(values.size()) - 1e-9);
  return values[static_cast<size_t>(std::max(rank, 1.0)) - 1];
}

Result<Calibration> Calibrate(const Task& task, const std::vector<Case>& cases,
                              Reference& reference, std::vector<CalibrationMember> members) {
  return Calibrator(task, cases, reference, std::move(members)).Run();
}

std::string ToleranceText(const Calibration& calibration) {
  std::string absolute, relative;
  for (const ToleranceProposal& proposal : calibration.proposals) {
    absolute += fmt::format("{} = {:.2g}\n", DTypeName(proposal.dtype), proposal.proposed.absolute);
    relative += fmt::format("{} = {:.2g}\n", DTypeName(proposal.dtype), proposal.proposed.relative);
  }
  if (absolute.empty()) return "";
  return "[tolerance]\n" + absolute + "\n[tolerance.relative]\n" + relative;
}

}  // namespace kw::eval
