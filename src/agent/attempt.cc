#include "attempt.h"

#include <fmt/format.h>

#include <charconv>

#include "kw/base/file.h"
#include "kw/base/hash.h"
#include "kw/base/json.h"
#include "kw/base/text.h"

namespace kw {
namespace {

using eval::BuildOutcome;
using eval::Extraction;
using eval::Task;
using eval::Verdict;

// A verdict is in the result of the step in which the attempt ended.
Result<Json> VerdictJson(const Verdict& verdict) {
  return ParseJson(eval::VerdictToJson(verdict), "the verdict");
}

Result<std::string> ExtractionToJson(const Extraction& taken, const Verdict* ended) {
  Json json{{"ok", taken.ok},
            {"source", taken.source},
            {"reason", taken.reason},
            {"feedback", taken.feedback},
            {"line", taken.line}};
  if (ended != nullptr) {
    KW_ASSIGN(json["verdict"], VerdictJson(*ended));
  }
  return DumpJson(json);
}

Result<std::string> BuildToJson(const BuildOutcome& built, const Verdict* ended) {
  Json resources = Json::array();
  for (const eval::KernelResources& kernel : built.resources) {
    resources.push_back({{"kernel", kernel.kernel},
                         {"registers", kernel.registers},
                         {"spill_bytes", kernel.spill_bytes},
                         {"static_shared_bytes", kernel.static_shared_bytes},
                         {"stack_bytes", kernel.stack_bytes}});
  }
  Json json{{"ok", built.ok},
            {"object_hash", built.object_hash},
            {"object_path", built.object_path},
            {"resources", std::move(resources)},
            {"from_cache", built.from_cache},
            {"wall_us", built.wall_us},
            {"reason", built.reason},
            {"feedback", built.feedback}};
  if (ended != nullptr) {
    KW_ASSIGN(json["verdict"], VerdictJson(*ended));
  }
  return DumpJson(json);
}

Result<BuildOutcome> BuildFromJson(std::string_view text) {
  KW_ASSIGN(Json json, ParseJson(text, "the journal: build"));
  ObjectReader reader(json, "the journal: build");
  BuildOutcome built;
  KW_ASSIGN(built.ok, reader.Required<bool>("ok"));
  KW_ASSIGN(built.object_hash, reader.Required<std::string>("object_hash"));
  KW_ASSIGN(built.object_path, reader.Required<std::string>("object_path"));
  KW_ASSIGN(built.from_cache, reader.Required<bool>("from_cache"));
  KW_ASSIGN(built.wall_us, reader.Required<int64_t>("wall_us"));
  KW_ASSIGN(built.reason, reader.Required<std::string>("reason"));
  KW_ASSIGN(built.feedback, reader.Required<std::string>("feedback"));
  const Json* resources = reader.Find("resources");
  if (resources == nullptr || !resources->is_array()) {
    return Fail(ErrorCode::kCorrupt, "the journal: build without resources");
  }
  for (const Json& entry : *resources) {
    ObjectReader kernel(entry, "the journal: resources");
    eval::KernelResources& to = built.resources.emplace_back();
    KW_ASSIGN(to.kernel, kernel.Required<std::string>("kernel"));
    for (auto [name, number] :
         {std::pair("registers", &to.registers), std::pair("spill_bytes", &to.spill_bytes),
          std::pair("static_shared_bytes", &to.static_shared_bytes),
          std::pair("stack_bytes", &to.stack_bytes)}) {
      KW_ASSIGN(int64_t value, kernel.Required<int64_t>(name));
      *number = static_cast<int>(value);
    }
  }
  return built;
}

// The verdict in a step's result, when the attempt ended there.
Result<std::optional<Verdict>> EndedWith(const std::string& result) {
  if (result.empty()) return std::optional<Verdict>();
  KW_ASSIGN(Json json, ParseJson(result, "the journal"));
  if (!json.is_object() || !json.contains("verdict")) return std::optional<Verdict>();
  KW_ASSIGN(Verdict verdict, eval::VerdictFromJson(DumpJson(json["verdict"])));
  return std::optional<Verdict>(std::move(verdict));
}

Result<std::string> StringIn(const std::string& result, const std::string& key) {
  KW_ASSIGN(Json json, ParseJson(result, "the journal"));
  ObjectReader reader(json, "the journal");
  return reader.Required<std::string>(key);
}

// The number behind `letter` in a part of a key: "s0" is chain 0.
int NumberOf(std::string_view part) {
  int number = 0;
  if (!part.empty()) std::from_chars(part.data() + 1, part.data() + part.size(), number);
  return number;
}

Result<void> ReadCall(AttemptRecord& record, const std::string& generate) {
  KW_ASSIGN(ModelCall call, ModelCallFromJson(generate));
  for (const ChatMessage& message : call.messages) record.prompt += message.content;
  record.answer = call.answer.content;
  record.author = call.model;
  record.answered_by = call.answer.model;
  record.prompt_tokens = call.answer.usage.prompt;
  record.completion_tokens = call.answer.usage.completion;
  record.cost_usd = call.answer.cost_usd;
  KW_ASSIGN(Json notes, ParseJson(call.notes, "the journal: notes"));
  ObjectReader reader(notes, "the journal: notes");
  KW_ASSIGN(record.parent, reader.Required<std::string>("parent"));
  KW_ASSIGN(record.lessons, reader.Required<std::vector<int64_t>>("lessons"));
  return {};
}

class AttemptRun {
 public:
  AttemptRun(const AttemptRooms& rooms, const Task& task, const AttemptPlan& plan)
      : rooms_(rooms), task_(task), plan_(plan) {}

  Result<AttemptRecord> Run() {
    KW_TRY(Generate());
    KW_TRY(Extract());
    if (!source_.empty()) KW_TRY(BuildAndJudge());
    KW_ASSIGN(std::optional<AttemptRecord> record, AttemptFromResults(plan_.step, results_));
    if (!record) {
      return Fail(ErrorCode::kCorrupt, fmt::format("step {} ended without a verdict", plan_.step));
    }
    if (record->author.empty()) record->author = AuthorOfTurn(rooms_.config, plan_.turn);
    if (fresh_) rooms_.reporter.Attempted(*record);
    return std::move(*record);
  }

 private:
  Result<void> Generate() {
    Json notes{{"parent", plan_.parent}, {"lessons", plan_.lessons}};
    rooms_.reporter.Stage(task_.name, "generate");
    Steps::Question question = {.messages = {plan_.prompt},
                                .turn = plan_.turn,
                                .queue = task_.name,
                                .notes = DumpJson(notes)};
    if (rooms_.config.stop_when_complete) {
      question.is_complete = [this](std::string_view answer) {
        return eval::ExtractCandidate(answer, "stop", task_).ok;
      };
    }
    KW_ASSIGN(call_, rooms_.steps.Ask(plan_.step + "/generate", question));
    fresh_ = call_.fresh;
    results_.generate = call_.result;
    return {};
  }

  Result<void> Extract() {
    Hasher inputs;
    inputs.Add(call_.answer.content).Add(call_.answer.finish_reason).Add(task_.hash);
    KW_ASSIGN(Steps::Outcome done,
              rooms_.steps.Once(plan_.step + "/extract", inputs, [&]() -> Result<std::string> {
                Extraction taken =
                    eval::ExtractCandidate(call_.answer.content, call_.answer.finish_reason, task_);
                if (taken.ok) return ExtractionToJson(taken, nullptr);
                Verdict verdict =
                    rooms_.rooms.evaluator->Malformed(task_, taken, rooms_.config.seed);
                return ExtractionToJson(taken, &verdict);
              }));
    KW_ASSIGN(std::optional<Verdict> ended, EndedWith(done.result));
    if (!ended) {
      KW_ASSIGN(source_, StringIn(done.result, "source"));
    }
    return Keep(done, results_.extract);
  }

  Result<void> BuildAndJudge() {
    eval::Evaluator& evaluator = *rooms_.rooms.evaluator;
    Hasher inputs;
    inputs.Add(source_).Add(task_.hash).Add(rooms_.config.device);
    KW_ASSIGN(Steps::Outcome done,
              rooms_.steps.Once(plan_.step + "/build", inputs, [&]() -> Result<std::string> {
                rooms_.reporter.Stage(task_.name, "build");
                KW_ASSIGN(built_, evaluator.Build(task_, source_));
                if (built_.ok) return BuildToJson(built_, nullptr);
                Verdict verdict = evaluator.BuildFailed(task_, source_, built_, rooms_.config.seed);
                return BuildToJson(built_, &verdict);
              }));
    KW_TRY(Keep(done, results_.build));
    KW_ASSIGN(std::optional<Verdict> ended, EndedWith(results_.build));
    if (ended) return {};

    inputs.Add(static_cast<int64_t>(rooms_.config.seed)).Add(rooms_.config.effort);
    KW_ASSIGN(done, rooms_.steps.Once(plan_.step + "/judge", inputs, [&] { return Judge(); }));
    return Keep(done, results_.judge);
  }

  Result<std::string> Judge() {
    eval::Evaluator& evaluator = *rooms_.rooms.evaluator;
    if (!built_.ok) {
      // Built before the run was interrupted, into a cache that may be gone.
      KW_ASSIGN(built_, BuildFromJson(results_.build));
      if (!FileExists(built_.object_path)) {
        KW_ASSIGN(built_, evaluator.Build(task_, source_));
      }
    }
    eval::EvaluateOptions options{.seed = rooms_.config.seed};
    if (auto effort = eval::EffortFromName(rooms_.config.effort)) options.effort = *effort;
    options.progress = [this](const std::string& stage) {
      rooms_.reporter.Stage(task_.name, stage);
    };
    KW_ASSIGN(Verdict verdict, evaluator.Judge(task_, source_, built_, options));
    Json json = Json::object();
    KW_ASSIGN(json["verdict"], VerdictJson(verdict));
    return DumpJson(json);
  }

  Result<void> Keep(Steps::Outcome& done, std::string& to) {
    fresh_ = fresh_ || done.fresh;
    to = std::move(done.result);
    return {};
  }

  const AttemptRooms& rooms_;
  const Task& task_;
  const AttemptPlan& plan_;
  ModelCall call_;
  std::string source_;
  BuildOutcome built_;  // ok once it is known here
  AttemptResults results_;
  bool fresh_ = false;
};

}  // namespace

Result<AttemptRecord> RunAttempt(const AttemptRooms& rooms, const Task& task,
                                 const AttemptPlan& plan) {
  return AttemptRun(rooms, task, plan).Run();
}

Result<std::optional<AttemptRecord>> AttemptFromResults(const std::string& step,
                                                        const AttemptResults& results) {
  std::optional<Verdict> ended;
  for (const std::string* result : {&results.extract, &results.build, &results.judge}) {
    KW_ASSIGN(std::optional<Verdict> here, EndedWith(*result));
    if (here) ended = std::move(here);
  }
  if (!ended || results.generate.empty()) return std::optional<AttemptRecord>();
  AttemptRecord record;
  record.step = step;
  record.verdict = std::move(*ended);
  std::vector<std::string_view> parts = Split(step, '/');
  if (parts.size() != 5) return Fail(ErrorCode::kCorrupt, "the journal: odd step " + step);
  record.epoch = NumberOf(parts[0]);
  record.batch = NumberOf(parts[1]);
  record.task = parts[2];
  record.chain = NumberOf(parts[3]);
  record.iteration = NumberOf(parts[4]);
  KW_ASSIGN(record.source, StringIn(results.extract, "source"));
  KW_TRY(ReadCall(record, results.generate));
  return std::optional<AttemptRecord>(std::move(record));
}

bool IsVoid(const eval::Verdict& verdict) {
  return verdict.status == eval::Status::kUnsupported || verdict.environmental;
}

}  // namespace kw
