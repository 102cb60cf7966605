// A check's report, for people and as JSON.
#pragma once

#include <string>

#include "kw/eval/check.h"

namespace kw::cli {

std::string DescribeCheck(const eval::CheckReport& report, const eval::CheckRequest& request,
                          const eval::DeviceSheet& sheet);
// One line (docs/check.md).
std::string CheckToJson(const eval::CheckReport& report, const eval::CheckRequest& request,
                        const eval::DeviceSheet& sheet);

}  // namespace kw::cli
