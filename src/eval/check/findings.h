// What the runs of a program came to, merged into one report.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "kw/eval/check.h"

namespace kw::eval {

class Findings {
 public:
  // `buffers`: what the program's allocations are to the user, in the order in which it makes them;
  // empty: they are named after the call that made them.
  Findings(const CheckRequest& request, const DeviceSheet& sheet, const BuildOutcome& built,
           std::vector<std::string> buffers)
      : request_(request), sheet_(sheet), built_(built), buffers_(std::move(buffers)) {}

  // False when it makes no sense to run once more.
  bool Add(uint64_t seed, const CallOutcome& outcome, GuestOutput::Streams printed);
  CheckReport Take();

 private:
  void AddKernels(const std::vector<LaunchRecord>& launches);
  void AddHazards(const std::vector<Hazard>& hazards);
  void AddCalls(const ProgramTrace& trace);
  void AddLeaks(const ProgramTrace& trace);
  std::string EndOf(const CallOutcome& outcome);
  void NamePlaces();
  std::string WithBuffers(const std::string& text,
                          const std::map<uint64_t, std::string>& places) const;

  const CheckRequest& request_;
  const DeviceSheet& sheet_;
  const BuildOutcome& built_;
  std::vector<std::string> buffers_;
  std::map<std::string, std::pair<size_t, uint64_t>> allocations_;  // name -> number, site
  std::map<std::string, uint64_t> leak_sites_;
  CheckReport report_;
};

// A text about "kernel.cu", the builder's name for every source, in the user's words.
std::string WithSourceName(std::string text, const std::string& name);

}  // namespace kw::eval
