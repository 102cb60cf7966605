// Reading runs: while they run, or later.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "attempt.h"
#include "chronicle.h"
#include "journal_tables.h"
#include "kw/base/file.h"
#include "kw/base/json.h"
#include "kw/base/text.h"
#include "run.h"

namespace kw {
namespace {

// "e1/b0/softmax/s0/i1/judge" is step "judge" of attempt "e1/b0/softmax/s0/i1".
std::string* ResultIn(AttemptResults& results, const std::string& kind) {
  if (kind == "generate") return &results.generate;
  if (kind == "extract") return &results.extract;
  if (kind == "build") return &results.build;
  if (kind == "judge") return &results.judge;
  return nullptr;
}

Result<std::vector<AttemptRecord>> AttemptsOf(const std::vector<StepRow>& steps) {
  std::vector<std::pair<std::string, AttemptResults>> found;  // the order of the steps
  for (const StepRow& step : steps) {
    size_t slash = step.key.rfind('/');
    std::string attempt = step.key.substr(0, slash);
    if (Split(attempt, '/').size() != 5) continue;
    if (found.empty() || found.back().first != attempt)
      found.emplace_back(attempt, AttemptResults());
    std::string* result = ResultIn(found.back().second, step.kind);
    if (result != nullptr) *result = step.result;
  }
  std::vector<AttemptRecord> attempts;
  for (const auto& [key, results] : found) {
    KW_ASSIGN(std::optional<AttemptRecord> attempt, AttemptFromResults(key, results));
    if (attempt) attempts.push_back(std::move(*attempt));
  }
  return attempts;
}

std::map<std::string, size_t> BestByTask(const std::vector<AttemptRecord>& attempts) {
  std::map<std::string, std::vector<size_t>> by_task;
  for (size_t i = 0; i < attempts.size(); ++i) by_task[attempts[i].task].push_back(i);
  std::map<std::string, size_t> best;
  for (const auto& [task, indices] : by_task) {
    std::vector<const AttemptRecord*> of_task;
    for (size_t i : indices) of_task.push_back(&attempts[i]);
    best[task] = indices[BestOf(of_task)];
  }
  return best;
}

EpochRecord EpochOf(int epoch, const std::vector<AttemptRecord>& attempts,
                    const std::vector<StepRow>& steps, const std::vector<EpochRow>& rows) {
  std::vector<const AttemptRecord*> of_epoch;
  for (const AttemptRecord& attempt : attempts) {
    if (attempt.epoch == epoch) of_epoch.push_back(&attempt);
  }
  EpochRecord record = SummariseEpoch(epoch, of_epoch);
  UsageByRole usage;
  for (const StepRow& step : steps) {
    if (step.key.starts_with(fmt::format("e{}/", epoch))) AddUsageOf(step, usage);
  }
  SetUsage(record, std::move(usage));
  for (const EpochRow& row : rows) {
    if (row.epoch != epoch) continue;
    record.memory_items = row.memory_items;
    record.rules = row.rules;
  }
  return record;
}

constexpr std::array<std::string_view, 15> kVolatile = {
    "run",     "run_name",   "latency_us",  "first_token_us", "retries",
    "wall_us", "from_cache", "us",          "object_path",    "object_hash",
    "p5",      "p95",        "baseline_us", "speedup",        "roofline"};

void StripVolatile(Json& json) {
  if (json.is_object()) {
    for (std::string_view key : kVolatile) json.erase(std::string(key));
  }
  if (!json.is_structured()) return;
  for (Json& member : json) StripVolatile(member);
}

Result<std::string> Canonical(const std::string& text) {
  KW_ASSIGN(Json json, ParseJson(text, "the run journal"));
  StripVolatile(json);
  return DumpJson(json);
}

}  // namespace

Result<RunRecord> RecordOf(const Journal& journal, const std::string& folder) {
  const RunHeader& header = journal.header();
  KW_ASSIGN(RunConfig config, RunConfigFromJson(header.config));
  KW_ASSIGN(RunState state, journal.State());
  KW_ASSIGN(std::vector<StepRow> steps, journal.Steps());
  KW_ASSIGN(std::vector<EpochRow> rows, journal.Epochs());
  RunRecord record;
  record.name = header.name;
  record.folder = folder;
  record.uuid = header.uuid;
  record.state = state.state;
  record.model = header.simulated ? header.model_description : config.model;
  record.method = config.method;
  record.learner = config.learner;
  record.device = header.device;
  record.simulated = header.simulated;
  record.seed = config.seed;
  record.epochs_planned = config.epochs;
  record.tasks_planned = static_cast<int>(header.tasks.size());
  record.attempts_planned = config.epochs * record.tasks_planned * config.samples;
  KW_ASSIGN(record.attempts, AttemptsOf(steps));
  for (AttemptRecord& attempt : record.attempts) {
    // Journals of before do not say.
    if (attempt.author.empty()) {
      attempt.author = AuthorOfTurn(config, attempt.chain + attempt.iteration);
    }
  }
  for (const StepRow& step : steps) AddUsageOf(step, record.usage);
  std::set<int> epochs;
  for (const AttemptRecord& attempt : record.attempts) epochs.insert(attempt.epoch);
  for (int epoch : epochs) record.epochs.push_back(EpochOf(epoch, record.attempts, steps, rows));
  record.best = BestByTask(record.attempts);
  return record;
}

Result<RunConfig> ReadRunConfig(const std::string& folder,
                                const std::vector<std::pair<std::string, std::string>>& overrides) {
  KW_ASSIGN(std::unique_ptr<Journal> journal, Journal::OpenForReading(folder));
  KW_ASSIGN(RunConfig config, RunConfigFromJson(journal->header().config));
  KW_TRY(OverrideOnResume(config, overrides));
  return config;
}

Result<RunRecord> ReadRun(const std::string& folder) {
  KW_ASSIGN(std::unique_ptr<Journal> journal, Journal::OpenForReading(folder));
  return RecordOf(*journal, folder);
}

Result<std::vector<std::string>> ListRuns(const std::string& dir) {
  std::vector<std::string> names;
  if (!IsDirectory(dir)) return names;
  KW_ASSIGN(std::vector<std::string> entries, ListDirectory(dir));
  std::vector<std::pair<int64_t, std::string>> found;
  for (const std::string& entry : entries) {
    if (!FileExists(dir + "/" + entry + "/run.db")) continue;
    auto journal = Journal::OpenForReading(dir + "/" + entry);
    // One that cannot be read is listed last: reading it will say why.
    found.emplace_back(journal ? -(*journal)->header().started_unix_us : 0, entry);
  }
  std::sort(found.begin(), found.end());
  for (auto& [started, name] : found) names.push_back(std::move(name));
  return names;
}

Result<std::string> CanonicalJournal(const std::string& folder) {
  KW_ASSIGN(std::unique_ptr<Journal> journal, Journal::OpenForReading(folder));
  const RunHeader& header = journal->header();
  KW_ASSIGN(RunConfig config, RunConfigFromJson(header.config));
  KW_ASSIGN(RunState state, journal->State());
  KW_ASSIGN(std::vector<StepRow> steps, journal->Steps());
  KW_ASSIGN(std::vector<EffectRow> effects, journal->Effects());
  KW_ASSIGN(std::vector<EpochRow> epochs, journal->Epochs());
  std::string text = CanonicalConfig(config);
  text +=
      fmt::format("prompts {}\ndevice {}\nsimulated {}\nbank {}\nstate {}\n", header.prompts_hash,
                  header.device, header.simulated, header.bank_sequence, state.state);
  for (size_t i = 0; i < header.tasks.size(); ++i) {
    text += fmt::format("task {} {}\n", header.tasks[i], header.task_hashes[i]);
  }
  for (const StepRow& step : steps) {
    KW_ASSIGN(std::string result, Canonical(step.result));
    text += fmt::format("step {} {} {} {} {} {} {} {}\n", step.key, step.kind, step.input_hash,
                        step.model_calls, step.prompt_tokens, step.completion_tokens, step.cost_usd,
                        result);
  }
  for (const EffectRow& effect : effects) {
    KW_ASSIGN(std::string change, Canonical(effect.change));
    text += fmt::format("effect {} {} {} [{}]\n", effect.step, change,
                        effect.applied ? "applied" : "waiting", fmt::join(effect.ids, ","));
  }
  for (const EpochRow& epoch : epochs) {
    text += fmt::format("epoch {} {} {}\n", epoch.epoch, epoch.memory_items, epoch.rules);
  }
  return text;
}

}  // namespace kw
