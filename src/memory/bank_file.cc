#include "bank_file.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <array>
#include <cmath>
#include <cstring>
#include <fstream>

namespace kw::memory {
namespace {

constexpr int kApplicationId = 0x4B574D42;  // "KWMB"
constexpr int kSchemaVersion = 1;
constexpr int kBusyTimeoutMs = 10'000;

// Items are never deleted: ids run without a gap, and the full-text index only ever grows.
constexpr const char* kSchema = R"sql(
CREATE TABLE bank (
  one           INTEGER PRIMARY KEY CHECK (one = 1),
  embedder      TEXT NOT NULL,
  dimension     INTEGER NOT NULL,
  sequence      INTEGER NOT NULL,
  text_sequence INTEGER NOT NULL,
  generation    INTEGER NOT NULL
) STRICT;
CREATE TABLE changes (
  run       TEXT NOT NULL,
  step      TEXT NOT NULL,
  sequence  INTEGER NOT NULL UNIQUE,
  item_ids  TEXT NOT NULL,
  rule_ids  TEXT NOT NULL,
  PRIMARY KEY (run, step)
) STRICT, WITHOUT ROWID;
CREATE TABLE items (
  id          INTEGER PRIMARY KEY,
  sequence    INTEGER NOT NULL,
  title       TEXT NOT NULL,
  description TEXT NOT NULL,
  content     TEXT NOT NULL,
  task        TEXT NOT NULL,
  op_type     TEXT NOT NULL,
  outcome     TEXT NOT NULL,
  words       INTEGER NOT NULL,
  text_hash   INTEGER NOT NULL,
  uses        INTEGER NOT NULL DEFAULT 0,
  wins        INTEGER NOT NULL DEFAULT 0,
  losses      INTEGER NOT NULL DEFAULT 0,
  merged      INTEGER NOT NULL DEFAULT 0,
  vector      BLOB NOT NULL
) STRICT;
CREATE TABLE sources (
  item           INTEGER NOT NULL REFERENCES items (id),
  number         INTEGER NOT NULL,
  sequence       INTEGER NOT NULL,
  change_run     TEXT NOT NULL,
  run            TEXT NOT NULL,
  run_name       TEXT NOT NULL,
  step           TEXT NOT NULL,
  ordinal        INTEGER NOT NULL,
  task           TEXT NOT NULL,
  op_type        TEXT NOT NULL,
  outcome        TEXT NOT NULL,
  candidate_hash TEXT NOT NULL,
  model          TEXT NOT NULL,
  title          TEXT NOT NULL,
  description    TEXT NOT NULL,
  content        TEXT NOT NULL,
  PRIMARY KEY (item, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX sources_by_run ON sources (change_run, item);
CREATE TABLE rules (
  id             INTEGER PRIMARY KEY,
  sequence       INTEGER NOT NULL,
  run            TEXT NOT NULL,
  run_name       TEXT NOT NULL,
  step           TEXT NOT NULL,
  ordinal        INTEGER NOT NULL,
  task           TEXT NOT NULL,
  op_type        TEXT NOT NULL,
  outcome        TEXT NOT NULL,
  candidate_hash TEXT NOT NULL,
  model          TEXT NOT NULL
) STRICT;
CREATE TABLE rule_versions (
  rule       INTEGER NOT NULL REFERENCES rules (id),
  sequence   INTEGER NOT NULL,
  change_run TEXT NOT NULL,
  text       TEXT NOT NULL,
  state      TEXT NOT NULL CHECK (state IN ('kept', 'undecided', 'dropped')),
  aligned    INTEGER NOT NULL,
  misaligned INTEGER NOT NULL,
  unknown    INTEGER NOT NULL,
  PRIMARY KEY (rule, sequence)
) STRICT, WITHOUT ROWID;
CREATE VIRTUAL TABLE items_fts USING fts5 (
  title, description, content, task, op_type,
  content = 'items', content_rowid = 'id', tokenize = 'porter unicode61 remove_diacritics 2'
);
)sql";

int Pragma(SQLite::Database& database, const std::string& name) {
  return database.execAndGet("PRAGMA " + name).getInt();
}

void CreateSchema(SQLite::Database& database, const std::string& embedder, int dimension) {
  database.exec(kSchema);
  SQLite::Statement insert(database, "INSERT INTO bank VALUES (1, ?, ?, 0, 0, 0)");
  insert.bind(1, embedder);
  insert.bind(2, dimension);
  insert.exec();
  database.exec(fmt::format("PRAGMA application_id = {}", kApplicationId));
  database.exec(fmt::format("PRAGMA user_version = {}", kSchemaVersion));
}

Result<void> CheckIdentity(SQLite::Database& database, const std::string& path) {
  if (Pragma(database, "application_id") != kApplicationId) {
    return Fail(ErrorCode::kCorrupt, path + " is an SQLite file, but no memory bank");
  }
  const int version = Pragma(database, "user_version");
  if (version != kSchemaVersion) {
    return Fail(ErrorCode::kConflict,
                fmt::format("{} is a bank of format {}; this program reads format {}", path,
                            version, kSchemaVersion));
  }
  return {};
}

bool IsEmpty(SQLite::Database& database) {
  return Pragma(database, "application_id") == 0 &&
         database.execAndGet("SELECT count(*) FROM sqlite_master").getInt64() == 0;
}

Result<void> CheckContent(SQLite::Database& database, const std::string& path) {
  SQLite::Transaction one_view(database);  // another process may write meanwhile
  const std::string report = database.execAndGet("PRAGMA quick_check(1)").getString();
  if (report != "ok") {
    return Fail(ErrorCode::kCorrupt,
                fmt::format("{} is damaged ({}): restore it from a copy, or salvage what can be "
                            "read with sqlite3's .recover",
                            path, report));
  }
  const auto count = [&database](const char* sql) { return database.execAndGet(sql).getInt64(); };
  if (count("SELECT count(*) FROM bank") != 1) {
    return Fail(ErrorCode::kCorrupt, path + ": the table 'bank' must hold one row");
  }
  if (count("SELECT count(*) FROM items") != count("SELECT coalesce(max(id), 0) FROM items") ||
      count("SELECT coalesce(min(id), 1) FROM items") != 1) {
    return Fail(ErrorCode::kCorrupt, path + ": items are missing (their ids have gaps)");
  }
  if (count("SELECT coalesce(max(sequence), 0) FROM changes") !=
      count("SELECT sequence FROM bank")) {
    return Fail(ErrorCode::kCorrupt, path + ": its last change is not the one that it names");
  }
  return {};
}

// SQLite takes a file of a few bytes for an empty database and would write over it.
Result<void> CheckMagic(const std::string& path) {
  constexpr std::string_view kMagic("SQLite format 3\0", 16);
  std::ifstream file(path, std::ios::binary);
  std::array<char, kMagic.size()> head{};
  file.read(head.data(), head.size());
  const auto size = static_cast<size_t>(file.gcount());
  if (size > 0 && std::string_view(head.data(), size) != kMagic) {
    return Fail(ErrorCode::kCorrupt, path + " is no memory bank");
  }
  return {};
}

std::unique_ptr<SQLite::Database> Connect(const std::string& path, bool may_create) {
  const int create = may_create ? SQLite::OPEN_CREATE : 0;
  auto database =
      std::make_unique<SQLite::Database>(path, SQLite::OPEN_READWRITE | create, kBusyTimeoutMs);
  database->exec("PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF");
  return database;
}

}  // namespace

Error SqliteError(const SQLite::Exception& e, std::string_view path) {
  ErrorCode code = ErrorCode::kInternal;
  std::string advice;
  switch (e.getErrorCode() & 0xFF) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      code = ErrorCode::kConflict;
      advice = ": another process has been writing to it for longer than this one waits";
      break;
    case SQLITE_NOTADB:
      code = ErrorCode::kCorrupt;
      advice = ": it is no memory bank";
      break;
    case SQLITE_CORRUPT:
      code = ErrorCode::kCorrupt;
      break;
    case SQLITE_CANTOPEN:
    case SQLITE_IOERR:
    case SQLITE_FULL:
    case SQLITE_READONLY:
    case SQLITE_PERM:
      code = ErrorCode::kIo;
      break;
    default:
      break;
  }
  return Error{code, fmt::format("{}: {}{}", path, e.what(), advice), {}};
}

Result<std::unique_ptr<SQLite::Database>> OpenBankFile(const std::string& path,
                                                       const std::string& embedder, int dimension) {
  if (embedder.empty() && !FileExists(path)) {
    return Fail(ErrorCode::kNotFound, path + ": there is no memory bank");
  }
  KW_TRY(CheckMagic(path));
  auto database = Connect(path, !embedder.empty());
  // A file on a read-only disk is opened as such by SQLite; it can be read, never set up.
  const bool writable = sqlite3_db_readonly(database->getHandle(), "main") == 0;
  if (writable && !embedder.empty() && IsEmpty(*database)) {
    SQLite::Transaction transaction(*database, SQLite::TransactionBehavior::IMMEDIATE);
    // Another process may have been first while this one waited.
    if (IsEmpty(*database)) CreateSchema(*database, embedder, dimension);
    transaction.commit();
  }
  KW_TRY(CheckIdentity(*database, path));
  if (writable) {
    // Only now: a foreign file is left as it is.
    database->exec(IsOnSharedFileSystem(path) ? "PRAGMA journal_mode = DELETE"
                                              : "PRAGMA journal_mode = WAL");
    database->exec("PRAGMA synchronous = FULL");
  }
  KW_TRY(CheckContent(*database, path));
  const BankState state = ReadState(*database);
  if (state.text_sequence != state.sequence) {
    SQLite::Transaction transaction(*database, SQLite::TransactionBehavior::IMMEDIATE);
    RefillTextIndex(*database);
    transaction.commit();
  }
  return database;
}

BankState ReadState(SQLite::Database& database) {
  SQLite::Statement select(database,
                           "SELECT embedder, dimension, sequence, text_sequence, generation "
                           "FROM bank WHERE one = 1");
  select.executeStep();
  BankState state;
  state.embedder = select.getColumn(0).getString();
  state.dimension = select.getColumn(1).getInt();
  state.sequence = select.getColumn(2).getInt64();
  state.text_sequence = select.getColumn(3).getInt64();
  state.generation = select.getColumn(4).getInt64();
  return state;
}

void RefillTextIndex(SQLite::Database& database) {
  database.exec(
      "INSERT INTO items_fts (items_fts) VALUES ('rebuild');"
      "UPDATE bank SET text_sequence = sequence");
}

static_assert(sizeof(float) == 4 && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
              "vectors are stored as little-endian float32");

std::string PackVector(const std::vector<float>& vector) {
  std::string bytes(vector.size() * sizeof(float), '\0');
  std::memcpy(bytes.data(), vector.data(), bytes.size());
  return bytes;
}

Result<std::vector<float>> UnpackVector(std::string_view bytes, int dimension) {
  if (bytes.size() != static_cast<size_t>(dimension) * sizeof(float)) {
    return Fail(ErrorCode::kCorrupt, fmt::format("a vector of {} bytes where {} floats belong",
                                                 bytes.size(), dimension));
  }
  std::vector<float> vector(static_cast<size_t>(dimension));
  std::memcpy(vector.data(), bytes.data(), bytes.size());
  double square = 0;
  for (float x : vector) square += static_cast<double>(x) * x;
  if (!(std::abs(square - 1) < 1e-3)) {
    return Fail(ErrorCode::kCorrupt, fmt::format("a vector of squared length {}, not 1", square));
  }
  return vector;
}

}  // namespace kw::memory
