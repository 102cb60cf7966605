#include "findings.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "kw/base/text.h"
#include "kw/eval/timing.h"
#include "source_places.h"

namespace kw::eval {
namespace {

using Ended = CallOutcome::Status;

constexpr char kNoFiles[] =
    " (a checked program has no files, no network, no threads and no other processes)";

bool IsSame(const Hazard& a, const Hazard& b) {
  return a.kind == b.kind && a.kernel == b.kernel && a.file == b.file && a.line == b.line;
}
bool IsSame(const CallFailure& a, const CallFailure& b) {
  return a.call == b.call && a.error == b.error && a.site == b.site;
}

// Adds what one seed's run shows to a list of findings, each of which counts its seeds.
template <class Finding>
class SeedCount {
 public:
  explicit SeedCount(std::vector<Finding>& all) : all_(all), counted_(all.size()) {}

  template <class IsSameAs>
  void Add(Finding fresh, IsSameAs is_same) {
    const auto known = std::find_if(all_.begin(), all_.end(), is_same);
    if (known == all_.end()) {
      all_.push_back(std::move(fresh));
      counted_.push_back(true);
      return;
    }
    const auto index = static_cast<size_t>(known - all_.begin());
    if (!counted_[index]) ++known->seeds;
    counted_[index] = true;
  }

 private:
  std::vector<Finding>& all_;
  std::vector<bool> counted_;
};

}  // namespace

std::string WithSourceName(std::string text, const std::string& name) {
  constexpr std::string_view kBuilt = "kernel.cu";
  const auto in_name = [&](size_t at) {
    return at < text.size() && (std::isalnum(static_cast<unsigned char>(text[at])) != 0 ||
                                text[at] == '_' || text[at] == '-' || text[at] == '.');
  };
  for (size_t at = text.find(kBuilt); at != text.npos; at = text.find(kBuilt, at)) {
    const size_t end = at + kBuilt.size();
    if ((at > 0 && in_name(at - 1)) || (in_name(end) && text[end] != '.')) {
      at = end;
      continue;
    }
    text.replace(at, kBuilt.size(), name);
    at += name.size();
  }
  return text;
}

bool Findings::Add(uint64_t seed, const CallOutcome& outcome, GuestOutput::Streams printed) {
  if (report_.runs.empty()) {
    report_.printed = std::move(printed);
    report_.device_printed = outcome.printed;
    AddKernels(outcome.launches);
    AddLeaks(outcome.program);
  }
  const ProgramTrace& trace = outcome.program;
  for (size_t i = 0; i < trace.allocations.size(); ++i) {
    allocations_.try_emplace(trace.allocations[i].name, i, trace.allocations[i].site);
  }
  AddHazards(outcome.hazards);
  AddCalls(trace);
  report_.left_undone = std::max(report_.left_undone, trace.left_undone);
  report_.runs.push_back({seed, outcome.status, trace.exit_code, EndOf(outcome)});
  return report_.problem.empty();
}

void Findings::AddKernels(const std::vector<LaunchRecord>& launches) {
  std::map<std::string, size_t> known;
  for (const LaunchRecord& launch : launches) {
    const auto [found, fresh] = known.try_emplace(launch.kernel, report_.kernels.size());
    if (fresh) report_.kernels.push_back({.name = Demangled(launch.kernel)});
    CheckedKernel& kernel = report_.kernels[found->second];
    ++kernel.launches;
    kernel.lane_instructions += launch.counters.lane_instructions;
    kernel.us += ModelLaunch(sheet_, launch, built_.resources).us;
  }
}

void Findings::AddHazards(const std::vector<Hazard>& hazards) {
  SeedCount count(report_.hazards);
  for (const Hazard& hazard : hazards) {
    count.Add({hazard, 1},
              [&](const CheckedHazard& other) { return IsSame(other.hazard, hazard); });
  }
}

void Findings::AddCalls(const ProgramTrace& trace) {
  SeedCount count(report_.calls);
  for (const CallFailure& failure : trace.failures) {
    // Who gives up at once has seen the error, whatever it did with it.
    const bool gave_up = failure.last && trace.exit_code > 0;
    if (!failure.launch && (failure.looked_at || gave_up)) continue;
    count.Add({failure, "", 1},
              [&](const CheckedCall& other) { return IsSame(other.failure, failure); });
  }
}

// Of a program that came to its end: one that was stopped, or that gives up, frees nothing.
void Findings::AddLeaks(const ProgramTrace& trace) {
  if (trace.exit_code != 0) return;
  for (const DeviceAllocation& allocation : trace.allocations) {
    if (allocation.freed) continue;
    report_.leaks.push_back({allocation.name, allocation.bytes, ""});
    leak_sites_[allocation.name] = allocation.site;
  }
}

std::string Findings::EndOf(const CallOutcome& outcome) {
  std::string& crash = report_.crash;
  switch (outcome.status) {
    case Ended::kGuestExited:
      if (outcome.program.exit_code != 0 && crash.empty()) {
        crash = fmt::format("the program ended with exit status {}{}", outcome.program.exit_code,
                            kNoFiles);
      }
      return "";
    case Ended::kGuestCrashed:
      if (crash.empty()) {
        crash = outcome.message;
        if (crash.find("device memory") == crash.npos) crash += kNoFiles;
      }
      return outcome.message;
    case Ended::kDeviceFault:
      return outcome.message;
    case Ended::kHostLimit:
      report_.problem = fmt::format("its host code ran for {} s: --seconds gives it more time",
                                    request_.wall_ms / 1000);
      break;
    case Ended::kWallLimit:
      report_.problem = fmt::format(
          "it ran for {} s: a kernel or host code that does not end, or more than an emulator can "
          "do (--seconds gives it more time; smaller sizes and fewer repetitions need less)",
          request_.wall_ms / 1000);
      break;
    case Ended::kDeviceLimit:
      report_.problem = fmt::format("{} (--instructions {} was given)", outcome.message,
                                    request_.lane_instruction_budget);
      break;
    case Ended::kUnsupported:
    case Ended::kHostMemory:
    case Ended::kDeviceMemory:
      report_.problem = outcome.message;
      break;
    case Ended::kOk:
    case Ended::kLaunchFailed:
    case Ended::kProtocol:
      report_.problem = "the program wrote to the descriptors of its cage";
      break;
  }
  return report_.problem;
}

// "cudaMalloc 3" -> "cudaMalloc 3 (vec.cu:31)", or what the user calls that buffer.
std::string Findings::WithBuffers(const std::string& text,
                                  const std::map<uint64_t, std::string>& places) const {
  std::string named;
  for (size_t at = 0; at < text.size();) {
    size_t end = at;
    const bool starts = text.compare(at, 4, "cuda") == 0;
    while (starts && end < text.size() && std::isalpha(static_cast<unsigned char>(text[end])))
      ++end;
    if (end > at && end < text.size() && text[end] == ' ') {
      ++end;
      while (end < text.size() && std::isdigit(static_cast<unsigned char>(text[end]))) ++end;
    }
    const auto allocation = allocations_.find(text.substr(at, end - at));
    if (allocation == allocations_.end()) {
      named += text[at++];
      continue;
    }
    const auto& [number, site] = allocation->second;
    const auto place = places.find(site);
    if (number < buffers_.size()) {
      named += buffers_[number];
    } else {
      named += allocation->first;
      if (place != places.end()) named += " (" + place->second + ")";
    }
    at = end;
  }
  return named;
}

void Findings::NamePlaces() {
  std::vector<uint64_t> sites;
  for (const CheckedCall& call : report_.calls) sites.push_back(call.failure.site);
  for (const auto& [name, allocation] : allocations_) sites.push_back(allocation.second);
  std::map<uint64_t, std::string> places;
  if (buffers_.empty()) places = FindPlaces(built_.object_path, request_.include_folders, sites);
  for (auto& [site, place] : places) place = WithSourceName(place, request_.name);
  const auto place_of = [&](uint64_t site) {
    const auto found = places.find(site);
    return found == places.end() ? std::string() : found->second;
  };
  for (CheckedCall& call : report_.calls) {
    call.place = place_of(call.failure.site);
    call.failure.text = WithBuffers(call.failure.text, places);
  }
  for (CheckedLeak& leak : report_.leaks) leak.place = place_of(leak_sites_[leak.name]);
  for (CheckedHazard& found : report_.hazards) {
    Hazard& hazard = found.hazard;
    hazard.file = WithSourceName(hazard.file, request_.name);
    hazard.text = WithSourceName(WithBuffers(hazard.text, places), request_.name);
  }
}

CheckReport Findings::Take() {
  NamePlaces();
  const bool found = !report_.hazards.empty() || !report_.calls.empty() || !report_.leaks.empty() ||
                     !report_.crash.empty();
  report_.problem = WithSourceName(report_.problem, request_.name);
  if (found) {
    report_.status = CheckReport::Status::kFindings;
  } else {
    report_.status =
        report_.problem.empty() ? CheckReport::Status::kClean : CheckReport::Status::kNotRun;
  }
  return std::move(report_);
}

}  // namespace kw::eval
