// What the objects of a task's candidates, and of its baseline, are built for.
#pragma once

#include "kw/eval/build.h"
#include "kw/eval/emulator.h"
#include "kw/eval/task.h"

namespace kw::eval {

inline BuildTarget TargetOf(const Task& task, const DeviceSheet& sheet) {
  return {.sm = sheet.sm, .ptx_only = true, .libraries = task.allowed_libraries};
}

}  // namespace kw::eval
