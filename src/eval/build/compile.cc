#include "compile.h"

#include <fmt/format.h>

#include "candidate_build.h"
#include "kw/base/hash.h"

namespace kw::eval {
namespace {

constexpr char kReferenceName[] = "reference.cpp";

}  // namespace

std::vector<std::string> Compiler::CandidateFlags(const BuildTarget& target) const {
  const char* code = target.ptx_only ? "compute" : "sm";
  std::vector<std::string> flags = {
      "-std=c++17", "-O3",
      "-lineinfo",  "-w",
      "-Xcompiler", "-fPIC",
      "-cudart",    "shared",
      "-gencode",   fmt::format("arch=compute_{},code={}_{}", target.sm, code, target.sm)};
  if (target.whole_program) {
    flags.insert(flags.end(),
                 {"-Xcompiler", "-g", "--extended-lambda", "--expt-relaxed-constexpr"});
  }
  for (const std::string& folder : target.include_folders) flags.push_back("-I" + folder);
  for (const std::string& definition : target.definitions) flags.push_back("-D" + definition);
  return flags;
}

std::vector<std::string> Compiler::ReferenceFlags() const {
  return {"-std=c++17", "-O2",   "-ffp-contract=off",  "-w",
          "-shared",    "-fPIC", "-Wl,--no-undefined", "-Wl,--build-id=none"};
}

Result<std::optional<StepPlan>> Compiler::PlanFor(const std::vector<std::string>& flags,
                                                  BuildRun& run) {
  std::lock_guard lock(mutex_);
  auto known = plans_.find(flags);
  if (known != plans_.end()) return known->second;
  StepCommand command = {toolchain_.info.nvcc_path, "--dryrun", "--keep", "-c"};
  command.insert(command.end(), flags.begin(), flags.end());
  command.insert(command.end(), {"-o", "kernel.o", kSourceName});
  KW_ASSIGN(Step step, run.Execute(std::move(command)));
  std::optional<StepPlan> plan;
  if (step.ok() && !toolchain_.ptxas.empty()) plan = ParseDryRun(step.output);
  // A dry run that the machine ended says nothing about the next one.
  if (step.ok() || step.end == Step::End::kFailed) plans_[flags] = plan;
  return plan;
}

Result<Compiled> Compiler::Candidate(const std::string& source, const BuildTarget& target) {
  KW_ASSIGN(std::unique_ptr<BuildRun> run,
            BuildRun::Start(toolchain_, config_, target.include_folders));
  const std::string hash = ContentHash(source);
  KW_TRY(run->Write(kSourceName, source));
  KW_TRY(run->Write(kModuleIdName,
                    fmt::format("_{}_9_kernel_cu_{}", hash.substr(0, 8), hash.substr(8, 8))));
  const std::vector<std::string> flags = CandidateFlags(target);
  KW_ASSIGN(std::optional<StepPlan> plan, PlanFor(flags, *run));
  CandidateBuild build(*run, toolchain_, source, target);
  if (plan) {
    KW_ASSIGN(std::optional<Compiled> compiled, build.Stepwise(*plan));
    if (compiled) return *std::move(compiled);
  }
  return build.Plain(flags);
}

Result<Compiled> Compiler::Reference(const std::string& source) {
  KW_ASSIGN(std::unique_ptr<BuildRun> run, BuildRun::Start(toolchain_, config_));
  KW_TRY(run->Write(kReferenceName, source));
  const auto compile = [&](std::vector<std::string> more) {
    StepCommand command = {toolchain_.info.gxx_path};
    for (const auto& flags : {ReferenceFlags(), std::move(more)}) {
      command.insert(command.end(), flags.begin(), flags.end());
    }
    command.push_back(kReferenceName);
    return run->Execute(std::move(command));
  };
  Step step;
  // What it includes is seen before it is compiled.
  if (!run->confines_files()) {
    KW_ASSIGN(step, compile({"-E", "-o", "reference.ii"}));
  }
  if (step.ok()) {
    KW_ASSIGN(step, compile({"-o", "reference.so"}));
  }
  if (!step.ok()) {
    const std::vector<Diagnostic> found =
        Merged(ParseCompilerErrors(step.output, kReferenceName), ParseLinkErrors(step.output));
    KW_ASSIGN(std::optional<Compiled> explained, run->Explain(step, source, found, kReferenceName));
    return explained ? *explained : Refused("compile_error", TrimRawOutput(step.output));
  }
  Compiled compiled;
  compiled.outcome.ok = true;
  KW_ASSIGN(compiled.object, run->Read("reference.so"));
  return compiled;
}

}  // namespace kw::eval
