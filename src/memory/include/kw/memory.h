// memory: what was learned. Memory items and rules in SQLite (the truth), full text in FTS5 and
// vectors in FAISS (indexes that can be rebuilt), and the built-in embedder.
//
//   KW_ASSIGN(std::unique_ptr<Bank> bank, Bank::Open(path, MakeHashEmbedder()));
//   KW_TRY(bank->Apply(key, items));                    // idempotent by (run, step, ordinal)
//   KW_ASSIGN(std::vector<Found> found, bank->Search({.text = task_text, .k = 3}));
//
// Every applied change advances the bank's sequence number; a search can look at the bank as of a
// number, plus one run's own items: what it finds, and how it ranks, then does not depend on what
// others add later. Thread-safe. Any number of processes may read while one writes; a second
// writer waits for the first, kConflict after 10 s.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kw/base/error.h"

namespace kw {

// Text to a vector of unit length. Deterministic unless its name says otherwise. Thread-safe.
class Embedder {
 public:
  virtual ~Embedder() = default;
  virtual std::string name() const = 0;  // with its version: vectors of two names never mix
  virtual int dimension() const = 0;     // 0: not known until it has embedded a text
  [[nodiscard]] virtual Result<std::vector<std::vector<float>>> Embed(
      const std::vector<std::string>& texts) = 0;
};
// Hashed word and character n-grams, normalised; no download, no model. The same bits on every
// machine.
std::unique_ptr<Embedder> MakeHashEmbedder(int dimension = 512);

// Where something was learned from.
struct Provenance {
  std::string run;  // run uuid
  std::string run_name;
  std::string step;  // "e1/b0/softmax/learn/items"
  int ordinal = 0;   // within the step
  std::string task, op_type;
  std::string outcome;  // success | failure | contrast
  std::string candidate_hash;
  std::string model;  // who wrote it; the simulated author is named so
};

struct MemoryItem {
  int64_t id = 0;  // given by the bank
  std::string title, description, content;
  Provenance from;
  int64_t sequence = 0;          // the bank's number when it was added
  int64_t uses = 0;              // times it was put into a prompt
  int64_t wins = 0, losses = 0;  // attempts with it that passed, that did not
  int64_t merged = 0;            // near duplicates folded into it
};

struct Rule {
  int64_t id = 0;
  std::string text;
  std::string state;                                 // kept | undecided | dropped
  int64_t aligned = 0, misaligned = 0, unknown = 0;  // decided pairs, all batches
  Provenance from;
  int64_t sequence = 0;
};

struct Found {
  MemoryItem item;
  double score = 0;                   // reciprocal rank fusion
  int dense_rank = 0, text_rank = 0;  // 1-based; 0: not in that list
};

struct SearchRequest {
  std::string text;
  int k = 3;
  int64_t as_of = -1;   // sequence number; -1: now
  std::string own_run;  // items of this run count at any number
  // Of TextToEmbed, where somebody has asked the embedder already; empty: the bank asks it.
  std::vector<float> vector;
};
// What a search embeds.
std::string TextToEmbed(const SearchRequest& request);

struct BankStats {
  int64_t items = 0, rules_kept = 0, rules_undecided = 0, rules_dropped = 0;
  int64_t sequence = 0, uses = 0, wins = 0, losses = 0;
  std::string embedder;
  int64_t file_bytes = 0;
};

// What one step of a run does to the bank. Applying the same (run, step) again changes nothing and
// gives the first answer again.
struct BankChange {
  std::string run, step;
  // What the run sees, besides its own: a new item is merged only into an item that it sees.
  int64_t as_of = -1;
  std::vector<MemoryItem> new_items;  // `from` filled in; ids are given
  // Of TextsToEmbed, where somebody has asked the embedder already; empty: the bank asks it.
  std::vector<std::vector<float>> vectors;
  // Rules that this step adds (id 0) or sets anew (id > 0: text, state and counts as given); those
  // not named stay as they are.
  std::vector<Rule> rules;
  struct Outcome {
    int64_t item = 0;
    bool used = true;
    int64_t wins = 0, losses = 0;
  };
  std::vector<Outcome> outcomes;
};
// What applying a change embeds: one text a new item.
std::vector<std::string> TextsToEmbed(const BankChange& change);
struct Applied {
  int64_t sequence = 0;           // the bank's number afterwards
  std::vector<int64_t> item_ids;  // per new item: its id, or the one it merged into
  std::vector<int64_t> rule_ids;  // per rule
};

class Bank {
 public:
  // Creates the file when it is missing. kCorrupt for a file that is no bank or fails its checks;
  // kConflict when its vectors come from another embedder (says which, and how to rebuild). With
  // no embedder a bank of any embedder opens, and everything works but Search and new items. An
  // embedder that does not know its dimension is asked for nothing: a new bank takes that of its
  // first vector.
  static Result<std::unique_ptr<Bank>> Open(const std::string& path,
                                            std::unique_ptr<Embedder> embedder);
  virtual ~Bank() = default;

  // All of the change or nothing: kInvalid (an empty item or rule, an unknown state), kNotFound (an
  // item or rule that is not here). On return it is on the disk.
  [[nodiscard]] virtual Result<Applied> Apply(const BankChange& change) = 0;
  [[nodiscard]] virtual Result<std::vector<Found>> Search(const SearchRequest& request) = 0;
  // Rules of a state ("" = all), in order of id, as of a sequence number (plus one run's own).
  [[nodiscard]] virtual Result<std::vector<Rule>> Rules(const std::string& state,
                                                        int64_t as_of = -1,
                                                        const std::string& own_run = "") = 0;
  [[nodiscard]] virtual Result<std::vector<MemoryItem>> Items(int64_t offset, int64_t limit) = 0;
  [[nodiscard]] virtual Result<MemoryItem> Item(int64_t id) = 0;  // kNotFound
  [[nodiscard]] virtual Result<BankStats> Stats() = 0;
  [[nodiscard]] virtual Result<int64_t> Sequence() = 0;
  // The whole content in a canonical text form, JSON lines, without run uuids, run names and
  // times: equal banks, equal text.
  [[nodiscard]] virtual Result<std::string> CanonicalDump() = 0;
};

// Embeds every item of a bank anew, after a change of embedder. Nothing is merged or lost. Stopped,
// it goes on where it was when it is called again; until it is done the bank is as it was.
[[nodiscard]] Result<void> RebuildBank(const std::string& path, std::unique_ptr<Embedder> embedder);

}  // namespace kw
