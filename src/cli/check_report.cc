#include "check_report.h"

#include <fmt/format.h>

#include <algorithm>

#include "kw/base.h"
#include "kw/base/json.h"

namespace kw::cli {
namespace {

using eval::CheckReport;

constexpr const char* StatusName(CheckReport::Status status) {
  switch (status) {
    case CheckReport::Status::kClean:
      return "clean";
    case CheckReport::Status::kFindings:
      return "findings";
    case CheckReport::Status::kNotRun:
      break;
  }
  return "not_run";
}

std::string Indented(const std::string& text) {
  std::string indented;
  for (const std::string_view line : Lines(text)) indented += fmt::format("  {}\n", line);
  return indented;
}

std::string Section(const std::string& title, const std::string& text) {
  return text.empty() ? "" : fmt::format("{}:\n{}", title, Indented(ToValidUtf8(text)));
}

constexpr size_t kNameBytes = 160;  // shown of a kernel's: templates make long ones

std::string Count(size_t number, const std::string& what) {
  return fmt::format("{} {}{}", number, what, number == 1 ? "" : "s");
}

// ", seen with 1 of 2 seeds", where not all saw it.
std::string SeedsText(int seeds, size_t runs) {
  if (static_cast<size_t>(seeds) == runs) return "";
  return fmt::format(", with {} of {} seeds", seeds, runs);
}

std::string Point(const eval::Dim3& at) { return fmt::format("({}, {}, {})", at.x, at.y, at.z); }

// Without the place at the end, which stands before it.
std::string_view Sentence(const eval::Hazard& hazard) {
  const std::string_view text = hazard.text;
  return text.substr(0, text.rfind(" [" + hazard.kernel));
}

std::string HazardsText(const CheckReport& report) {
  std::string text;
  for (const auto& [hazard, seeds] : report.hazards) {
    const std::string place =
        hazard.line > 0 ? fmt::format(" at {}:{}", hazard.file, hazard.line) : "";
    text +=
        fmt::format("{}{} in {}, block {}, thread {}{}\n    {}\n", hazard.kind, place,
                    Shorten(hazard.kernel, kNameBytes), Point(hazard.block), Point(hazard.thread),
                    SeedsText(seeds, report.runs.size()), Sentence(hazard));
  }
  return text;
}

std::string CallsText(const CheckReport& report) {
  std::string text;
  for (const auto& [failure, place, seeds] : report.calls) {
    text += fmt::format("{}{}: {} returned {}{}{}\n    {}\n",
                        failure.launch ? "launch_error" : "api_error",
                        place.empty() ? "" : " at " + place, failure.call, failure.error,
                        failure.looked_at ? "" : ", and nothing asked for it",
                        SeedsText(seeds, report.runs.size()), failure.text);
  }
  return text;
}

std::string LeaksText(const CheckReport& report) {
  constexpr size_t kShown = 20;
  std::string text;
  for (size_t i = 0; i < report.leaks.size() && i < kShown; ++i) {
    const auto& [name, bytes, place] = report.leaks[i];
    text += fmt::format("leak{}: {}, {}, was never freed\n", place.empty() ? "" : " at " + place,
                        name, Count(bytes, "byte"));
  }
  if (report.leaks.size() > kShown) {
    text += fmt::format("... and {} more\n", Count(report.leaks.size() - kShown, "leak"));
  }
  return text;
}

std::string KernelsText(const CheckReport& report) {
  std::string text;
  for (const eval::CheckedKernel& kernel : report.kernels) {
    text += fmt::format(
        "{}: {}, {:.2f} us modelled\n", Shorten(kernel.name, kNameBytes),
        kernel.launches == 1 ? "1 launch" : fmt::format("{} launches", kernel.launches), kernel.us);
  }
  return text;
}

std::string Summary(const CheckReport& report) {
  if (report.status == CheckReport::Status::kClean) return "nothing found";
  std::vector<std::string> parts;
  size_t launches = 0;
  for (const eval::CheckedCall& call : report.calls) launches += call.failure.launch;
  const size_t calls = report.calls.size() - launches;
  if (!report.hazards.empty()) parts.push_back(Count(report.hazards.size(), "hazard"));
  if (launches > 0) parts.push_back(Count(launches, "launch error"));
  if (calls > 0) parts.push_back(Count(calls, "error") + " that nobody looked at");
  if (!report.leaks.empty()) parts.push_back(Count(report.leaks.size(), "leak"));
  if (!report.crash.empty()) parts.push_back("a failed program");
  return "found: " + Join(parts, ", ");
}

Json Point3(const eval::Dim3& at) { return Json::array({at.x, at.y, at.z}); }

}  // namespace

std::string DescribeCheck(const CheckReport& report, const eval::CheckRequest& request,
                          const eval::DeviceSheet& sheet) {
  std::string text = Section("standard output", report.printed.out) +
                     Section("standard error", report.printed.err) +
                     Section("printed by kernels", report.device_printed);
  if (report.printed.dropped > 0) {
    text += fmt::format("({} bytes of output are not shown)\n", report.printed.dropped);
  }
  text += Section("kernels", KernelsText(report));
  std::string findings = HazardsText(report) + CallsText(report) + LeaksText(report);
  if (!report.crash.empty()) findings += report.crash + "\n";
  text += Section("findings", findings);
  const bool faulted =
      std::any_of(report.runs.begin(), report.runs.end(), [](const eval::CheckedRun& run) {
        return run.status == eval::CallOutcome::Status::kDeviceFault;
      });
  if (faulted)
    text += "note: the fault ended the run: what would have come after it is unchecked\n";
  if (report.left_undone > 0) {
    text += fmt::format("note: nothing waited for {}: run at the program's end all the same\n",
                        Count(report.left_undone, "queued operation"));
  }
  if (!report.problem.empty()) {
    text += fmt::format("{} {}: {}\n", request.name,
                        report.runs.empty() ? "cannot be checked" : "was not checked to its end",
                        report.problem);
  }
  if (report.status == CheckReport::Status::kNotRun) return text;
  return text + fmt::format("{} on {}, {}: {}\n", request.name, sheet.name,
                            Count(report.runs.size(), "seed"), Summary(report));
}

std::string CheckToJson(const CheckReport& report, const eval::CheckRequest& request,
                        const eval::DeviceSheet& sheet) {
  Json json = {{"version", 1},
               {"file", request.name},
               {"device", sheet.name},
               {"timing_kind", "modelled"},
               {"status", StatusName(report.status)},
               {"problem", report.problem},
               {"hazards", Json::array()},
               {"calls", Json::array()},
               {"leaks", Json::array()},
               {"crash", report.crash},
               {"left_undone", report.left_undone},
               {"kernels", Json::array()},
               {"runs", Json::array()},
               {"stdout", report.printed.out},
               {"stderr", report.printed.err},
               {"device_stdout", report.device_printed},
               {"output_dropped", report.printed.dropped}};
  for (const auto& [hazard, seeds] : report.hazards) {
    json["hazards"].push_back({{"kind", hazard.kind},
                               {"kernel", hazard.kernel},
                               {"file", hazard.file},
                               {"line", hazard.line},
                               {"block", Point3(hazard.block)},
                               {"thread", Point3(hazard.thread)},
                               {"address", hazard.address},
                               {"text", hazard.text},
                               {"seeds", seeds}});
  }
  for (const auto& [failure, place, seeds] : report.calls) {
    json["calls"].push_back({{"kind", failure.launch ? "launch_error" : "api_error"},
                             {"call", failure.call},
                             {"error", failure.error},
                             {"place", place},
                             {"looked_at", failure.looked_at},
                             {"text", failure.text},
                             {"seeds", seeds}});
  }
  for (const auto& [name, bytes, place] : report.leaks) {
    json["leaks"].push_back({{"name", name}, {"bytes", bytes}, {"place", place}});
  }
  for (const eval::CheckedKernel& kernel : report.kernels) {
    json["kernels"].push_back({{"name", kernel.name},
                               {"launches", kernel.launches},
                               {"lane_instructions", kernel.lane_instructions},
                               {"us", kernel.us}});
  }
  for (const eval::CheckedRun& run : report.runs) {
    json["runs"].push_back(
        {{"seed", run.seed}, {"exit_code", run.exit_code}, {"message", run.message}});
  }
  return DumpJson(json);
}

}  // namespace kw::cli
