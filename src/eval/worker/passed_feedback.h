// What the author of a correct kernel is told, so that the next one can be faster.
#pragma once

#include <string>

#include "kw/eval/worker.h"

namespace kw::eval {

// Speedup by workload, what bounds each, how far from the roofline, and what would help.
std::string PassedFeedback(const Task& task, const Verdict& verdict, const DeviceSheet& sheet);

}  // namespace kw::eval
