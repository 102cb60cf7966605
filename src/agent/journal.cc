#include "journal.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <cctype>
#include <mutex>

#include "journal_tables.h"
#include "kw/base/file.h"
#include "kw/base/json.h"
#include "run_lock.h"

namespace kw {
namespace {

constexpr int kBusyMs = 10'000;

// Runs `body` and turns what SQLite throws into an Error.
template <class Body>
auto Guarded(std::string_view doing, Body body) -> decltype(body()) {
  try {
    return body();
  } catch (const SQLite::Exception& error) {
    int code = error.getErrorCode();
    ErrorCode kind = ErrorCode::kIo;
    if (code == SQLITE_BUSY || code == SQLITE_LOCKED) kind = ErrorCode::kConflict;
    if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB) kind = ErrorCode::kCorrupt;
    return Fail(Error{kind, fmt::format("the run journal: {}", error.what()), {}}.While(doing));
  } catch (const std::exception& error) {
    return Fail(Error{ErrorCode::kInternal, error.what(), {}}.While(doing));
  }
}

Result<EffectRow> ReadEffect(SQLite::Statement& query) {
  EffectRow row;
  row.step = query.getColumn(0).getString();
  row.change = query.getColumn(1).getString();
  row.applied = query.getColumn(2).getInt() != 0;
  KW_ASSIGN(Json ids, ParseJson(query.getColumn(3).getString(), "the outbox"));
  for (const Json& id : ids) row.ids.push_back(id.get<int64_t>());
  return row;
}

}  // namespace

bool StepKeyLess(std::string_view a, std::string_view b) {
  size_t i = 0, j = 0;
  auto digit = [](char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; };
  while (i < a.size() && j < b.size()) {
    if (!digit(a[i]) || !digit(b[j])) {
      if (a[i] != b[j]) return a[i] < b[j];
      ++i, ++j;
      continue;
    }
    size_t end_a = i, end_b = j;
    while (end_a < a.size() && digit(a[end_a])) ++end_a;
    while (end_b < b.size() && digit(b[end_b])) ++end_b;
    std::string_view number_a = a.substr(i, end_a - i), number_b = b.substr(j, end_b - j);
    if (number_a != number_b) {
      if (number_a.size() != number_b.size()) return number_a.size() < number_b.size();
      return number_a < number_b;
    }
    i = end_a, j = end_b;
  }
  return a.size() - i < b.size() - j;
}

struct Journal::Impl {
  RunLock lock;
  std::unique_ptr<SQLite::Database> db;
  RunHeader header;
  Seam seam;
  bool dead = false;  // the seam said so
  bool local = true;
  bool has_usage = true;  // an old journal that is only read lacks columns
  mutable std::mutex mutex;

  Result<void> Pass(std::string_view point) {
    if (!dead && seam && !seam(point)) dead = true;
    if (dead) return Fail(ErrorCode::kCancelled, "the journal takes no more steps");
    return {};
  }

  // Durable against the death of this process either way; against that of the machine only where
  // money was spent, since a flush to the disk takes longer than the rest of a step.
  void SetFlush(bool flush) {
    db->exec(flush ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL");
  }

  Result<std::optional<EffectRow>> FindEffect(const std::string& step) {
    return Guarded("reading the outbox", [&]() -> Result<std::optional<EffectRow>> {
      SQLite::Statement query(*db, "SELECT step, change, applied, ids FROM outbox WHERE step = ?");
      query.bind(1, step);
      if (!query.executeStep()) return std::optional<EffectRow>();
      KW_ASSIGN(EffectRow row, ReadEffect(query));
      return std::optional<EffectRow>(std::move(row));
    });
  }

  void Configure(const std::string& folder) {
    local = !IsOnSharedFileSystem(folder);
    SQLite::Statement mode(*db, local ? "PRAGMA journal_mode=WAL" : "PRAGMA journal_mode=TRUNCATE");
    mode.executeStep();
    SetFlush(!local);
  }
};

Journal::Journal(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Journal::~Journal() = default;
const RunHeader& Journal::header() const { return impl_->header; }

Result<std::unique_ptr<Journal>> Journal::Create(const std::string& folder, const RunHeader& header,
                                                 Seam seam) {
  KW_TRY(MakeDirectories(folder));
  auto impl = std::make_unique<Impl>();
  KW_ASSIGN(impl->lock, RunLock::Take(folder));
  impl->header = header;
  impl->seam = std::move(seam);
  return Guarded("creating the run", [&]() -> Result<std::unique_ptr<Journal>> {
    impl->db = std::make_unique<SQLite::Database>(
        folder + "/run.db", SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE, kBusyMs);
    if (impl->db->tableExists("run")) {
      return Fail(ErrorCode::kConflict,
                  fmt::format("the run {} exists already: resume it, or give run.name another name",
                              folder));
    }
    impl->Configure(folder);
    SQLite::Transaction transaction(*impl->db);
    CreateJournalTables(*impl->db, header);
    transaction.commit();
    return std::unique_ptr<Journal>(new Journal(std::move(impl)));
  });
}

namespace {
Result<void> CheckThere(const std::string& folder) {
  if (FileExists(folder + "/run.db")) return {};
  return Fail(ErrorCode::kNotFound, fmt::format("{} holds no run (no run.db)", folder));
}
}  // namespace

Result<std::unique_ptr<Journal>> Journal::Open(const std::string& folder, Seam seam) {
  KW_TRY(CheckThere(folder));
  auto impl = std::make_unique<Impl>();
  KW_ASSIGN(impl->lock, RunLock::Take(folder));
  impl->seam = std::move(seam);
  return Guarded("opening the run", [&]() -> Result<std::unique_ptr<Journal>> {
    impl->db =
        std::make_unique<SQLite::Database>(folder + "/run.db", SQLite::OPEN_READWRITE, kBusyMs);
    KW_ASSIGN(impl->header, ReadHeader(*impl->db));
    impl->Configure(folder);
    if (!HasUsageColumns(*impl->db)) AddUsageColumns(*impl->db);
    return std::unique_ptr<Journal>(new Journal(std::move(impl)));
  });
}

Result<std::unique_ptr<Journal>> Journal::OpenForReading(const std::string& folder) {
  KW_TRY(CheckThere(folder));
  auto impl = std::make_unique<Impl>();
  return Guarded("reading the run", [&]() -> Result<std::unique_ptr<Journal>> {
    impl->db =
        std::make_unique<SQLite::Database>(folder + "/run.db", SQLite::OPEN_READONLY, kBusyMs);
    KW_ASSIGN(impl->header, ReadHeader(*impl->db));
    impl->has_usage = HasUsageColumns(*impl->db);
    return std::unique_ptr<Journal>(new Journal(std::move(impl)));
  });
}

Result<std::optional<StepRow>> Journal::Find(const std::string& key,
                                             const std::string& input_hash) const {
  std::lock_guard guard(impl_->mutex);
  return Guarded("reading step " + key, [&]() -> Result<std::optional<StepRow>> {
    SQLite::Statement query(*impl_->db, SelectSteps(impl_->has_usage, true) + " WHERE key = ?");
    query.bind(1, key);
    if (!query.executeStep()) return std::optional<StepRow>();
    StepRow row = ReadStep(query);
    if (row.input_hash != input_hash) {
      return Fail(ErrorCode::kConflict,
                  fmt::format("step {} was done with other inputs: the prompts, the task or the "
                              "program changed since the run began. Restore them to resume it, or "
                              "start another run",
                              key));
    }
    return std::optional<StepRow>(std::move(row));
  });
}

Result<void> Journal::Commit(const StepRow& step, const BankChange* effect) {
  std::lock_guard guard(impl_->mutex);
  KW_TRY(impl_->Pass("commit"));
  KW_TRY(Guarded("committing step " + step.key, [&]() -> Result<void> {
    if (step.cost_usd > 0) impl_->SetFlush(true);
    SQLite::Transaction transaction(*impl_->db);
    InsertStep(*impl_->db, step);
    if (effect != nullptr) {
      SQLite::Statement outbox(*impl_->db, "INSERT INTO outbox (step, change) VALUES (?, ?)");
      outbox.bind(1, step.key);
      outbox.bind(2, BankChangeToJson(*effect));
      outbox.exec();
    }
    transaction.commit();
    if (step.cost_usd > 0) impl_->SetFlush(!impl_->local);
    return {};
  }));
  return impl_->Pass("committed");
}

Result<std::optional<EffectRow>> Journal::Effect(const std::string& step) const {
  std::lock_guard guard(impl_->mutex);
  return impl_->FindEffect(step);
}

Result<std::vector<int64_t>> Journal::ApplyEffect(const std::string& step, Bank& bank,
                                                  std::vector<std::vector<float>> vectors) {
  std::lock_guard guard(impl_->mutex);
  KW_ASSIGN(std::optional<EffectRow> effect, impl_->FindEffect(step));
  if (!effect) return std::vector<int64_t>();
  if (effect->applied) return std::move(effect->ids);
  KW_ASSIGN(BankChange change, BankChangeFromJson(effect->change));
  change.vectors = std::move(vectors);
  KW_TRY(impl_->Pass("apply"));
  KW_ASSIGN(Applied applied, bank.Apply(change));
  KW_TRY(impl_->Pass("applied"));
  std::vector<int64_t> ids = applied.item_ids;
  ids.insert(ids.end(), applied.rule_ids.begin(), applied.rule_ids.end());
  return Guarded("marking the outbox", [&]() -> Result<std::vector<int64_t>> {
    SQLite::Statement mark(*impl_->db, "UPDATE outbox SET applied = 1, ids = ? WHERE step = ?");
    mark.bind(1, DumpJson(Json(ids)));
    mark.bind(2, step);
    mark.exec();
    return ids;
  });
}

Result<void> Journal::SetState(const RunState& state) {
  std::lock_guard guard(impl_->mutex);
  KW_TRY(impl_->Pass("state"));
  return Guarded("writing the run's state", [&]() -> Result<void> {
    SQLite::Statement update(*impl_->db, "UPDATE run SET state = ?, message = ?");
    update.bind(1, state.state);
    update.bind(2, state.message);
    update.exec();
    return {};
  });
}

Result<RunState> Journal::State() const {
  std::lock_guard guard(impl_->mutex);
  return Guarded("reading the run's state", [&]() -> Result<RunState> {
    SQLite::Statement query(*impl_->db, "SELECT state, message FROM run");
    query.executeStep();
    return RunState{query.getColumn(0).getString(), query.getColumn(1).getString()};
  });
}

Result<void> Journal::SetConfig(const std::string& config) {
  std::lock_guard guard(impl_->mutex);
  return Guarded("writing the run's configuration", [&]() -> Result<void> {
    SQLite::Statement update(*impl_->db, "UPDATE run SET config = ?");
    update.bind(1, config);
    update.exec();
    impl_->header.config = config;
    return {};
  });
}

Result<void> Journal::SetEpoch(const EpochRow& epoch) {
  std::lock_guard guard(impl_->mutex);
  KW_TRY(impl_->Pass("epoch"));
  return Guarded("writing an epoch", [&]() -> Result<void> {
    SQLite::Statement insert(*impl_->db, "INSERT OR IGNORE INTO epoch VALUES (?, ?, ?)");
    insert.bind(1, epoch.epoch);
    insert.bind(2, epoch.memory_items);
    insert.bind(3, epoch.rules);
    insert.exec();
    return {};
  });
}

Result<std::vector<EpochRow>> Journal::Epochs() const {
  std::lock_guard guard(impl_->mutex);
  return Guarded("reading the epochs", [&]() -> Result<std::vector<EpochRow>> {
    std::vector<EpochRow> rows;
    SQLite::Statement query(*impl_->db, "SELECT epoch, memory_items, rules FROM epoch ORDER BY 1");
    while (query.executeStep()) {
      rows.push_back({query.getColumn(0).getInt(), query.getColumn(1).getInt64(),
                      query.getColumn(2).getInt64()});
    }
    return rows;
  });
}

Result<std::vector<StepRow>> Journal::Steps() const {
  std::lock_guard guard(impl_->mutex);
  return Guarded("reading the steps", [&]() -> Result<std::vector<StepRow>> {
    std::vector<StepRow> rows;
    SQLite::Statement query(*impl_->db, SelectSteps(impl_->has_usage, true));
    while (query.executeStep()) rows.push_back(ReadStep(query));
    std::sort(rows.begin(), rows.end(),
              [](const StepRow& a, const StepRow& b) { return StepKeyLess(a.key, b.key); });
    return rows;
  });
}

Result<std::vector<EffectRow>> Journal::Effects() const {
  std::lock_guard guard(impl_->mutex);
  return Guarded("reading the outbox", [&]() -> Result<std::vector<EffectRow>> {
    std::vector<EffectRow> rows;
    SQLite::Statement query(*impl_->db, "SELECT step, change, applied, ids FROM outbox");
    while (query.executeStep()) {
      KW_ASSIGN(EffectRow row, ReadEffect(query));
      rows.push_back(std::move(row));
    }
    std::sort(rows.begin(), rows.end(),
              [](const EffectRow& a, const EffectRow& b) { return StepKeyLess(a.step, b.step); });
    return rows;
  });
}

Result<UsageByRole> Journal::UsageBelow(const std::string& prefix) const {
  std::lock_guard guard(impl_->mutex);
  return Guarded("adding up the cost", [&]() -> Result<UsageByRole> {
    SQLite::Statement query(*impl_->db, SelectSteps(impl_->has_usage, false) +
                                            " WHERE key >= ?1 AND key < ?1 || char(0x10ffff)");
    query.bind(1, prefix);
    UsageByRole usage;
    while (query.executeStep()) AddUsageOf(ReadStep(query), usage);
    return usage;
  });
}

}  // namespace kw
