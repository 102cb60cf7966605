// The run journal (docs/formats/journal.md): runs/NAME/run.db. Every step of a run has a key, the
// hash of its inputs, its result and its cost, and commits in one transaction with its effects.
//
//   KW_ASSIGN(std::optional<StepRow> done, journal->Find("e1/b0/softmax/s0/i0/generate", inputs));
//   if (!done) { ... do it ...; KW_TRY(journal->Commit(row, /*effect=*/nullptr)); }
//
// Effects on the bank go into an outbox with the step that has them, and from there to the bank:
// ApplyEffect does it once, however often it is asked. Thread-safe. One process writes a journal
// at a time; others read it while it is written.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kw/agent.h"

namespace kw {

struct StepRow {
  std::string key, kind;  // kind: the last part of the key, without its number or /retry
  std::string input_hash;
  std::string result;  // JSON
  int64_t model_calls = 0, prompt_tokens = 0, completion_tokens = 0;
  double cost_usd = 0;
  int64_t finished_unix_us = 0, duration_us = 0;
  // Of a step with model calls: RoleName of who asked, and the model as its endpoint names it.
  std::string role, model;
  // As of Usage.
  int64_t cached_tokens = 0, reasoning_tokens = 0, estimated_calls = 0;
  int64_t stopped_answers = 0, saved_tokens = 0;
};

// What is fixed when a run starts.
struct RunHeader {
  std::string uuid, name;
  std::string config;  // RunConfigToJson
  std::string prompts_hash, model_description, device;
  bool simulated = false;
  int64_t bank_sequence = 0;  // the run reads the bank as of this number, plus its own items
  std::vector<std::string> tasks, task_hashes;  // names, in the configuration's order
  int64_t started_unix_us = 0;
};

struct RunState {
  std::string state;  // running | finished | stopped | failed
  std::string message;
};

struct EffectRow {
  std::string step, change;  // change: JSON
  bool applied = false;
  std::vector<int64_t> ids;  // of the new items and rules, when applied
};

struct EpochRow {
  int epoch = 0;
  int64_t memory_items = 0, rules = 0;
};

// Natural order of keys: i2 before i10.
bool StepKeyLess(std::string_view a, std::string_view b);

class Journal {
 public:
  // Where a process could die: "commit" before a step is committed, "committed" after it,
  // "apply" before an effect goes to the bank, "applied" between the bank and the mark. For
  // tests: once it returns false nothing is written any more (kCancelled).
  using Seam = std::function<bool(std::string_view point)>;

  // Makes FOLDER/run.db; kConflict when there is one, or when another process is at it.
  static Result<std::unique_ptr<Journal>> Create(const std::string& folder, const RunHeader& header,
                                                 Seam seam = {});
  // For resuming. kNotFound, kConflict (another process runs it), kCorrupt.
  static Result<std::unique_ptr<Journal>> Open(const std::string& folder, Seam seam = {});
  static Result<std::unique_ptr<Journal>> OpenForReading(const std::string& folder);
  ~Journal();

  const RunHeader& header() const;
  // The finished step; nothing when it is not finished; kConflict when it was done with other
  // inputs: prompts, configuration or tasks have changed since.
  [[nodiscard]] Result<std::optional<StepRow>> Find(const std::string& key,
                                                    const std::string& input_hash) const;
  [[nodiscard]] Result<void> Commit(const StepRow& step, const BankChange* effect);
  [[nodiscard]] Result<std::optional<EffectRow>> Effect(const std::string& step) const;
  // Brings a step's effect to the bank, if it has one that is not there yet. The ids that the bank
  // gave (those of items, then those of rules), the first time and every time. `vectors`: of its
  // new items, where the bank's embedder was asked for them already.
  [[nodiscard]] Result<std::vector<int64_t>> ApplyEffect(
      const std::string& step, Bank& bank, std::vector<std::vector<float>> vectors = {});

  [[nodiscard]] Result<void> SetState(const RunState& state);
  [[nodiscard]] Result<RunState> State() const;
  [[nodiscard]] Result<void> SetConfig(const std::string& config);
  [[nodiscard]] Result<void> SetEpoch(const EpochRow& epoch);
  [[nodiscard]] Result<std::vector<EpochRow>> Epochs() const;

  // In natural order of keys.
  [[nodiscard]] Result<std::vector<StepRow>> Steps() const;
  [[nodiscard]] Result<std::vector<EffectRow>> Effects() const;
  // Of all steps whose key begins so.
  [[nodiscard]] Result<UsageByRole> UsageBelow(const std::string& prefix) const;

 private:
  struct Impl;
  explicit Journal(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// An effect as the outbox keeps it, and back.
std::string BankChangeToJson(const BankChange& change);
[[nodiscard]] Result<BankChange> BankChangeFromJson(std::string_view json);

}  // namespace kw
