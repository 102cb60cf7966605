// Steps done exactly once: what the journal holds is taken from it, what it lacks is done and
// committed. Thread-safe.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "budget.h"
#include "journal.h"
#include "kw/agent.h"
#include "kw/base/hash.h"

namespace kw {

// A finished model call.
struct ModelCall {
  std::string model;  // that was asked, as the configuration names it; "" in journals of before
  std::vector<ChatMessage> messages;
  ChatAnswer answer;
  std::string notes;   // JSON: what the caller wanted kept with it
  std::string result;  // as the journal keeps it
  bool fresh = false;  // made now, not taken from the journal
};
[[nodiscard]] Result<ModelCall> ModelCallFromJson(std::string_view result);

class Steps {
 public:
  // All outlive it. `cancelled` is asked before each step that has to be done; may be empty.
  Steps(const RunConfig& config, const RunRooms& rooms, Journal& journal,
        std::function<bool()> cancelled);

  // The result of a step. `work` is called when it is not finished yet; `effect`, when given, is
  // committed with it and waits in the outbox.
  struct Outcome {
    std::string result;
    bool fresh = false;
  };
  [[nodiscard]] Result<Outcome> Once(const std::string& key, const Hasher& inputs,
                                     const std::function<Result<std::string>()>& work,
                                     const BankChange* effect = nullptr);

  // A step that is one model call, asked with a seed of its own.
  struct Question {
    std::vector<ChatMessage> messages;
    ModelRole role = ModelRole::kAuthor;
    int turn = 0;       // of several authors: whose it is
    std::string queue;  // the task that it is about: tasks that wait are served in turn
    std::function<bool(std::string_view)> is_complete;  // of ChatRequest; may be empty
    std::string notes;  // JSON, kept with the answer; part of the inputs
    std::function<std::optional<BankChange>(const ChatAnswer&)> effect;  // may be empty
  };
  [[nodiscard]] Result<ModelCall> Ask(const std::string& key, const Question& question);

  // A step that makes vectors of texts. None where the bank's embedder is the built-in one.
  using Vectors = std::vector<std::vector<float>>;
  [[nodiscard]] Result<Vectors> Embed(const std::string& key,
                                      const std::vector<std::string>& texts);

  uint64_t SeedOf(const std::string& key) const;
  // What a question of this role is asked with.
  RoleConfig RoleOf(ModelRole role, int turn) const;
  // kCancelled when the run is to stop: asked to, or after an error in another thread.
  [[nodiscard]] Result<void> KeepGoing() const;

 private:
  // `spent`: what the journal has already.
  Steps(const RunConfig& config, const RunRooms& rooms, Journal& journal,
        std::function<bool()> cancelled, UsageByRole spent);
  ChatModel& ModelOf(ModelRole role) const;
  // What a request may cost at most.
  Amount MostOf(const ChatRequest& request, ModelRole role) const;
  Result<void> Commit(StepRow row, const BankChange* effect);
  template <class T>
  Result<T> StopOnError(Result<T> result);

  const RunConfig& config_;
  const RunRooms& rooms_;
  Journal& journal_;
  std::function<bool()> cancelled_;
  Budget budget_;
  std::atomic<bool> stopped_ = false;
};

}  // namespace kw
