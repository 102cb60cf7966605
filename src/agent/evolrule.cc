// EvolRule (after AutoRule, arXiv 2506.15651): rules from comparing kernels, kept when the kernels
// that follow them are the better ones.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "alignment.h"
#include "kw/base/json.h"
#include "kw/base/parallel.h"
#include "kw/base/random.h"
#include "kw/base/text.h"
#include "learner.h"

namespace kw {
namespace {

using eval::Task;

constexpr size_t kEarlierKernels = 4;   // of a task, beside those of the batch
constexpr size_t kAnalysedKernels = 4;  // the two best and the two worst
constexpr size_t kMaxAnalysisBytes = 64 << 10;

struct Kernel {
  AttemptRecord attempt;
  bool is_new = false;
  std::string id;  // names it in step keys
};

struct TaskKernels {
  const Task* task = nullptr;
  std::vector<Kernel> kernels;
  bool any_new = false;
};

struct Statement {
  std::string text;
  const Task* task = nullptr;
  std::set<std::string> authors;  // of the kernels that were compared
};

bool IsComparable(const AttemptRecord& attempt) {
  return !IsVoid(attempt.verdict) && attempt.verdict.status != eval::Status::kMalformed &&
         !attempt.source.empty();
}

// Best first. A total order: correct, then speedup, then how far it got.
bool BetterFirst(const Kernel* a, const Kernel* b) {
  const eval::Verdict &x = a->attempt.verdict, &y = b->attempt.verdict;
  if (x.passed() != y.passed()) return x.passed();
  if (x.passed() && x.speedup != y.speedup) return x.speedup > y.speedup;
  return x.progress() > y.progress();
}

class EvolRule : public Learner {
 public:
  explicit EvolRule(const LearnerRooms& rooms) : rooms_(rooms) {}

  // The rules of earlier runs, as of this one's start. From here on the set is kept here, since
  // on a resume the bank holds what later batches wrote.
  Result<void> Load() {
    for (const std::string state : {"kept", "undecided", "dropped"}) {
      KW_ASSIGN(std::vector<Rule> rules,
                rooms_.bank->Rules(state, rooms_.journal.header().bank_sequence));
      for (Rule& rule : rules) rules_[rule.id] = std::move(rule);
    }
    return {};
  }

  Result<Lessons> Recall(const Task& task, const std::string& batch) override {
    Lessons lessons{.rules = true};
    for (const Rule& rule : RulesIn("kept")) {
      if (lessons.lessons.size() == static_cast<size_t>(rooms_.config.max_rules)) break;
      lessons.lessons.push_back({.id = rule.id, .content = rule.text});
    }
    Hasher inputs;
    inputs.Add(task.hash);
    for (const Lesson& lesson : lessons.lessons) inputs.Add(lesson.id).Add(lesson.content);
    KW_ASSIGN(Steps::Outcome done, rooms_.steps.Once(fmt::format("{}/{}/recall", batch, task.name),
                                                     inputs, [&]() -> Result<std::string> {
                                                       KW_ASSIGN(int64_t sequence,
                                                                 rooms_.bank->Sequence());
                                                       return LessonsToJson(lessons, sequence);
                                                     }));
    return LessonsFromJson(done.result);
  }

  Result<void> Learn(const std::string& batch,
                     const std::vector<Trajectory>& trajectories) override {
    std::vector<TaskKernels> tasks;
    for (const Trajectory& trajectory : trajectories) tasks.push_back(KernelsOf(trajectory));
    using Statements = std::vector<Statement>;
    KW_ASSIGN(std::vector<Statements> found,
              ParallelMap<Statements>(tasks.size(), rooms_.config.max_in_flight,
                                      [&](size_t i) { return FindRules(batch, tasks[i]); }));
    KW_ASSIGN(std::vector<RuleCandidate> candidates, Merge(batch, Fresh(found)));
    KW_TRY(Align(batch, Sampled(batch, tasks), candidates));
    return Commit(batch, candidates);
  }

 private:
  std::vector<Rule> RulesIn(const std::string& state) const {
    std::vector<Rule> rules;
    for (const auto& [id, rule] : rules_) {
      if (rule.state == state) rules.push_back(rule);
    }
    return rules;
  }

  // The batch's kernels, some earlier ones and the baseline, each source once.
  TaskKernels KernelsOf(const Trajectory& trajectory) const {
    TaskKernels result{.task = trajectory.task};
    std::set<std::string> seen, earlier_ids;
    auto add = [&](const AttemptRecord& attempt, bool is_new) {
      Hasher hasher;
      hasher.Add(trajectory.task->name).Add(attempt.source);
      std::string id = hasher.Hex().substr(0, 16);
      if (!seen.insert(id).second) return;
      result.kernels.push_back({attempt, is_new && !earlier_ids.contains(id), id});
      result.any_new = result.any_new || result.kernels.back().is_new;
    };
    static const std::vector<AttemptRecord> kNone;
    auto found = rooms_.history.find(trajectory.task->name);
    const std::vector<AttemptRecord>& earlier =
        found == rooms_.history.end() ? kNone : found->second;
    for (const AttemptRecord& attempt : earlier) {
      Hasher hasher;
      hasher.Add(trajectory.task->name).Add(attempt.source);
      earlier_ids.insert(hasher.Hex().substr(0, 16));
    }
    for (const AttemptRecord& attempt : trajectory.attempts) {
      if (IsComparable(attempt)) add(attempt, true);
    }
    size_t limit = result.kernels.size() + kEarlierKernels;
    for (auto it = earlier.rbegin(); it != earlier.rend() && result.kernels.size() < limit; ++it) {
      if (IsComparable(*it)) add(*it, false);
    }
    AttemptRecord baseline = BaselineAttempt(*trajectory.task, rooms_.sheet);
    if (!baseline.source.empty()) add(baseline, false);
    return result;
  }

  // Comparative analysis of one task's kernels, and the rules in it.
  Result<std::vector<Statement>> FindRules(const std::string& batch, const TaskKernels& task) {
    std::vector<const Kernel*> ranked;
    for (const Kernel& kernel : task.kernels) ranked.push_back(&kernel);
    std::stable_sort(ranked.begin(), ranked.end(), BetterFirst);
    if (!task.any_new ||
        CompareVerdicts(ranked.front()->attempt.verdict, ranked.back()->attempt.verdict) <= 0) {
      return std::vector<Statement>();
    }
    if (ranked.size() > kAnalysedKernels) {
      ranked.erase(ranked.begin() + kAnalysedKernels / 2, ranked.end() - kAnalysedKernels / 2);
    }
    std::string prefix = fmt::format("{}/{}/learn", batch, task.task->name);
    KW_ASSIGN(std::optional<std::string> analysis, Analyse(prefix, *task.task, ranked));
    if (!analysis) return std::vector<Statement>();

    int most = rooms_.config.rules_per_task;
    PromptValues values = TaskInBrief(*task.task);
    values.Text("analysis", *analysis).Text("max_rules", fmt::format("{}", most));
    KW_ASSIGN(std::string prompt, rooms_.prompts.Render("rules", values));
    using Texts = std::vector<std::string>;
    KW_ASSIGN(std::optional<Texts> texts,
              Inquire<Texts>(rooms_, {.step = prefix + "/rules",
                                      .prompt = {"user", prompt},
                                      .queue = task.task->name,
                                      .read = [most, prompt](const ChatAnswer& answer) {
                                        return ParseRules(answer.content, most, prompt);
                                      }}));
    std::vector<Statement> statements;
    std::set<std::string> authors;
    for (const Kernel* kernel : ranked) {
      if (!kernel->attempt.author.empty()) authors.insert(kernel->attempt.author);
    }
    for (std::string& text : texts.value_or(Texts())) {
      statements.push_back({std::move(text), task.task, authors});
    }
    return statements;
  }

  Result<std::optional<std::string>> Analyse(const std::string& prefix, const Task& task,
                                             const std::vector<const Kernel*>& ranked) {
    PromptValues values = TaskInBrief(task);
    std::vector<PromptValues> views;
    for (const Kernel* kernel : ranked) {
      std::string title = fmt::format("Kernel {}{}", views.size() + 1,
                                      kernel->attempt.step == "baseline" ? ", the baseline" : "");
      views.push_back(AttemptView(kernel->attempt, std::move(title)));
    }
    values.List("attempts", std::move(views));
    KW_ASSIGN(std::string prompt, rooms_.prompts.Render("analyse", values));
    return Inquire<std::string>(rooms_,
                                {.step = prefix + "/analyse",
                                 .prompt = {"user", std::move(prompt)},
                                 .queue = task.name,
                                 .read = [](const ChatAnswer& answer) -> Result<std::string> {
                                   std::string text(Trim(answer.content));
                                   if (text.empty()) return Fail(ErrorCode::kParse, "it is empty");
                                   return Shorten(text, kMaxAnalysisBytes);
                                 }});
  }

  // All statements of the batch in the tasks' order, without those that were dropped before.
  std::vector<Statement> Fresh(const std::vector<std::vector<Statement>>& found) const {
    std::set<std::string> known;
    for (const Rule& rule : RulesIn("dropped")) known.insert(NormalisedRule(rule.text));
    std::vector<Statement> fresh;
    for (const std::vector<Statement>& of_task : found) {
      for (const Statement& statement : of_task) {
        if (known.insert(NormalisedRule(statement.text)).second) fresh.push_back(statement);
      }
    }
    return fresh;
  }

  Result<std::vector<RuleCandidate>> Merge(const std::string& batch,
                                           const std::vector<Statement>& fresh) {
    std::vector<Rule> old = RulesIn("kept");
    for (Rule& rule : RulesIn("undecided")) old.push_back(std::move(rule));
    std::vector<std::string> texts;
    for (const Statement& statement : fresh) texts.push_back(statement.text);
    int most = rooms_.config.max_rules;
    std::vector<MergedRule> unmerged;
    for (const std::string& text : texts) unmerged.push_back({text, {}});

    std::optional<std::vector<MergedRule>> merged;
    if (!fresh.empty() && old.size() + fresh.size() > 1) {
      KW_ASSIGN(merged, AskToMerge(batch + "/learn/merge", old, texts, most));
    }
    // Nothing to merge, or no readable answer: the statements as they are.
    std::vector<RuleCandidate> candidates =
        ResolveMerge(old, texts, merged.value_or(unmerged), most);
    int ordinal = 0;
    for (RuleCandidate& candidate : candidates) {
      if (candidate.rule.id != 0) continue;
      const Statement* statement =
          candidate.fresh < 0 ? nullptr : &fresh[static_cast<size_t>(candidate.fresh)];
      candidate.rule.from =
          ProvenanceOf(rooms_, batch + "/learn/commit",
                       statement == nullptr ? std::set<std::string>() : statement->authors);
      candidate.rule.from.outcome = "contrast";
      candidate.rule.from.ordinal = ordinal++;
      if (statement == nullptr) continue;
      const Task& task = *statement->task;
      candidate.rule.from.task = task.name;
      candidate.rule.from.op_type = task.op_type;
    }
    return candidates;
  }

  Result<std::optional<std::vector<MergedRule>>> AskToMerge(const std::string& step,
                                                            const std::vector<Rule>& old,
                                                            const std::vector<std::string>& fresh,
                                                            int most) {
    std::vector<PromptValues> listed;
    auto list = [&](const std::string& text) {
      listed.emplace_back().Text("number", fmt::format("{}", listed.size())).Text("text", text);
    };
    for (const Rule& rule : old) list(rule.text);
    for (const std::string& text : fresh) list(text);
    int count = static_cast<int>(listed.size());
    // Old rules are not crowded out: the limit is on what the batch adds.
    int entries = most + static_cast<int>(old.size());
    PromptValues values;
    values.List("rules", std::move(listed)).Text("max_rules", fmt::format("{}", entries));
    KW_ASSIGN(std::string prompt, rooms_.prompts.Render("merge", values));
    using Merged = std::vector<MergedRule>;
    return Inquire<Merged>(rooms_, {.step = step,
                                    .prompt = {"user", prompt},
                                    .role = ModelRole::kMerger,
                                    .read = [entries, count, prompt](const ChatAnswer& answer) {
                                      return ParseMergedRules(answer.content, entries, count,
                                                              prompt);
                                    }});
  }

  // At most align_tasks tasks with something new to say, drawn by the run's seed.
  std::vector<const TaskKernels*> Sampled(const std::string& batch,
                                          const std::vector<TaskKernels>& tasks) const {
    std::vector<const TaskKernels*> usable;
    for (const TaskKernels& task : tasks) {
      if (task.any_new && task.kernels.size() > 1) usable.push_back(&task);
    }
    auto limit = static_cast<size_t>(rooms_.config.align_tasks);
    if (usable.size() <= limit) return usable;
    Random random(rooms_.steps.SeedOf(batch + "/learn/align"));
    for (size_t i = 0; i < limit; ++i) {
      std::swap(usable[i], usable[i + random.Below(usable.size() - i)]);
    }
    usable.resize(limit);
    std::sort(usable.begin(), usable.end());  // they point into one array: the tasks' order
    return usable;
  }

  Result<void> Align(const std::string& batch, const std::vector<const TaskKernels*>& tasks,
                     std::vector<RuleCandidate>& candidates) {
    struct Question {
      size_t rule;
      const TaskKernels* task;
      const Kernel* kernel;
    };
    std::vector<Question> questions;
    for (size_t r = 0; r < candidates.size(); ++r) {
      for (const TaskKernels* task : tasks) {
        if (!candidates[r].align) continue;
        for (const Kernel& kernel : task->kernels) questions.push_back({r, task, &kernel});
      }
    }
    using Judgement = std::optional<bool>;
    KW_ASSIGN(std::vector<Judgement> answers,
              ParallelMap<Judgement>(questions.size(), rooms_.config.max_in_flight, [&](size_t i) {
                const Question& q = questions[i];
                return Judge(fmt::format("{}/learn/align/r{}/k{}", batch, q.rule, q.kernel->id),
                             candidates[q.rule].rule.text, *q.task->task, *q.kernel);
              }));
    for (size_t i = 0; i < questions.size();) {
      const Question& first = questions[i];
      std::vector<JudgedKernel> judged;
      for (; i < questions.size() && questions[i].rule == first.rule &&
             questions[i].task == first.task;
           ++i) {
        const Kernel& kernel = *questions[i].kernel;
        judged.push_back({&kernel.attempt, kernel.is_new, answers[i]});
      }
      Tally tally = CountPairs(judged);
      RuleCandidate& candidate = candidates[first.rule];
      candidate.rule.aligned += tally.aligned;
      candidate.rule.misaligned += tally.misaligned;
      candidate.rule.unknown += tally.unknown;
      candidate.changed = true;
    }
    for (RuleCandidate& candidate : candidates) {
      if (!candidate.align) continue;
      candidate.rule.state = StateOf(candidate.rule.aligned, candidate.rule.misaligned,
                                     rooms_.config.min_pairs, rooms_.config.keep_rate);
    }
    return {};
  }

  Result<std::optional<bool>> Judge(const std::string& step, const std::string& rule,
                                    const Task& task, const Kernel& kernel) {
    PromptValues values = TaskInBrief(task);
    values.Text("rule", rule).Text("source", ToValidUtf8(Trim(kernel.attempt.source)));
    KW_ASSIGN(ChatMessage prompt, rooms_.prompts.Message("judge", values));
    return Inquire<bool>(rooms_, {.step = step,
                                  .prompt = std::move(prompt),
                                  .role = ModelRole::kJudge,
                                  .queue = task.name,
                                  .read = [](const ChatAnswer& answer) -> Result<bool> {
                                    std::optional<bool> read = ParseJudgement(answer.content);
                                    if (read) return *read;
                                    return Fail(
                                        ErrorCode::kParse,
                                        "it does not hold exactly one of [[Yes]] and [[No]]");
                                  }});
  }

  Result<void> Commit(const std::string& batch, const std::vector<RuleCandidate>& candidates) {
    const RunHeader& header = rooms_.journal.header();
    std::string step = batch + "/learn/commit";
    BankChange change{.run = header.uuid, .step = step, .as_of = header.bank_sequence};
    Hasher inputs;
    Json written = Json::array();
    for (const RuleCandidate& candidate : candidates) {
      if (!candidate.changed) continue;
      const Rule& rule = candidate.rule;
      change.rules.push_back(rule);
      inputs.Add(rule.id).Add(rule.text).Add(rule.state).Add(rule.aligned).Add(rule.misaligned);
      written.push_back({{"id", rule.id},
                         {"text", rule.text},
                         {"state", rule.state},
                         {"aligned", rule.aligned},
                         {"misaligned", rule.misaligned},
                         {"unknown", rule.unknown}});
    }
    auto result = [&]() -> Result<std::string> { return DumpJson(Json{{"rules", written}}); };
    KW_TRY(rooms_.steps.Once(step, inputs, result, change.rules.empty() ? nullptr : &change));
    KW_ASSIGN(std::vector<int64_t> ids, rooms_.journal.ApplyEffect(step, *rooms_.bank));
    if (ids.size() != change.rules.size()) {
      return Fail(ErrorCode::kCorrupt, "the bank gave other ids than rules for step " + step);
    }
    for (size_t i = 0; i < ids.size(); ++i) {
      Rule rule = change.rules[i];
      rule.id = ids[i];
      rules_[rule.id] = std::move(rule);
    }
    return {};
  }

  LearnerRooms rooms_;
  std::map<int64_t, Rule> rules_;  // all states, by id
};

}  // namespace

Result<std::unique_ptr<Learner>> MakeEvolRule(const LearnerRooms& rooms) {
  auto learner = std::make_unique<EvolRule>(rooms);
  KW_TRY(learner->Load());
  return learner;
}

}  // namespace kw
