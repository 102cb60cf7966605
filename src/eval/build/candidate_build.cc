#include "candidate_build.h"

#include <fmt/format.h>

#include <algorithm>
#include <future>
#include <thread>

#include "resources.h"

namespace kw::eval {
namespace {

std::string ReplaceAll(std::string text, std::string_view from, std::string_view to) {
  for (size_t at = text.find(from); at != text.npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

}  // namespace

std::vector<Diagnostic> Merged(std::vector<Diagnostic> first,
                               const std::vector<Diagnostic>& second) {
  for (const Diagnostic& diagnostic : second) {
    if (std::find(first.begin(), first.end(), diagnostic) == first.end()) {
      first.push_back(diagnostic);
    }
  }
  return first;
}

Result<std::optional<Compiled>> CandidateBuild::Stepwise(const StepPlan& plan) {
  run_.AddEnvironment(plan.environment);
  Result<Half> device = Half{};
  std::promise<bool> has_fat_binary;
  std::thread device_thread([&] {
    device = RunDevice(plan.device);
    const bool good = device && device->last.ok();
    has_fat_binary.set_value(good);
    // The object does not wait for ptxas.
    if (good && target_.ptx_only) device = CheckPtx(*std::move(device));
  });
  const Result<Half> host = RunHost(plan.host);
  const bool good = has_fat_binary.get_future().get() && host && host->last.ok();
  const Result<Step> object = good ? run_.Execute(plan.object) : Step{};
  device_thread.join();
  if (!device) return Fail(std::move(device).error());
  if (!host) return Fail(host.error());
  if (!device->last.ok() || !host->last.ok()) return ExplainHalves(*host, *device);
  if (!object) return Fail(object.error());
  if (!object->ok()) {
    return run_.Explain(*object, source_, ParseCompilerErrors(object->output, kSourceName),
                        kSourceName);
  }
  return Finish(device->ptxas_output);
}

Result<Compiled> CandidateBuild::Plain(const std::vector<std::string>& flags) {
  StepCommand command = {toolchain_.info.nvcc_path, "--keep", "-c"};
  command.insert(command.end(), flags.begin(), flags.end());
  command.insert(command.end(), {"-o", "kernel.o", kSourceName});
  KW_ASSIGN(Step step, run_.Execute(std::move(command)));
  if (!step.ok()) {
    if (step.output.find("Unsupported gpu architecture") != std::string::npos) {
      return Fail(ErrorCode::kInvalid, fmt::format("nvcc {} does not know compute capability {}",
                                                   toolchain_.info.nvcc_version, target_.sm));
    }
    std::vector<Diagnostic> found =
        Merged(ParseCompilerErrors(step.output, kSourceName), PtxasErrors(step.output));
    KW_ASSIGN(std::optional<Compiled> explained, run_.Explain(step, source_, found, kSourceName));
    return explained ? *explained : Refused("compile_error", TrimRawOutput(step.output));
  }
  KW_ASSIGN(Step ptxas, RunPtxas());
  if (!ptxas.ok()) {
    KW_ASSIGN(std::optional<Compiled> explained,
              run_.Explain(ptxas, source_, PtxasErrors(ptxas.output), kSourceName));
    return explained ? *explained : Refused("compile_error", TrimRawOutput(ptxas.output));
  }
  KW_ASSIGN(std::optional<Compiled> done, Finish(ptxas.output));
  return done ? *done : Refused("link_error", "the object could not be linked");
}

Result<CandidateBuild::Half> CandidateBuild::RunHost(const std::vector<StepCommand>& commands) {
  Half half;
  for (const StepCommand& command : commands) {
    KW_ASSIGN(half.last, run_.Execute(command));
    if (half.last.ok()) continue;
    half.diagnostics = ParseCompilerErrors(half.last.output, kSourceName);
    break;
  }
  return half;
}

Result<CandidateBuild::Half> CandidateBuild::RunDevice(const std::vector<StepCommand>& commands) {
  Half half;
  for (StepCommand command : commands) {
    const bool is_ptxas = StepTool(command) == "ptxas";
    if (is_ptxas) command.insert(command.begin() + 1, "-v");
    const bool is_cicc = StepTool(command) == "cicc";
    KW_ASSIGN(half.last, run_.Execute(std::move(command)));
    if (is_ptxas) half.ptxas_output = half.last.output;
    if (!half.last.ok()) {
      half.diagnostics = is_ptxas ? PtxasErrors(half.last.output)
                                  : ParseCompilerErrors(half.last.output, kSourceName);
      return half;
    }
    if (is_cicc) KW_TRY(RemovePlaceFromPtx());
  }
  return half;
}

Result<CandidateBuild::Half> CandidateBuild::CheckPtx(Half half) {
  KW_ASSIGN(half.last, RunPtxas());
  half.ptxas_output = half.last.output;
  if (!half.last.ok()) half.diagnostics = PtxasErrors(half.last.output);
  return half;
}

// PTX that ptxas refuses would not load on a GPU either; and it says what a kernel needs.
Result<Step> CandidateBuild::RunPtxas() {
  return run_.Execute({toolchain_.ptxas, "-v", fmt::format("-arch=sm_{}", target_.sm), "-m64",
                       "kernel.ptx", "-o", "kernel.check.cubin"});
}

// The .file directives name the scratch folder: without it the same source gives the same bytes.
Result<void> CandidateBuild::RemovePlaceFromPtx() {
  KW_ASSIGN(std::string ptx, run_.Read("kernel.ptx"));
  const std::string escaped = ReplaceAll(ReplaceAll(run_.folder(), "\\", "\\\\"), "\"", "\\\"");
  return run_.Write("kernel.ptx", ReplaceAll(std::move(ptx), escaped + "/", ""));
}

std::vector<Diagnostic> CandidateBuild::PtxasErrors(const std::string& output) {
  Result<std::string> ptx = run_.Read("kernel.ptx");
  return ParsePtxasErrors(output, ptx ? *ptx : "", kSourceName);
}

Result<std::optional<Compiled>> CandidateBuild::ExplainHalves(const Half& host,
                                                              const Half& device) {
  for (const Half* half : {&device, &host}) {
    if (half->last.ok() || half->last.end == Step::End::kFailed) continue;
    return run_.Explain(half->last, source_, {}, kSourceName);
  }
  const Step& failed = device.last.ok() ? host.last : device.last;
  return run_.Explain(failed, source_, Merged(device.diagnostics, host.diagnostics), kSourceName);
}

// By the quick linker where there is one. What it refuses the usual one refuses too, and says why
// in the words that we read.
Result<Step> CandidateBuild::Link() {
  StepCommand usual = {toolchain_.info.gxx_path, "-shared", "-o", "kernel.so", "kernel.o"};
  for (const LibraryFiles& library : libraries_) usual.push_back(library.object);
  usual.insert(usual.end(), {toolchain_.cudart, "-Wl,--no-undefined", "-Wl,--build-id=none"});
  if (!toolchain_.linker.empty()) {
    StepCommand quick = usual;
    quick.push_back("-fuse-ld=" + toolchain_.linker);
    KW_ASSIGN(Step link, run_.Execute(std::move(quick)));
    if (link.end != Step::End::kFailed) return link;
  }
  return run_.Execute(usual);
}

Result<std::optional<Compiled>> CandidateBuild::Finish(const std::string& ptxas_output) {
  KW_ASSIGN(Step link, Link());
  if (!link.ok()) {
    KW_ASSIGN(std::optional<Compiled> refused,
              run_.Explain(link, source_, ParseLinkErrors(link.output), kSourceName));
    if (refused && refused->outcome.reason == "compile_error") {
      refused->outcome.reason = "link_error";
    }
    return refused;
  }
  Compiled compiled;
  compiled.outcome.ok = true;
  compiled.outcome.resources = ParsePtxasResources(ptxas_output);
  KW_ASSIGN(compiled.object, run_.Read("kernel.so"));
  return compiled;
}

}  // namespace kw::eval
