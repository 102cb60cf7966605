// check: compute-sanitizer without a GPU. Builds a CUDA program, runs it in a guest's cage against
// the emulator device, and says what is wrong with its kernels and its calls of the runtime.
//
//   KW_ASSIGN(Builder builder, Builder::Make({.cache = cache + "/build"}));
//   KW_ASSIGN(CheckReport report, CheckProgram({.source = text, .name = "vec.cu"}, builder,
//   sheet)); if (report.status == CheckReport::Status::kClean) ...
//
// A program runs once for each seed, because the seed orders blocks and warps and places memory:
// what is found is merged. A pure function of request and sheet, but for what the program makes of
// the clock.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kw/eval/build.h"
#include "kw/eval/device.h"
#include "kw/eval/emulator.h"

namespace kw::eval {

struct CheckRequest {
  std::string source;
  std::string name = "kernel.cu";            // the source's, in reports
  std::vector<std::string> launches;         // kernel<<<grid, block>>>(...); none: main is called
  std::vector<std::string> arguments;        // of main
  std::vector<std::string> include_folders;  // absolute
  std::vector<std::string> definitions;      // NAME or NAME=VALUE
  int seeds = 2;
  uint64_t seed = 1;  // the first
  uint64_t lane_instruction_budget = 20'000'000'000;
  int64_t wall_ms = 60'000;  // of one run, and as much CPU time of its host code
  size_t output_bytes = 64 << 10;
};

struct CheckedHazard {
  Hazard hazard;  // as the first seed that has it tells it
  int seeds = 0;  // how many have it
};
// A call of the runtime that failed, and that nobody looked at; or a launch that was refused.
struct CheckedCall {
  CallFailure failure;
  std::string place;  // "vec.cu:31", or "" when it is not known
  int seeds = 0;
};
struct CheckedLeak {
  std::string name;  // "cudaMalloc 3"
  uint64_t bytes = 0;
  std::string place;
};
struct CheckedKernel {
  std::string name;  // demangled
  uint64_t launches = 0, lane_instructions = 0;
  double us = 0;  // modelled, of all launches together
};
struct CheckedRun {
  uint64_t seed = 0;
  CallOutcome::Status status = CallOutcome::Status::kOk;
  int exit_code = -1;   // -1: it did not end by itself
  std::string message;  // how it ended, when not by itself
};

struct CheckReport {
  enum class Status {
    kClean,
    kFindings,  // what follows says which
    kNotRun,    // it could not be built or run to its end: `problem`
  };
  Status status = Status::kNotRun;
  std::string problem;
  std::vector<CheckedHazard> hazards;
  std::vector<CheckedCall> calls;
  std::vector<CheckedLeak> leaks;
  std::string crash;         // of the host code, or "it ended with exit status 3", or ""
  uint64_t left_undone = 0;  // operations that nothing waited for
  // Of the first run:
  std::vector<CheckedKernel> kernels;  // in the order of their first launch
  GuestOutput::Streams printed;
  std::string device_printed;
  std::vector<CheckedRun> runs;
};

// An error is wrong usage (a launch expression, a macro) or trouble with the surroundings.
[[nodiscard]] Result<CheckReport> CheckProgram(const CheckRequest& request, Builder& builder,
                                               const DeviceSheet& sheet);

}  // namespace kw::eval
