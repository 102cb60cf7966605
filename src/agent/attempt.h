// One attempt at a task: prompt -> model -> extract (with the precheck) -> build -> judge, each a
// step of the journal.
#pragma once

#include <string>
#include <vector>

#include "kw/agent.h"
#include "reporter.h"
#include "steps.h"

namespace kw {

// What attempts work with; all outlive them.
struct AttemptRooms {
  const RunConfig& config;
  const RunRooms& rooms;
  Steps& steps;
  Reporter& reporter;
};

struct AttemptPlan {
  std::string step;  // "e1/b0/softmax/s0/i1"
  ChatMessage prompt;
  std::string parent;            // the step it builds on; "baseline"; ""
  std::vector<int64_t> lessons;  // ids in the prompt
  int turn = 0;                  // whose it is, of several authors
};
[[nodiscard]] Result<AttemptRecord> RunAttempt(const AttemptRooms& rooms, const eval::Task& task,
                                               const AttemptPlan& plan);

// The results of an attempt's steps, as the journal holds them; "" for those not (yet) done.
struct AttemptResults {
  std::string generate, extract, build, judge;
};
// Whether the attempt has ended, and with what.
[[nodiscard]] Result<std::optional<AttemptRecord>> AttemptFromResults(
    const std::string& step, const AttemptResults& results);

// Neither the author's fault nor his merit: the judge could not run it, or the surroundings failed.
bool IsVoid(const eval::Verdict& verdict);

}  // namespace kw
