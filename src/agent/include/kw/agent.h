// agent: the loop. Methods (how attempts at a task are made), learners (what is learned from
// them), the run journal (every step exactly once), and the scheduler over batches of tasks.
//
//   KW_ASSIGN(RunConfig config, LoadRunConfig("experiments/quickstart.toml", {{"learner.k",
//   "5"}})); KW_ASSIGN(RunRecord record, StartRun(config, rooms, observer));   // or
//   ResumeRun(name, ...)
//
// The loop itself is RunEpochs in src/agent/loop.cc.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "kw/base/clock.h"
#include "kw/eval/worker.h"
#include "kw/llm.h"
#include "kw/memory.h"
#include "kw/model_embedder.h"
#include "kw/usage.h"

namespace kw {

// Who answers one kind of question; what a role does not have for itself is the author's.
struct RoleConfig {
  std::string model, base_url, api, api_key_env;  // .name, .base_url, .api, .api_key_env
  double temperature = 0.7;
  int max_tokens = 8192;
  // Of this role's calls alone; 0: none. .max_cost_usd, .max_total_tokens, .max_calls
  double max_cost_usd = 0;
  int64_t max_total_tokens = 0, max_calls = 0;
};

// One experiment; docs/formats/experiment.md lists the keys. Names in comments are TOML keys.
struct RunConfig {
  // [run]
  std::string name;                 // run.name; default: the file's stem and a number
  std::string dir = "runs";         // run.dir: holds NAME/run.db
  uint64_t seed = 1;                // run.seed
  int epochs = 1;                   // run.epochs
  int batch = 1;                    // run.batch: tasks learned from at once
  int parallel_tasks = 2;           // run.parallel_tasks: tasks under way at once in a batch
  std::vector<std::string> tasks;   // run.tasks: names or folders
  std::string effort = "standard";  // run.effort
  double max_cost_usd = 0;          // run.max_cost_usd; 0: none
  int64_t max_total_tokens = 0;     // run.max_total_tokens; 0: none
  int64_t max_calls = 0;            // run.max_calls; 0: none
  // [method]
  std::string method = "base";                    // method.name: base | best_of_n | refine | metr
  int samples = 1, parallel = 1, iterations = 1;  // method.samples = parallel x iterations
  // [learner]
  std::string learner = "none";               // learner.name: none | reasoning_bank | evolrule
  int k = 3;                                  // learner.k: memories a prompt
  int max_items = 3, max_contrast_items = 5;  // learner.max_items, .max_contrast_items
  std::string bank;         // learner.bank: memory.db; default: in the run's folder
  int max_rules = 25;       // learner.max_rules: after the merge of a batch
  int rules_per_task = 3;   // learner.rules_per_task
  int align_tasks = 20;     // learner.align_tasks: sampled tasks of the batch
  int min_pairs = 3;        // learner.min_pairs
  double keep_rate = 0.70;  // learner.keep_rate
  // [model]: the author's, who writes the kernels, and what all roles share
  // model.name: "simulated", "provider/model", or a name at model.base_url; several, separated by
  // commas, take turns
  std::string model = "simulated";
  std::string base_url;                         // model.base_url
  std::string api;                              // model.api: "" as the provider says
  std::string api_key_env = "KWRIGHT_API_KEY";  // model.api_key_env, else OPENAI_API_KEY
  double temperature = 0.7;                     // model.temperature
  int max_tokens = 8192;                        // model.max_tokens
  double author_max_cost_usd = 0;               // model.max_cost_usd, of the author's calls alone
  int64_t author_max_total_tokens = 0;          // model.max_total_tokens
  int64_t author_max_calls = 0;                 // model.max_calls
  std::string model_table;                      // model.table: names and prices of one's own
  int max_in_flight = 32;                       // model.max_in_flight, of each endpoint
  int64_t requests_per_minute = 0;              // model.requests_per_minute; 0: no limit
  int64_t tokens_per_minute = 0;                // model.tokens_per_minute; 0: no limit
  int timeout_s = 600;                          // model.timeout_s: of a whole answer
  int stall_timeout_s = 120;                    // model.stall_timeout_s: between two pieces
  int max_retries = 5;                          // model.max_retries
  bool stream = true;                           // model.stream
  bool stop_when_complete = false;              // model.stop_when_complete
  RunawayConfig guard;                          // model.runaway_guard, .runaway_*
  std::string cache = "off", cache_file;        // model.cache: off | record | replay; .cache_file
  // [model.extractor], [model.merger], [model.judge], [model.embedder]
  RoleConfig extractor = {.temperature = 1}, merger, judge = {.temperature = 0}, embedder;
  // [device]
  std::string device = "a100_sxm4";         // device.name
  int workers = 2;                          // device.workers
  std::vector<std::string> worker_command;  // device.worker_command
  // What the file and the overrides said, for the journal; and which keys they gave: the others
  // follow the defaults and, for a role, the author.
  std::string source_text;
  std::set<std::string> given;
};
// `overrides`: ("learner.k", "5") as given by --set, applied in order. An unknown key or a value of
// the wrong type is kInvalid and names the nearest key.
[[nodiscard]] Result<RunConfig> LoadRunConfig(
    const std::string& path, const std::vector<std::pair<std::string, std::string>>& overrides);
std::vector<std::string> RunConfigKeys();
// The names in model.name: one, or several that take turns, and whose a turn is.
std::vector<std::string> AuthorsOf(const RunConfig& config);
std::string AuthorOfTurn(const RunConfig& config, int turn);

// What a run works with; all outlive it.
struct RunRooms {
  ChatModel* model = nullptr;  // the author's, and of those roles that have none of their own
  ChatModel* extractor = nullptr;
  ChatModel* merger = nullptr;
  ChatModel* judge = nullptr;
  ModelEmbedder* embedder = nullptr;  // that the bank was opened with; none: the built-in one
  eval::Evaluator* evaluator = nullptr;
  const eval::TaskLibrary* tasks = nullptr;
  Bank* bank = nullptr;  // may be null when the learner is none
  std::string prompts;   // folder of the templates
  const Clock* clock = nullptr;
};

// An attempt as the journal keeps it.
struct AttemptRecord {
  int epoch = 0, batch = 0, chain = 0, iteration = 0;
  std::string task;
  std::string step;  // "e1/b0/softmax/s0/i1"
  eval::Verdict verdict;
  std::string source;            // "" when nothing could be extracted
  std::string answer, prompt;    // the model's words, and what it was asked
  std::string author;            // who was asked: of the names in model.name
  std::string answered_by;       // the model as its endpoint names it
  std::string parent;            // the step it built on; "baseline"; ""
  std::vector<int64_t> lessons;  // ids of the items or rules in its prompt
  int64_t prompt_tokens = 0, completion_tokens = 0;
  double cost_usd = 0;
};

struct EpochRecord {
  int epoch = 0;
  int tasks = 0, correct = 0, fast_1 = 0;  // tasks whose best attempt passed; with speedup > 1
  int attempts = 0, attempts_correct = 0;
  double speedup = 0;                   // geometric mean over the tasks that passed
  int64_t memory_items = 0, rules = 0;  // in the bank at the epoch's end
  int64_t model_calls = 0;
  int64_t prompt_tokens = 0, completion_tokens = 0;  // of all these calls, as the endpoint counts
  double cost_usd = 0;
  UsageByRole usage;  // the same calls, by who asked
};

struct RunRecord {
  std::string name, folder, uuid, state;  // state: running | finished | stopped | failed
  std::string model, method, learner, device;
  bool simulated = false;  // the simulated author wrote the answers
  uint64_t seed = 0;
  int epochs_planned = 0, tasks_planned = 0, attempts_planned = 0;
  std::vector<EpochRecord> epochs;
  UsageByRole usage;                    // of all calls so far
  std::vector<AttemptRecord> attempts;  // in order of step
  std::map<std::string, size_t> best;   // task -> index of its best attempt
};

// Told of what happens, from several threads, one call at a time.
class RunObserver {
 public:
  virtual ~RunObserver() = default;
  virtual void Began(const RunRecord& /*run*/, int /*attempts_done*/) {}
  virtual void Stage(const std::string& /*task*/, const std::string& /*stage*/) {}
  virtual void Attempted(const AttemptRecord& /*attempt*/) {}
  virtual void EpochEnded(const EpochRecord& /*epoch*/) {}
};

// Starts a run in DIR/NAME (kConflict when it exists: say resume). Runs to the end, or until
// `cancelled` says so (kCancelled; the run can be resumed).
[[nodiscard]] Result<RunRecord> StartRun(const RunConfig& config, const RunRooms& rooms,
                                         RunObserver& observer, std::function<bool()> cancelled);
// Continues where the journal ends; repeats nothing that finished.
// `overrides` may set the keys that have no part in what a run does: run.parallel_tasks,
// run.max_*, model.base_url and all else of [model] that says where and how it is asked,
// device.workers and device.worker_command. A finished run is left as it is.
[[nodiscard]] Result<RunRecord> ResumeRun(
    const std::string& folder, const RunRooms& rooms, RunObserver& observer,
    std::function<bool()> cancelled,
    const std::vector<std::pair<std::string, std::string>>& overrides = {});

// Reading, while it runs or later.
[[nodiscard]] Result<RunConfig> ReadRunConfig(
    const std::string& folder,
    const std::vector<std::pair<std::string, std::string>>& overrides = {});
[[nodiscard]] Result<RunRecord> ReadRun(const std::string& folder);
// Names of the runs below a folder, newest first.
[[nodiscard]] Result<std::vector<std::string>> ListRuns(const std::string& dir);
// The journal's content in a canonical form, without uuids, times and timings: a resumed run and
// one that was never killed give the same text.
[[nodiscard]] Result<std::string> CanonicalJournal(const std::string& folder);

// +1 a is better, -1 b is, 0 tie: correct over incorrect, then speedup beyond 5 %.
int CompareVerdicts(const eval::Verdict& a, const eval::Verdict& b);

}  // namespace kw
