// Learners: what is recalled before a task, and what is learned from a batch. Nothing is learned
// while a batch is under way, so that all its tasks recall the same.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "attempt.h"
#include "journal.h"
#include "prompt_views.h"
#include "prompts.h"
#include "steps.h"

namespace kw {

// What became of one task in a batch. The attempts are in order of chain and iteration.
struct Trajectory {
  const eval::Task* task = nullptr;
  Lessons lessons;
  std::vector<AttemptRecord> attempts;
};

// Earlier attempts by task, in order, up to the batch before.
using History = std::map<std::string, std::vector<AttemptRecord>>;

// What learners work with; all outlive them. `bank` is null when the learner is none.
struct LearnerRooms {
  const RunConfig& config;
  const PromptSet& prompts;
  const eval::DeviceSheet& sheet;
  Journal& journal;
  Steps& steps;
  Bank* bank;
  const History& history;
};

class Learner {
 public:
  virtual ~Learner() = default;
  // `batch`: "e1/b0". Called from several threads.
  [[nodiscard]] virtual Result<Lessons> Recall(const eval::Task& task,
                                               const std::string& batch) = 0;
  // Learns from a whole batch, in the order of its tasks.
  [[nodiscard]] virtual Result<void> Learn(const std::string& batch,
                                           const std::vector<Trajectory>& trajectories) = 0;
};

// `name`: none | reasoning_bank | evolrule.
[[nodiscard]] Result<std::unique_ptr<Learner>> MakeLearner(const std::string& name,
                                                           const LearnerRooms& rooms);
std::unique_ptr<Learner> MakeReasoningBank(const LearnerRooms& rooms);
[[nodiscard]] Result<std::unique_ptr<Learner>> MakeEvolRule(const LearnerRooms& rooms);

// Asks `prompt`; an answer that `read` refuses is asked for once more with its complaint, and then
// left out: nothing. `effect`, where given, is committed with the answer that could be read.
template <class T>
struct Inquiry {
  std::string step;
  ChatMessage prompt;
  ModelRole role = ModelRole::kExtractor;
  std::string queue;  // the task that it is about
  std::function<Result<T>(const ChatAnswer&)> read;
  std::function<std::optional<BankChange>(const T&, const std::string& step)> effect;
};
template <class T>
Result<std::optional<T>> Inquire(const LearnerRooms& rooms, const Inquiry<T>& inquiry);

// Lessons as a recall's result in the journal, and back.
std::string LessonsToJson(const Lessons& lessons, int64_t sequence);
[[nodiscard]] Result<Lessons> LessonsFromJson(std::string_view json);

// Where an item or rule comes from. `authors` wrote what it was learned from; none: all of the run.
Provenance ProvenanceOf(const LearnerRooms& rooms, const std::string& step,
                        std::set<std::string> authors);

// ApplyEffect, with vectors that were made in a step of their own ("STEP/embed"). PrepareEffect
// makes them before, from several threads.
[[nodiscard]] Result<Steps::Vectors> PrepareEffect(const LearnerRooms& rooms,
                                                   const std::string& step);
[[nodiscard]] Result<void> BringEffect(const LearnerRooms& rooms, const std::string& step);

template <class T>
Result<std::optional<T>> Inquire(const LearnerRooms& rooms, const Inquiry<T>& inquiry) {
  std::vector<ChatMessage> messages = {inquiry.prompt};
  for (const std::string& step : {inquiry.step, inquiry.step + "/retry"}) {
    auto effect = [&](const ChatAnswer& answer) -> std::optional<BankChange> {
      Result<T> value = inquiry.read(answer);
      if (!value || !inquiry.effect) return std::nullopt;
      return inquiry.effect(*value, step);
    };
    KW_ASSIGN(ModelCall call, rooms.steps.Ask(step, {.messages = messages,
                                                     .role = inquiry.role,
                                                     .queue = inquiry.queue,
                                                     .effect = effect}));
    Result<T> value = inquiry.read(call.answer);
    if (value) return std::optional<T>(std::move(*value));
    KW_ASSIGN(std::string again,
              rooms.prompts.Render("retry", PromptValues().Text("problem", value.error().message)));
    messages.push_back({"assistant", call.answer.content});
    messages.push_back({"user", std::move(again)});
  }
  return std::optional<T>();
}

}  // namespace kw
