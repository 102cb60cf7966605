#include <fmt/format.h>

#include <algorithm>

#include "kw/base.h"
#include "kw/base/json.h"
#include "kw/report.h"

namespace kw {
namespace {

// Columns aligned by their widest cell: the first to the left, the others to the right.
std::string AlignedTable(const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> widths(rows.front().size());
  for (const auto& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string table;
  for (const auto& row : rows) {
    std::string line = fmt::format("  {:<{}}", row[0], widths[0]);
    for (size_t i = 1; i < row.size(); ++i) line += fmt::format("  {:>{}}", row[i], widths[i]);
    table += line + "\n";
  }
  return table;
}

std::string Dollars(double usd) { return usd == 0 ? "$0" : fmt::format("${:.4f}", usd); }

// Where the run keeps the best kernel of a task.
std::string BestPath(const RunRecord& run, const std::string& task) {
  return run.folder + "/best/" + task + ".cu";
}

}  // namespace

std::string EpochTable(const RunRecord& run) {
  std::vector<std::vector<std::string>> rows = {{"epoch", "correct", "fast_1", "speedup",
                                                 "attempts correct", "memory items", "rules",
                                                 "model calls", "cost"}};
  for (const EpochRecord& epoch : run.epochs) {
    rows.push_back({std::to_string(epoch.epoch + 1),
                    fmt::format("{}/{}", epoch.correct, epoch.tasks),
                    fmt::format("{}/{}", epoch.fast_1, epoch.tasks),
                    epoch.speedup > 0 ? fmt::format("{:.2f}x", epoch.speedup) : "-",
                    fmt::format("{}/{}", epoch.attempts_correct, epoch.attempts),
                    std::to_string(epoch.memory_items), std::to_string(epoch.rules),
                    std::to_string(epoch.model_calls), Dollars(epoch.cost_usd)});
  }
  return AlignedTable(rows);
}

std::string BestTable(const RunRecord& run) {
  std::vector<std::vector<std::string>> rows = {{"task", "verdict", "speedup", "kernel"}};
  for (const auto& [task, index] : run.best) {
    const eval::Verdict& verdict = run.attempts[index].verdict;
    rows.push_back({task, std::string(eval::StatusName(verdict.status)),
                    verdict.passed() ? fmt::format("{:.2f}x", verdict.speedup) : "-",
                    verdict.passed() ? BestPath(run, task) : "-"});
  }
  return AlignedTable(rows);
}

std::string RunToJson(const RunRecord& run) {
  Json json = {{"name", run.name},
               {"folder", run.folder},
               {"state", run.state},
               {"model", run.model},
               {"simulated_author", run.simulated},
               {"method", run.method},
               {"learner", run.learner},
               {"device", run.device},
               {"seed", run.seed},
               {"attempts", run.attempts.size()},
               {"attempts_planned", run.attempts_planned}};
  json["epochs"] = Json::array();
  for (const EpochRecord& epoch : run.epochs) {
    json["epochs"].push_back({{"epoch", epoch.epoch + 1},
                              {"tasks", epoch.tasks},
                              {"correct", epoch.correct},
                              {"fast_1", epoch.fast_1},
                              {"speedup", epoch.speedup},
                              {"attempts", epoch.attempts},
                              {"attempts_correct", epoch.attempts_correct},
                              {"memory_items", epoch.memory_items},
                              {"rules", epoch.rules},
                              {"model_calls", epoch.model_calls},
                              {"prompt_tokens", epoch.prompt_tokens},
                              {"completion_tokens", epoch.completion_tokens},
                              {"cost_usd", epoch.cost_usd}});
  }
  json["best"] = Json::array();
  for (const auto& [task, index] : run.best) {
    const AttemptRecord& attempt = run.attempts[index];
    json["best"].push_back({{"task", task},
                            {"step", attempt.step},
                            {"status", eval::StatusName(attempt.verdict.status)},
                            {"speedup", attempt.verdict.speedup},
                            {"timing_kind", attempt.verdict.timing_kind},
                            {"hazards", attempt.verdict.hazards},
                            {"kernel", attempt.verdict.passed() ? BestPath(run, task) : ""}});
  }
  return DumpJson(json);
}

}  // namespace kw
