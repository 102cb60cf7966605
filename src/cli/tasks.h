// What the subcommands of `kwright tasks` share; one file each.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "commands.h"
#include "kw/base.h"
#include "kw/eval/oracle.h"

namespace kw::cli {

void AddTasksCalibrate(CLI::App& tasks, Action& action);
void AddTasksCheck(CLI::App& tasks, Action& action);

// Which cases are looked at: --effort, --seed, --cases.
struct ScheduleOptions {
  std::string effort = "standard";
  uint64_t seed = 1;
  int cases = 0;  // 0: as many as the effort has
  bool json = false;
  bool operator==(const ScheduleOptions&) const = default;
};
// As many as --cases says, else those of the effort.
[[nodiscard]] Result<int> CasesWanted(const ScheduleOptions& options);
void AddScheduleOptions(CLI::App& sub, ScheduleOptions& options);
[[nodiscard]] Result<std::vector<eval::Case>> ScheduleOf(const eval::Task& task,
                                                         const ScheduleOptions& options);

// References run beside this program, with the build cache that evaluations use.
struct ReferenceRoom {
  std::unique_ptr<eval::Builder> builder;
  std::unique_ptr<eval::Reference> reference;
};
[[nodiscard]] Result<ReferenceRoom> OpenReference();

}  // namespace kw::cli
