#include "compile.h"

#include <fmt/format.h>

#include <algorithm>

#include "candidate_build.h"
#include "kw/base/file.h"
#include "kw/base/hash.h"
#include "kw/base/process.h"

namespace kw::eval {
namespace {

constexpr char kReferenceName[] = "reference.cpp";

// A build that failed for want of a library that the task does not allow says so.
void NoteLibraries(const BuildTarget& target, BuildOutcome* outcome) {
  const std::string& text = outcome->feedback;
  const bool names_it = text.find("undefined symbol: cublas") != text.npos ||
                        text.find("cublas_v2.h: No such file") != text.npos ||
                        text.find("cublas.h: No such file") != text.npos;
  if (outcome->ok || !names_it) return;
  const bool allowed = std::find(target.libraries.begin(), target.libraries.end(), "cublas") !=
                       target.libraries.end();
  if (target.whole_program) {
    outcome->feedback += "\nThe emulator has cuBLAS for candidates of tasks that allow it only.";
    return;
  }
  outcome->feedback +=
      allowed
          ? "\nOf cuBLAS there is what <cublas_v2.h> declares: include it rather than declaring "
            "its functions, and rather than <cublas.h>."
          : "\nThis task allows no cuBLAS: compute the result in kernels of your own.";
}

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
  // The toolkit's own headers come first.
  for (const LibraryFiles& library : LibrariesOf(target)) {
    flags.insert(flags.end(), {"-Xcompiler", "-idirafter," + library.headers});
  }
  return flags;
}

std::vector<LibraryFiles> Compiler::LibrariesOf(const BuildTarget& target) const {
  const std::string folder =
      config_.libraries.empty() ? ProgramDirectory() + "/lib" : config_.libraries;
  std::vector<LibraryFiles> found;
  for (const std::string& name : target.libraries) {
    LibraryFiles library{fmt::format("{}/lib{}.so.13", folder, name), folder + "/" + name};
    if (FileExists(library.object)) found.push_back(std::move(library));
  }
  return found;
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
  const std::vector<LibraryFiles> libraries = LibrariesOf(target);
  std::vector<std::string> readable = target.include_folders;
  for (const LibraryFiles& library : libraries) {
    readable.insert(readable.end(), {library.object, library.headers});
  }
  KW_ASSIGN(std::unique_ptr<BuildRun> run, BuildRun::Start(toolchain_, config_, readable));
  const std::string hash = ContentHash(source);
  KW_TRY(run->Write(kSourceName, source));
  KW_TRY(run->Write(kModuleIdName,
                    fmt::format("_{}_9_kernel_cu_{}", hash.substr(0, 8), hash.substr(8, 8))));
  const std::vector<std::string> flags = CandidateFlags(target);
  KW_ASSIGN(std::optional<StepPlan> plan, PlanFor(flags, *run));
  CandidateBuild build(*run, toolchain_, source, target, libraries);
  std::optional<Compiled> compiled;
  if (plan) {
    KW_ASSIGN(compiled, build.Stepwise(*plan));
  }
  if (!compiled) {
    KW_ASSIGN(compiled, build.Plain(flags));
  }
  NoteLibraries(target, &compiled->outcome);
  return *std::move(compiled);
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
