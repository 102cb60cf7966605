#include "build_run.h"

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <filesystem>

#include "kw/base/clock.h"
#include "kw/base/process.h"
#include "kw/base/text.h"
#include "readable.h"

namespace kw::eval {
namespace {

constexpr int64_t kFileBytes = 256 << 20;

bool HasAny(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::any_of(words.begin(), words.end(),
                     [&](std::string_view word) { return text.find(word) != text.npos; });
}

Step::End Classify(const ProcessExit& exit, const std::string& output, int64_t cpu_limit_us) {
  if (exit.ok()) return Step::End::kOk;
  if (exit.timed_out) return Step::End::kWall;
  const bool killed = exit.signal == SIGKILL || exit.signal == SIGXCPU ||
                      HasAny(output, {"Killed", "CPU time limit exceeded"});
  if (killed) {
    return exit.cpu_us >= cpu_limit_us * 9 / 10 ? Step::End::kCpu : Step::End::kKilled;
  }
  if (exit.signal == SIGXFSZ || HasAny(output, {"File size limit", "File too large"})) {
    return Step::End::kFileSize;
  }
  if (HasAny(output, {"out of memory", "virtual memory exhausted", "bad_alloc",
                      "Cannot allocate memory", "memory exhausted"})) {
    return Step::End::kMemory;
  }
  if (HasAny(output, {"No space left on device"})) return Step::End::kDisk;
  return Step::End::kFailed;
}

}  // namespace

Compiled Refused(std::string reason, std::string feedback) {
  Compiled compiled;
  compiled.outcome.reason = std::move(reason);
  compiled.outcome.feedback = std::move(feedback);
  return compiled;
}

Result<std::unique_ptr<BuildRun>> BuildRun::Start(const Toolchain& toolchain,
                                                  const BuilderConfig& config,
                                                  const std::vector<std::string>& also_readable) {
  KW_ASSIGN(ScratchDirectory scratch, ScratchDirectory::Make("build"));
  std::error_code error;
  std::string folder = std::filesystem::canonical(scratch.path(), error).string();
  if (error) folder = scratch.path();
  return std::make_unique<BuildRun>(toolchain, config, std::move(scratch), std::move(folder),
                                    also_readable);
}

BuildRun::BuildRun(const Toolchain& toolchain, const BuilderConfig& config,
                   ScratchDirectory scratch, std::string folder,
                   const std::vector<std::string>& also_readable)
    : config_(config),
      scratch_(std::move(scratch)),
      folder_(std::move(folder)),
      environment_(CompilerEnvironment(toolchain, folder_)),
      readable_(ReadableBy(toolchain, also_readable)),
      confinement_(Confinement::Make({.read = readable_, .write = {folder_, "/dev/null"}})),
      cpu_left_us_(config.compile_cpu_seconds * 1'000'000),
      deadline_us_(SystemClock().MonotonicMicros() + config.wall_ms * 1000) {}

Result<void> BuildRun::Write(std::string_view name, std::string_view content) const {
  return WriteFileAtomic(folder_ + "/" + std::string(name), content);
}

Result<std::string> BuildRun::Read(std::string_view name) const {
  return ReadFile(folder_ + "/" + std::string(name), kFileBytes);
}

void BuildRun::AddEnvironment(const std::vector<std::string>& added) {
  for (const std::string& entry : added) {
    const std::string name = entry.substr(0, entry.find('=') + 1);
    std::erase_if(environment_, [&](const std::string& old) { return old.starts_with(name); });
    environment_.push_back(entry);
  }
}

Result<Step> BuildRun::Execute(StepCommand command) {
  const int64_t seconds = std::max<int64_t>(1, (cpu_left_us_ + 999'999) / 1'000'000);
  const int64_t wall_ms =
      std::max<int64_t>(1, (deadline_us_ - SystemClock().MonotonicMicros()) / 1000);
  command[0] = Resolved(command[0]);
  const StepCommand ran = confines_files() ? StepCommand() : command;
  KW_ASSIGN(ProcessExit exit, RunProcess({
                                  .argv = std::move(command),
                                  .environment = environment_,
                                  .directory = folder_,
                                  .no_new_privileges = true,
                                  .expendable = true,
                                  .confinement = confinement_,
                                  .limits = {.cpu_seconds = seconds,
                                             .wall_ms = wall_ms,
                                             .memory_bytes = config_.memory_bytes,
                                             .file_bytes = kFileBytes},
                              }));
  const int64_t left_us = cpu_left_us_ -= exit.cpu_us;
  Step step{.output = exit.err + exit.out};
  step.end = Classify(exit, step.output, seconds * 1'000'000);
  if (const std::optional<std::string> file = TookIn(ran)) {
    // What the step said may quote it.
    step = {Step::End::kFailed,
            fmt::format("{}:1:1: error: {}: Permission denied\n", kSourceName, *file)};
  }
  if (step.ok() && left_us <= 0) step.end = Step::End::kCpu;
  return step;
}

// The file outside of what may be read that a step has taken in, by what preprocessors wrote.
std::optional<std::string> BuildRun::TookIn(const StepCommand& command) const {
  std::vector<std::string> written;
  for (size_t i = 0; i + 1 < command.size(); ++i) {
    if (command[i] == "--keep") written = {"kernel.cpp1.ii", "kernel.cpp4.ii"};
    if (command[i] == "-o" && command[i + 1].ends_with(".ii")) written = {command[i + 1]};
  }
  for (const std::string& name : written) {
    const Result<std::string> text = Read(name);
    if (!text) continue;
    if (auto file = ForeignFile(*text, readable_, folder_)) return file;
  }
  return std::nullopt;
}

Result<std::optional<Compiled>> BuildRun::Explain(const Step& step, const std::string& source,
                                                  const std::vector<Diagnostic>& diagnostics,
                                                  std::string_view name) const {
  std::optional<Compiled> compiled;
  switch (step.end) {
    case Step::End::kOk:
      break;
    case Step::End::kCpu:
      compiled = Refused("compile_timeout",
                         fmt::format("the compiler was stopped after {} s of CPU time: the "
                                     "source takes too long to compile (heavy headers, deep "
                                     "template recursion, or huge unrolled loops)",
                                     config_.compile_cpu_seconds));
      break;
    case Step::End::kWall:
    case Step::End::kKilled:
      compiled = Refused("compile_timeout", "the machine ended the compiler before its limits");
      compiled->outcome.environmental = true;
      break;
    case Step::End::kMemory:
      compiled =
          Refused("compile_error", fmt::format("the compiler needed more than {} MiB of memory",
                                               config_.memory_bytes >> 20));
      break;
    case Step::End::kFileSize:
      compiled = Refused("compile_error",
                         fmt::format("the compiler wrote more than {} MiB", kFileBytes >> 20));
      break;
    case Step::End::kDisk:
      return Fail(ErrorCode::kIo, "the disk of the scratch folder is full: " + folder_);
    case Step::End::kFailed: {
      if (diagnostics.empty()) {
        const std::optional<std::string> refused = RefusedByAssembler(step.output);
        if (refused) compiled = Refused("compile_error", "error: " + *refused);
        break;
      }
      std::vector<Diagnostic> explained = diagnostics;
      for (Diagnostic& diagnostic : explained) {
        if (auto refused = ExplainRefusedFile(diagnostic.message)) diagnostic.message = *refused;
      }
      compiled = Refused("compile_error", FormatDiagnostics(explained, source, name));
      break;
    }
  }
  return compiled;
}

// Tools are named without a folder in nvcc's steps; they are looked up in the steps' own PATH.
std::string BuildRun::Resolved(const std::string& program) const {
  if (program.find('/') != std::string::npos) return program;
  for (const std::string& entry : environment_) {
    if (!entry.starts_with("PATH=")) continue;
    for (std::string_view folder : Split(std::string_view(entry).substr(5), ':')) {
      std::string found = FindProgram(std::string(folder) + "/" + program);
      if (!found.empty()) return found;
    }
  }
  return program;
}

}  // namespace kw::eval
