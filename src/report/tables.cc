#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

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

Json UsageToJson(const UsageByRole& usage) {
  Json json = Json::object();
  for (const auto& [role, used] : usage) {
    json[std::string(RoleName(role))] = {{"calls", used.calls},
                                         {"prompt_tokens", used.prompt_tokens},
                                         {"completion_tokens", used.completion_tokens},
                                         {"cached_tokens", used.cached_tokens},
                                         {"reasoning_tokens", used.reasoning_tokens},
                                         {"estimated_calls", used.estimated_calls},
                                         {"cost_usd", used.cost_usd},
                                         {"stopped_answers", used.stopped_answers},
                                         {"saved_tokens", used.saved_tokens},
                                         {"models", used.models}};
  }
  return json;
}

Json AttemptToJson(const AttemptRecord& attempt) {
  return {{"step", attempt.step},
          {"task", attempt.task},
          {"author", attempt.author},
          {"answered_by", attempt.answered_by},
          {"status", eval::StatusName(attempt.verdict.status)},
          {"speedup", attempt.verdict.speedup},
          {"prompt_tokens", attempt.prompt_tokens},
          {"completion_tokens", attempt.completion_tokens},
          {"cost_usd", attempt.cost_usd}};
}

// A column that says something of one role at least.
struct UsageColumn {
  const char* title;
  int64_t Usage::*number;
};
constexpr std::array<UsageColumn, 7> kUsageColumns = {{{"calls", &Usage::calls},
                                                       {"prompt tokens", &Usage::prompt_tokens},
                                                       {"cached", &Usage::cached_tokens},
                                                       {"answer tokens", &Usage::completion_tokens},
                                                       {"reasoning", &Usage::reasoning_tokens},
                                                       {"stopped", &Usage::stopped_answers},
                                                       {"saved", &Usage::saved_tokens}}};

}  // namespace

std::string UsageTable(const RunRecord& run) {
  const Usage total = TotalOf(run.usage);
  const bool author_alone = run.usage.size() == 1 && run.usage.contains(ModelRole::kAuthor);
  const bool plain = total.cached_tokens == 0 && total.reasoning_tokens == 0 &&
                     total.cost_usd == 0 && total.stopped_answers == 0;
  if (run.usage.empty() || (author_alone && plain)) return "";
  std::vector<std::vector<std::string>> rows = {{"role"}};
  const auto shown = [&](const UsageColumn& column) { return total.*column.number > 0; };
  for (const UsageColumn& column : kUsageColumns) {
    if (shown(column)) rows[0].emplace_back(column.title);
  }
  rows[0].insert(rows[0].end(), {"cost", "model"});
  for (const auto& [role, used] : run.usage) {
    std::vector<std::string> row = {std::string(RoleName(role))};
    for (const UsageColumn& column : kUsageColumns) {
      if (shown(column)) row.push_back(std::to_string(used.*column.number));
    }
    row.push_back(Dollars(used.cost_usd));
    row.push_back(fmt::format("{}", fmt::join(used.models, ", ")));
    rows.push_back(std::move(row));
  }
  return AlignedTable(rows);
}

std::string UsageLine(const Usage& usage) {
  std::string line =
      fmt::format("{} model {}, {} + {} tokens{}, {}", usage.calls,
                  usage.calls == 1 ? "call" : "calls", usage.prompt_tokens, usage.completion_tokens,
                  usage.estimated_calls > 0 ? " (in part estimated)" : "", Dollars(usage.cost_usd));
  if (usage.cached_tokens > 0) {
    line += fmt::format("; {} tokens of the prompts were cached", usage.cached_tokens);
  }
  if (usage.stopped_answers > 0) {
    line += fmt::format("; the guard stopped {} {}, about {} tokens saved", usage.stopped_answers,
                        usage.stopped_answers == 1 ? "answer" : "answers", usage.saved_tokens);
  }
  return line;
}

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
  std::set<std::string> authors;
  for (const AttemptRecord& attempt : run.attempts) authors.insert(attempt.author);
  const bool several = authors.size() > 1;
  std::vector<std::vector<std::string>> rows = {{"task", "verdict", "speedup", "kernel"}};
  if (several) rows[0].insert(rows[0].begin() + 3, "author");
  for (const auto& [task, index] : run.best) {
    const eval::Verdict& verdict = run.attempts[index].verdict;
    rows.push_back({task, std::string(eval::StatusName(verdict.status)),
                    verdict.passed() ? fmt::format("{:.2f}x", verdict.speedup) : "-",
                    verdict.passed() ? BestPath(run, task) : "-"});
    if (several) rows.back().insert(rows.back().begin() + 3, run.attempts[index].author);
  }
  return AlignedTable(rows);
}

std::string RunToJson(const RunRecord& run, bool with_attempts) {
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
                              {"cost_usd", epoch.cost_usd},
                              {"usage", UsageToJson(epoch.usage)}});
  }
  json["usage"] = UsageToJson(run.usage);
  json["best"] = Json::array();
  for (const auto& [task, index] : run.best) {
    const AttemptRecord& attempt = run.attempts[index];
    json["best"].push_back({{"task", task},
                            {"step", attempt.step},
                            {"author", attempt.author},
                            {"answered_by", attempt.answered_by},
                            {"status", eval::StatusName(attempt.verdict.status)},
                            {"speedup", attempt.verdict.speedup},
                            {"timing_kind", attempt.verdict.timing_kind},
                            {"hazards", attempt.verdict.hazards},
                            {"kernel", attempt.verdict.passed() ? BestPath(run, task) : ""}});
  }
  if (with_attempts) {
    json["attempt_list"] = Json::array();
    for (const AttemptRecord& attempt : run.attempts) {
      json["attempt_list"].push_back(AttemptToJson(attempt));
    }
  }
  return DumpJson(json);
}

}  // namespace kw
