// What every subcommand prints alike.
#pragma once

#include <string>

#include "kw/base.h"
#include "kw/eval/worker.h"

namespace kw::cli {

// The error on stderr; with --json also {"error": {...}} on stdout. Returns kTrouble.
int PrintError(const Error& error, bool json);
// "task.md" etc.: the file's content, or the standard input for "-".
Result<std::string> ReadInput(const std::string& path);
// A verdict for people: status, stage, feedback, the timed workloads.
std::string DescribeVerdict(const eval::Verdict& verdict);

}  // namespace kw::cli
