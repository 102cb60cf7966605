#include "method.h"

#include <fmt/format.h>

#include "kw/base/json.h"
#include "kw/base/parallel.h"
#include "kw/base/text.h"
#include "parent.h"
#include "sample_plan.h"

namespace kw {
namespace {

bool IsMalformed(const AttemptRecord& attempt) {
  return attempt.verdict.status == eval::Status::kMalformed;
}

// The last attempt from which a kernel could be taken; -1 when there is none.
int LastWellFormed(const std::vector<AttemptRecord>& chain) {
  for (size_t i = chain.size(); i-- > 0;) {
    if (!IsMalformed(chain[i])) return static_cast<int>(i);
  }
  return -1;
}

std::string AttemptTitle(int index) { return fmt::format("Attempt {}", index + 1); }

// What all prompts that ask for a kernel share.
PromptValues CommonValues(const ChainView& view) {
  PromptValues values = TaskView(view.task, view.sheet);
  AddLessons(values, view.lessons);
  bool malformed = !view.chain.empty() && IsMalformed(view.chain.back());
  values.Text("malformed", malformed ? view.chain.back().verdict.feedback : "");
  return values;
}

AttemptPlan EmptyPlan(const ChainView& view) {
  AttemptPlan plan{.step = view.step};
  for (const Lesson& lesson : view.lessons.lessons) plan.lessons.push_back(lesson.id);
  return plan;
}

class Independent : public Method {
 public:
  explicit Independent(const PromptSet& prompts) : prompts_(prompts) {}

  Result<AttemptPlan> Plan(const ChainView& view) override {
    AttemptPlan plan = EmptyPlan(view);
    KW_ASSIGN(plan.prompt, prompts_.Message("generate", CommonValues(view)));
    return plan;
  }

 private:
  const PromptSet& prompts_;
};

// Sees its last kernel and, when another was better, its best.
class Refine : public Method {
 public:
  explicit Refine(const PromptSet& prompts) : prompts_(prompts) {}

  Result<AttemptPlan> Plan(const ChainView& view) override {
    AttemptPlan plan = EmptyPlan(view);
    PromptValues values = CommonValues(view);
    if (view.chain.empty()) {
      KW_ASSIGN(plan.prompt, prompts_.Message("generate", values));
      return plan;
    }
    std::vector<PromptValues> shown;
    int last = LastWellFormed(view.chain), best = Best(view.chain);
    if (best >= 0 && best != last) shown.push_back(View(view, best));
    if (last >= 0) {
      shown.push_back(View(view, last));
      plan.parent = view.chain[static_cast<size_t>(last)].step;
    }
    values.List("attempts", std::move(shown));
    KW_ASSIGN(plan.prompt, prompts_.Message("refine", values));
    return plan;
  }

 private:
  static int Best(const std::vector<AttemptRecord>& chain) {
    int best = -1;
    for (size_t i = 0; i < chain.size(); ++i) {
      if (!chain[i].verdict.passed()) continue;
      if (best < 0 ||
          CompareVerdicts(chain[i].verdict, chain[static_cast<size_t>(best)].verdict) >= 0) {
        best = static_cast<int>(i);
      }
    }
    return best;
  }

  static PromptValues View(const ChainView& view, int index) {
    return AttemptView(view.chain[static_cast<size_t>(index)], AttemptTitle(index));
  }

  const PromptSet& prompts_;
};

class Metr : public Method {
 public:
  Metr(const PromptSet& prompts, Steps& steps) : prompts_(prompts), steps_(steps) {}

  Result<AttemptPlan> Plan(const ChainView& view) override {
    KW_ASSIGN(int parent, DrawParent(view));
    AttemptPlan plan = EmptyPlan(view);
    PromptValues values = CommonValues(view);
    if (parent == Parent::kNone) {
      values.List("attempts", {});
      KW_ASSIGN(plan.prompt, prompts_.Message(view.chain.empty() ? "generate" : "refine", values));
      return plan;
    }
    if (parent == Parent::kBaseline) {
      AttemptRecord baseline = BaselineAttempt(view.task, view.sheet);
      plan.parent = baseline.step;
      values.List("parent", {AttemptView(baseline, "the baseline kernel")});
    } else {
      const AttemptRecord& attempt = view.chain[static_cast<size_t>(parent)];
      plan.parent = attempt.step;
      values.List("parent", {AttemptView(attempt, "an earlier kernel of yours")});
    }
    KW_ASSIGN(plan.prompt, prompts_.Message("metr", values));
    return plan;
  }

 private:
  // After an answer without a kernel the last well-formed one is shown; else the parent is drawn.
  Result<int> DrawParent(const ChainView& view) {
    std::string key = view.step + "/draw";
    bool has_baseline = !view.task.BaselineFor(view.sheet.sm).empty();
    Hasher inputs;
    for (const AttemptRecord& attempt : view.chain) {
      inputs.Add(attempt.step)
          .Add(attempt.verdict.candidate_hash)
          .Add(VerdictLine(attempt.verdict));
    }
    KW_ASSIGN(Steps::Outcome done, steps_.Once(key, inputs, [&]() -> Result<std::string> {
      Parent parent = SampleParent(view.chain, has_baseline, steps_.SeedOf(key));
      if (!view.chain.empty() && IsMalformed(view.chain.back()) &&
          LastWellFormed(view.chain) >= 0) {
        parent = {LastWellFormed(view.chain),
                  "the last answer was malformed: the kernel before it"};
      }
      return DumpJson(Json{{"parent", parent.index}, {"why", parent.why}});
    }));
    KW_ASSIGN(Json json, ParseJson(done.result, "the journal: draw"));
    ObjectReader reader(json, "the journal: draw");
    KW_ASSIGN(int64_t index, reader.Required<int64_t>("parent"));
    if (index < Parent::kNone || index >= static_cast<int64_t>(view.chain.size())) {
      return Fail(ErrorCode::kCorrupt, "the journal: a parent that is not in the chain");
    }
    return static_cast<int>(index);
  }

  const PromptSet& prompts_;
  Steps& steps_;
};

Result<std::vector<AttemptRecord>> RunChain(const AttemptRooms& rooms, Method& method,
                                            const eval::Task& task, const Lessons& lessons,
                                            const std::string& chain_key, int chain_number) {
  std::vector<AttemptRecord> chain;
  for (int i = 0; i < rooms.config.iterations; ++i) {
    KW_ASSIGN(AttemptPlan plan, method.Plan({task, rooms.rooms.evaluator->sheet(), lessons, chain,
                                             fmt::format("{}/i{}", chain_key, i)}));
    plan.turn = chain_number + i;
    KW_ASSIGN(AttemptRecord record, RunAttempt(rooms, task, plan));
    chain.push_back(std::move(record));
  }
  return chain;
}

}  // namespace

Result<std::unique_ptr<Method>> MakeMethod(const std::string& name, const PromptSet& prompts,
                                           Steps& steps) {
  std::unique_ptr<Method> method;
  if (name == "base" || name == "best_of_n") method = std::make_unique<Independent>(prompts);
  if (name == "refine") method = std::make_unique<Refine>(prompts);
  if (name == "metr") method = std::make_unique<Metr>(prompts, steps);
  if (!method) return Fail(ErrorCode::kInvalid, UnknownName("method.name", name, MethodNames()));
  return method;
}

Result<std::vector<AttemptRecord>> SolveTask(const AttemptRooms& rooms, Method& method,
                                             const eval::Task& task, const Lessons& lessons,
                                             const std::string& prefix) {
  using Chain = std::vector<AttemptRecord>;
  KW_ASSIGN(std::vector<Chain> chains,
            ParallelMap<Chain>(static_cast<size_t>(rooms.config.parallel),
                               rooms.config.max_in_flight, [&](size_t s) {
                                 return RunChain(rooms, method, task, lessons,
                                                 fmt::format("{}/s{}", prefix, s),
                                                 static_cast<int>(s));
                               }));
  std::vector<AttemptRecord> attempts;
  for (Chain& chain : chains) {
    for (AttemptRecord& attempt : chain) attempts.push_back(std::move(attempt));
  }
  return attempts;
}

}  // namespace kw
