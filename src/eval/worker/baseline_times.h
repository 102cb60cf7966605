// The baseline's time for each workload of a task on a device: what speedups are relative to.
#pragma once

#include <map>
#include <string>

#include "kw/eval/worker.h"

namespace kw::eval {

// Built and run as any candidate (a guest), and kept in rooms.cache by (task, baseline, device
// sheet, programs). kInvalid when the baseline does not build, does not run or is wrong: a fault
// of the task folder, said as such.
[[nodiscard]] Result<std::map<std::string, double>> BaselineTimes(const Task& task,
                                                                  const JudgeRooms& rooms);

// Where they are kept.
std::string BaselineCachePath(const Task& task, const JudgeRooms& rooms);

}  // namespace kw::eval
