// The subcommands of kwright: one file each, registered here.
//
// A subcommand adds its options to the app and stores what to do in `action`, which main runs
// after parsing. Exit status: 0 done (eval: PASSED), 1 the answer is no (a kernel that does not
// pass, an answer that is malformed), 2 wrong usage or trouble with the surroundings.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

namespace kw::cli {

constexpr int kDone = 0, kNo = 1, kTrouble = 2;
using Action = std::function<int()>;

void AddRun(CLI::App& app, Action& action);
void AddResume(CLI::App& app, Action& action);
void AddStatus(CLI::App& app, Action& action);
void AddEval(CLI::App& app, Action& action);
void AddAudit(CLI::App& app, Action& action);
void AddCheck(CLI::App& app, Action& action);
void AddExtract(CLI::App& app, Action& action);
void AddReplay(CLI::App& app, Action& action);
void AddTasks(CLI::App& app, Action& action);
void AddMemory(CLI::App& app, Action& action);
void AddRules(CLI::App& app, Action& action);
void AddMockServer(CLI::App& app, Action& action);
void AddDoctor(CLI::App& app, Action& action);

}  // namespace kw::cli
