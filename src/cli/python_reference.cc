#include "python_reference.h"

#include <fmt/format.h>

#include "kw/base/json.h"
#include "kw/base/process.h"

namespace kw::cli {
namespace {

using eval::CheckStep;

constexpr char kName[] = "python reference";

std::string DigestPath(const eval::Task& task) { return task.folder + "/python.digest"; }

CheckStep StepOf(CheckStep::State state, std::string text) {
  return {state, kName, std::move(text)};
}

Result<Json> RunComparison(const eval::Task& task, const std::string& python,
                           const std::string& folder) {
  KW_ASSIGN(const std::string home, ProgramHome());
  ProcessSpec spec{.argv = {python, home + "/data/python/compare_reference.py",
                            task.folder + "/definition.json", folder},
                   .inherit_environment = true};
  for (const eval::Tensor& output : task.outputs) {
    if (!output.selects.empty()) spec.argv.push_back(output.name + "=" + output.selects);
  }
  KW_ASSIGN(const ProcessExit exit, RunProcess(spec));
  const std::string_view line = Trim(exit.out);
  const size_t last = line.rfind('\n');
  auto result =
      ParseJson(line.substr(last == line.npos ? 0 : last + 1), "the comparison with Python");
  if (exit.ok() && result) return result;
  return Fail(ErrorCode::kUnavailable,
              fmt::format("'{}' does not run the comparison (it needs Python 3.10 or later, torch "
                          "and numpy): {}",
                          python, Trim(exit.err.empty() ? exit.out : exit.err)));
}

}  // namespace

Result<CheckStep> CompareWithPython(const eval::Task& task, const std::vector<eval::Case>& cases,
                                    eval::Reference& reference, const std::string& python) {
  KW_ASSIGN(const ScratchDirectory scratch, ScratchDirectory::Make("python-reference"));
  for (const eval::Case& c : cases) {
    KW_ASSIGN(const eval::CaseInputs inputs, eval::GenerateInputs(task, c));
    KW_TRY(DumpCall(task, c, inputs, {}, reference, scratch.path() + "/" + c.id));
  }
  KW_ASSIGN(const Json result, RunComparison(task, python, scratch.path()));
  if (result.contains("error")) {
    return StepOf(CheckStep::State::kFailed,
                  fmt::format("the reference of definition.json raises {}",
                              result.at("error").get<std::string>()));
  }
  const double largest = result.at("largest").get<double>();
  const std::string where = result.at("where").get<std::string>();
  if (largest > result.at("allowed").get<double>()) {
    return StepOf(CheckStep::State::kFailed,
                  fmt::format("definition.json and reference.cpp disagree in float64: {} ({:.2g} "
                              "of the largest elements). One of them is wrong",
                              where, largest));
  }
  return StepOf(CheckStep::State::kOk,
                fmt::format("agrees with reference.cpp in float64 over {} cases, to {:.1g} of the "
                            "largest elements (torch {})",
                            cases.size(), largest, result.at("torch").get<std::string>()));
}

Result<void> KeepPythonDigest(const eval::Task& task, const std::string& digest) {
  return WriteFileAtomic(DigestPath(task), digest + "\n");
}

Result<CheckStep> CompareWithPythonDigest(const eval::Task& task, const std::string& digest) {
  const std::string how = "`kwright tasks check " + task.name + " --python PYTHON`";
  if (!FileExists(DigestPath(task))) {
    return StepOf(CheckStep::State::kWarning,
                  "reference.cpp was not compared with that of definition.json: run " + how);
  }
  KW_ASSIGN(const std::string kept, ReadFile(DigestPath(task), 4096));
  if (Trim(kept) == digest) {
    return StepOf(CheckStep::State::kOk,
                  "reference.cpp says what it said when it was compared with definition.json");
  }
  return StepOf(CheckStep::State::kFailed,
                fmt::format("reference.cpp, a shape or an input has changed since it was compared "
                            "with definition.json: the digest is {}, {} has {}. Run {}",
                            digest, DigestPath(task), Trim(kept), how));
}

}  // namespace kw::cli
