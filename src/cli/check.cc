// kwright check: compute-sanitizer without a GPU.
#include "kw/eval/check.h"

#include <filesystem>
#include <iostream>

#include "check_report.h"
#include "commands.h"
#include "kw/base.h"
#include "output.h"

namespace kw::cli {
namespace {

// Headers of templates (cub, thrust) take a compiler half a minute.
constexpr int64_t kCompileSeconds = 180;

struct CheckOptions {
  eval::CheckRequest request;
  std::string file, device = "a100_sxm4";
  int64_t seconds = 60;
  bool json = false;
};

struct Checked {
  eval::CheckReport report;
  eval::DeviceSheet sheet;
};

Result<std::vector<std::string>> Folders(const std::vector<std::string>& given) {
  std::vector<std::string> folders;
  for (const std::string& folder : given) {
    std::error_code error;
    const std::filesystem::path found = std::filesystem::canonical(folder, error);
    if (error || !std::filesystem::is_directory(found)) {
      return Fail(ErrorCode::kNotFound, "--include " + folder + ": there is no such folder");
    }
    folders.push_back(found.string());
  }
  return folders;
}

Result<Checked> Run(CheckOptions& options) {
  eval::CheckRequest& request = options.request;
  KW_ASSIGN(request.source, ReadInput(options.file));
  if (options.file != "-") request.name = std::filesystem::path(options.file).filename().string();
  KW_ASSIGN(request.include_folders, Folders(request.include_folders));
  request.wall_ms = options.seconds * 1000;
  if (!request.launches.empty() && !request.arguments.empty()) {
    return Fail(ErrorCode::kInvalid, "arguments are for main, which --launch does not call");
  }
  KW_ASSIGN(const std::string home, ProgramHome());
  KW_ASSIGN(const std::string cache, CacheDirectory());
  Checked checked;
  KW_ASSIGN(checked.sheet, eval::LoadDeviceSheet(home + "/data/devices", options.device));
  KW_ASSIGN(eval::Builder builder, eval::Builder::Make({.cache = cache + "/build",
                                                        .compile_cpu_seconds = kCompileSeconds,
                                                        .wall_ms = kCompileSeconds * 1000}));
  KW_ASSIGN(checked.report, eval::CheckProgram(request, builder, checked.sheet));
  return checked;
}

int Check(CheckOptions& options) {
  const Result<Checked> checked = Run(options);
  if (!checked) return PrintError(checked.error(), options.json);
  const auto& [report, sheet] = *checked;
  if (options.json) {
    std::cout << CheckToJson(report, options.request, sheet) << "\n";
  } else {
    std::cout << DescribeCheck(report, options.request, sheet);
  }
  switch (report.status) {
    case eval::CheckReport::Status::kClean:
      return kDone;
    case eval::CheckReport::Status::kFindings:
      return kNo;
    case eval::CheckReport::Status::kNotRun:
      break;
  }
  return kTrouble;
}

}  // namespace

void AddCheck(CLI::App& app, Action& action) {
  auto options = std::make_shared<CheckOptions>();
  eval::CheckRequest& request = options->request;
  CLI::App* sub = app.add_subcommand("check", "Look for hazards in a CUDA program, without a GPU");
  sub->add_option("FILE", options->file, "A CUDA source file, or - for the standard input")
      ->required();
  sub->add_option("ARGUMENT", request.arguments, "Behind --: arguments of the program");
  sub->add_option("--launch", request.launches,
                  "For a file without main, repeatable: kernel<<<grid, block, shared>>>(arguments)")
      ->allow_extra_args(false);
  sub->add_option("--device", options->device,
                  "A data sheet of data/devices, or a file of one's own (.toml)")
      ->capture_default_str();
  sub->add_option("--seeds", request.seeds, "Runs, each with another order of blocks and warps")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  sub->add_option("--seed", request.seed, "The first seed")->capture_default_str();
  sub->add_option("-I,--include", request.include_folders,
                  "A folder to include from, repeatable; the compiler can read no other")
      ->allow_extra_args(false);
  sub->add_option("-D", request.definitions, "A macro, repeatable: NAME or NAME=VALUE")
      ->allow_extra_args(false);
  sub->add_option("--seconds", options->seconds, "Time that one run may take")
      ->check(CLI::Range(1, 24 * 3600))
      ->capture_default_str();
  sub->add_option("--instructions", request.lane_instruction_budget,
                  "Instructions of all threads together that one run may take")
      ->capture_default_str();
  sub->add_flag("--json", options->json, "Print the report as JSON");
  sub->footer(
      "Example:\n"
      "  kwright check vector_add.cu\n"
      "  kwright check program.cu -I include -D N=1000 -- 32 64\n"
      "  kwright check kernels.cu --launch 'scale<<<4, 256>>>(f32[1000], out f32[1000], i32 "
      "1000)'\n"
      "Arguments of a launch: f32[1024] (normal values), f32[1024]=0 (filled), out f32[1024]\n"
      "(uninitialised), i32 5, f32 0.5; types f16 bf16 f32 f64 i8 .. u64 bool; a grid or block is\n"
      "4 or (4, 2, 1).\n"
      "The program runs confined: it has no files, no network, no threads, no input.\n"
      "Exit status: 0 nothing found, 1 findings, 2 it could not be built or run.");
  sub->callback([&action, options] { action = [options] { return Check(*options); }; });
}

}  // namespace kw::cli
