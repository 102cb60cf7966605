// Writing: one change is one transaction.
#include <fmt/format.h>

#include <string_view>

#include "bank_rows.h"
#include "sqlite_bank.h"
#include "words.h"

namespace kw {
namespace memory {
namespace {

// Two items of one kind whose vectors are at least this near say the same: the later one is
// counted with the earlier. With the built-in embedder a lesson with a few words changed lies
// above 0.93, the same advice in quite other words at 0.3 to 0.6 and so stays an item of its own,
// and different lessons below 0.35.
constexpr float kNearDuplicate = 0.92F;
std::string JoinIds(const std::vector<int64_t>& ids) {
  return fmt::format("{}", fmt::join(ids, " "));
}

std::vector<int64_t> SplitIds(const std::string& text) {
  std::vector<int64_t> ids;
  if (text.empty()) return ids;
  for (std::string_view part : Split(text, ' ')) ids.push_back(std::stoll(std::string(part)));
  return ids;
}

MemoryItem ValidItem(MemoryItem item) {
  for (std::string* text : {&item.title, &item.description, &item.content}) {
    *text = ToValidUtf8(Trim(*text));
  }
  return item;
}

Result<void> CheckChange(const BankChange& change) {
  if (change.run.empty() || change.step.empty()) {
    return Fail(ErrorCode::kInvalid, "a change to the bank needs its run and its step");
  }
  for (const MemoryItem& item : change.new_items) {
    if (EmbeddedText(item).find_first_not_of(" \t\r\n") == std::string::npos) {
      return Fail(ErrorCode::kInvalid, "a memory item of " + change.step + " says nothing");
    }
    const std::string& outcome = item.from.outcome;
    if (!outcome.empty() && KindOf(outcome) == 0) {
      return Fail(ErrorCode::kInvalid,
                  UnknownName("outcome", outcome, {"success", "failure", "contrast"}));
    }
  }
  for (const Rule& rule : change.rules) {
    if (Trim(rule.text).empty()) {
      return Fail(ErrorCode::kInvalid, "a rule of " + change.step + " says nothing");
    }
    if (rule.state != "kept" && rule.state != "undecided" && rule.state != "dropped") {
      return Fail(ErrorCode::kInvalid,
                  UnknownName("rule state", rule.state, {"kept", "undecided", "dropped"}));
    }
  }
  return {};
}

}  // namespace

Result<Applied> SqliteBank::Apply(const BankChange& change) {
  KW_TRY(CheckChange(change));
  if (!change.new_items.empty()) KW_TRY(NeedEmbedder("adding an item"));
  // An embedder may cost money: nothing that was applied is embedded again.
  KW_ASSIGN(const std::optional<Applied> earlier,
            Guarded("reading the memory bank",
                    [&]() -> Result<std::optional<Applied>> { return FindApplied(change); }));
  if (earlier) return *earlier;
  std::vector<std::vector<float>> vectors = change.vectors;
  if (vectors.empty() && !change.new_items.empty()) {
    KW_ASSIGN(vectors, Embed(TextsToEmbed(change)));
  }
  if (vectors.size() != change.new_items.size()) {
    return Fail(ErrorCode::kInternal, fmt::format("a change of {} items has {} vectors",
                                                  change.new_items.size(), vectors.size()));
  }
  if (!change.vectors.empty()) KW_TRY(CheckVectors(vectors));
  return Guarded("writing to the memory bank", [&]() { return ApplyLocked(change, vectors); });
}

void SqliteBank::TakeDimension(const std::vector<float>& vector) {
  const int dimension = static_cast<int>(vector.size());
  SQLite::Statement update(*database_, "UPDATE bank SET dimension = ?");
  update.bind(1, dimension);
  update.exec();
  dense_ = std::make_unique<DenseIndex>(dimension);
}

std::optional<Applied> SqliteBank::FindApplied(const BankChange& change) {
  SQLite::Statement select(
      *database_, "SELECT sequence, item_ids, rule_ids FROM changes WHERE run = ? AND step = ?");
  select.bind(1, change.run);
  select.bind(2, change.step);
  if (!select.executeStep()) return std::nullopt;
  return Applied{select.getColumn(0).getInt64(), SplitIds(select.getColumn(1).getString()),
                 SplitIds(select.getColumn(2).getString())};
}

Result<Applied> SqliteBank::ApplyLocked(const BankChange& change,
                                        const std::vector<std::vector<float>>& vectors) {
  SQLite::Transaction transaction(*database_, SQLite::TransactionBehavior::IMMEDIATE);
  if (const std::optional<Applied> earlier = FindApplied(change)) return *earlier;
  KW_ASSIGN(const BankState before, CatchUp());
  KW_TRY(CheckReferences(change));
  if (!vectors.empty()) KW_TRY(CheckDimension(before, vectors[0]));
  // Until the commit the vectors in memory may hold items that the file will not.
  dense_generation_ = -1;
  Applied applied;
  applied.sequence = before.sequence + 1;
  if (!vectors.empty() && dense_ == nullptr) TakeDimension(vectors[0]);
  Scope scope = ScopeOf(change.as_of, change.run);
  for (size_t i = 0; i < change.new_items.size(); ++i) {
    applied.item_ids.push_back(
        AddOrMerge(ValidItem(change.new_items[i]), change, applied.sequence, vectors[i], scope));
  }
  for (const Rule& rule : change.rules) {
    applied.rule_ids.push_back(WriteRule(rule, change, applied.sequence));
  }
  for (const BankChange::Outcome& outcome : change.outcomes) WriteOutcome(outcome);
  RecordChange(change, applied);
  transaction.commit();
  dense_sequence_ = applied.sequence;
  dense_generation_ = before.generation;
  return applied;
}

Result<void> SqliteBank::CheckReferences(const BankChange& change) {
  const auto has = [this](const char* sql, int64_t id) {
    SQLite::Statement select(*database_, sql);
    select.bind(1, id);
    return select.executeStep();
  };
  for (const BankChange::Outcome& outcome : change.outcomes) {
    if (!has("SELECT 1 FROM items WHERE id = ?", outcome.item)) {
      return Fail(ErrorCode::kNotFound, fmt::format("there is no memory item {}", outcome.item));
    }
  }
  for (const Rule& rule : change.rules) {
    if (rule.id != 0 && !has("SELECT 1 FROM rules WHERE id = ?", rule.id)) {
      return Fail(ErrorCode::kNotFound, fmt::format("there is no rule {}", rule.id));
    }
  }
  return {};
}

int64_t SqliteBank::AddOrMerge(const MemoryItem& item, const BankChange& change, int64_t sequence,
                               const std::vector<float>& vector, Scope& scope) {
  const int kind = KindOf(item.from.outcome);
  const std::vector<DenseHit> nearest = dense_->Search(vector, 1, scope, kind);
  int64_t id = 0;
  if (!nearest.empty() && nearest[0].similarity >= kNearDuplicate) {
    id = nearest[0].id;
    FoldInto(id, item);
  } else {
    id = InsertItem(item, sequence, vector);
  }
  scope.own.insert(id);
  WriteSource(id, item, change, sequence);
  return id;
}

void SqliteBank::FoldInto(int64_t id, const MemoryItem& item) {
  SQLite::Statement update(*database_,
                           "UPDATE items SET merged = merged + 1 + ?, uses = uses + ?, "
                           "wins = wins + ?, losses = losses + ? WHERE id = ?");
  int column = 0;
  for (int64_t value : {item.merged, item.uses, item.wins, item.losses, id}) {
    update.bind(++column, value);
  }
  update.exec();
}

int64_t SqliteBank::InsertItem(const MemoryItem& item, int64_t sequence,
                               const std::vector<float>& vector) {
  ItemKey key;
  key.id = dense_->size() + 1;
  key.sequence = sequence;
  key.words = static_cast<int64_t>(SplitWords(EmbeddedText(item)).size());
  key.text_hash = DeriveSeed(0, EmbeddedText(item));
  key.kind = KindOf(item.from.outcome);
  SQLite::Statement insert(*database_,
                           "INSERT INTO items (id, sequence, words, text_hash, uses, wins, "
                           "losses, merged, title, description, content, task, op_type, outcome, "
                           "vector) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  int column = 0;
  for (int64_t value : {key.id, sequence, key.words, static_cast<int64_t>(key.text_hash), item.uses,
                        item.wins, item.losses, item.merged}) {
    insert.bind(++column, value);
  }
  for (const std::string* text : {&item.title, &item.description, &item.content, &item.from.task,
                                  &item.from.op_type, &item.from.outcome}) {
    insert.bind(++column, *text);
  }
  const std::string bytes = PackVector(vector);
  insert.bind(++column, bytes.data(), static_cast<int>(bytes.size()));
  insert.exec();
  SQLite::Statement index(*database_,
                          "INSERT INTO items_fts (rowid, title, description, content, task, "
                          "op_type) SELECT id, title, description, content, task, op_type "
                          "FROM items WHERE id = ?");
  index.bind(1, key.id);
  index.exec();
  dense_->Add(key, vector);
  return key.id;
}

void SqliteBank::WriteSource(int64_t id, const MemoryItem& item, const BankChange& change,
                             int64_t sequence) {
  SQLite::Statement insert(
      *database_,
      "INSERT INTO sources (item, number, sequence, change_run, title, description, content, run,"
      " run_name, step, ordinal, task, op_type, outcome, candidate_hash, model)"
      " VALUES (?1, (SELECT count(*) FROM sources WHERE item = ?1), ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9,"
      " ?10, ?11, ?12, ?13, ?14, ?15)");
  insert.bind(1, id);
  insert.bind(2, sequence);
  insert.bind(3, change.run);
  insert.bind(4, item.title);
  insert.bind(5, item.description);
  insert.bind(6, item.content);
  BindProvenance(insert, 7, item.from);
  insert.exec();
}

int64_t SqliteBank::WriteRule(const Rule& rule, const BankChange& change, int64_t sequence) {
  int64_t id = rule.id;
  if (id == 0) {
    id = database_->execAndGet("SELECT coalesce(max(id), 0) + 1 FROM rules").getInt64();
    SQLite::Statement insert(*database_,
                             "INSERT INTO rules (id, sequence, run, run_name, step, ordinal, task, "
                             "op_type, outcome, candidate_hash, model) VALUES (?, ?, ?, ?, ?, ?, "
                             "?, ?, ?, ?, ?)");
    insert.bind(1, id);
    insert.bind(2, sequence);
    BindProvenance(insert, 3, rule.from);
    insert.exec();
  }
  SQLite::Statement version(*database_,
                            "INSERT OR REPLACE INTO rule_versions (rule, sequence, change_run, "
                            "text, state, aligned, misaligned, unknown) VALUES (?, ?, ?, ?, ?, ?, "
                            "?, ?)");
  version.bind(1, id);
  version.bind(2, sequence);
  version.bind(3, change.run);
  version.bind(4, ToValidUtf8(Trim(rule.text)));
  version.bind(5, rule.state);
  version.bind(6, rule.aligned);
  version.bind(7, rule.misaligned);
  version.bind(8, rule.unknown);
  version.exec();
  return id;
}

void SqliteBank::WriteOutcome(const BankChange::Outcome& outcome) {
  SQLite::Statement update(*database_,
                           "UPDATE items SET uses = uses + ?, wins = wins + ?, losses = losses + ? "
                           "WHERE id = ?");
  update.bind(1, outcome.used ? 1 : 0);
  update.bind(2, outcome.wins);
  update.bind(3, outcome.losses);
  update.bind(4, outcome.item);
  update.exec();
}

void SqliteBank::RecordChange(const BankChange& change, const Applied& applied) {
  SQLite::Statement insert(*database_,
                           "INSERT INTO changes (run, step, sequence, item_ids, rule_ids) "
                           "VALUES (?, ?, ?, ?, ?)");
  insert.bind(1, change.run);
  insert.bind(2, change.step);
  insert.bind(3, applied.sequence);
  insert.bind(4, JoinIds(applied.item_ids));
  insert.bind(5, JoinIds(applied.rule_ids));
  insert.exec();
  SQLite::Statement update(*database_, "UPDATE bank SET sequence = ?1, text_sequence = ?1");
  update.bind(1, applied.sequence);
  update.exec();
}

}  // namespace memory

std::vector<std::string> TextsToEmbed(const BankChange& change) {
  std::vector<std::string> texts;
  for (const MemoryItem& item : change.new_items) {
    texts.push_back(memory::EmbeddedText(memory::ValidItem(item)));
  }
  return texts;
}

}  // namespace kw
