#include "kw/eval/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "findings.h"
#include "kw/base/process.h"
#include "kw/base/text.h"
#include "launch_program.h"

namespace kw::eval {
namespace {

// What is compiled, and how it is entered.
struct Program {
  std::string source;
  std::string entry = "main";
  std::vector<std::string> buffers;  // of launches
};

Result<Program> ProgramOf(const CheckRequest& request) {
  Program program{.source = request.source};
  if (request.launches.empty()) return program;
  std::vector<LaunchExpression> launches;
  for (const std::string& text : request.launches) {
    KW_ASSIGN(LaunchExpression launch, ParseLaunch(text));
    launches.push_back(std::move(launch));
  }
  program.source += LaunchProgram(launches);
  program.entry = kLaunchesEntry;
  program.buffers = LaunchBuffers(launches);
  return program;
}

Result<void> CheckDefinition(const std::string& definition) {
  const std::string name = definition.substr(0, definition.find('='));
  const bool good = !name.empty() && std::isdigit(static_cast<unsigned char>(name[0])) == 0 &&
                    std::all_of(name.begin(), name.end(),
                                [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; });
  if (good) return {};
  return Fail(ErrorCode::kInvalid,
              fmt::format("-D {}: '{}' is no name of a macro (-D NAME or -D NAME=VALUE)",
                          definition, name));
}

CheckReport NotBuilt(const CheckRequest& request, const BuildOutcome& built) {
  const bool linking = built.reason == "link_error";
  CheckReport report;
  report.problem = linking ? "it does not link:\n" : "it does not compile:\n";
  report.problem += WithSourceName(built.feedback, request.name);
  if (linking) {
    report.problem += "\na checked program has the C, C++ and CUDA runtime libraries and no others";
  } else if (built.feedback.find("No such file") != std::string::npos ||
             built.feedback.find("read no other files") != std::string::npos) {
    report.problem += "\n--include DIR names a folder to include from";
  }
  return report;
}

CheckReport NotLoaded(const OpenOutcome& opened, const BuildOutcome& built) {
  CheckReport report;
  report.problem = opened.message;
  if (opened.message.find("no function `main`") != std::string::npos) {
    report.problem += ": say what to launch, --launch 'kernel<<<grid, block>>>(arguments)'";
    for (const KernelResources& kernel : built.resources) {
      report.problem += "\n  a kernel of it: " + Demangled(kernel.kernel);
    }
  }
  return report;
}

// One run; nothing when the program cannot be loaded, which `report` then says.
Result<std::optional<CallOutcome>> RunOnce(const CheckRequest& request, const Program& program,
                                           const BuildOutcome& built, const DeviceSheet& sheet,
                                           uint64_t seed, GuestOutput::Streams* printed,
                                           CheckReport* report) {
  const auto output = std::make_shared<GuestOutput>(request.output_bytes);
  GuestProgram guest{.entry = program.entry, .arguments = {request.name}, .output = output};
  if (program.entry == kLaunchesEntry) {
    guest.arguments.push_back(std::to_string(request.seed));
  } else {
    guest.arguments.insert(guest.arguments.end(), request.arguments.begin(),
                           request.arguments.end());
  }
  const auto device =
      MakeEmulatorDevice({.sheet = sheet, .threads = ProcessorCount(), .program = guest});
  KW_ASSIGN(OpenOutcome opened, device->Open({.object_path = built.object_path,
                                              .seed = seed,
                                              .registers = RegistersOf(built.resources)}));
  if (!opened.session) {
    *report = NotLoaded(opened, built);
    return std::nullopt;
  }
  CallRequest call;
  call.seed = seed;
  call.lane_instruction_budget = request.lane_instruction_budget;
  call.wall_ms = request.wall_ms;
  call.host_cpu_ms = request.wall_ms * 9 / 10;  // so that it shows who took the time
  KW_ASSIGN(CallOutcome outcome, opened.session->Call(call));
  opened.session.reset();
  *printed = output->Take();
  return outcome;
}

}  // namespace

Result<CheckReport> CheckProgram(const CheckRequest& request, Builder& builder,
                                 const DeviceSheet& sheet) {
  KW_ASSIGN(const Program program, ProgramOf(request));
  for (const std::string& definition : request.definitions) KW_TRY(CheckDefinition(definition));
  KW_ASSIGN(const BuildOutcome built,
            builder.BuildCandidate(program.source, {.sm = sheet.sm,
                                                    .include_folders = request.include_folders,
                                                    .definitions = request.definitions,
                                                    .whole_program = true}));
  if (!built.ok) return NotBuilt(request, built);
  Findings findings(request, sheet, built, program.buffers);
  for (int run = 0; run < std::max(1, request.seeds); ++run) {
    const uint64_t seed = request.seed + static_cast<uint64_t>(run);
    GuestOutput::Streams printed;
    CheckReport not_loaded;
    KW_ASSIGN(const std::optional<CallOutcome> outcome,
              RunOnce(request, program, built, sheet, seed, &printed, &not_loaded));
    if (!outcome) return not_loaded;
    if (!findings.Add(seed, *outcome, std::move(printed))) break;
  }
  return findings.Take();
}

}  // namespace kw::eval
