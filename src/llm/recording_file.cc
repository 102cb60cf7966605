#include "recording_file.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "kw/base.h"
#include "request_sketch.h"

namespace kw::recording {

struct RecordingFile::Connection {
  std::string path;
  Access access = Access::kRead;
  std::optional<SQLite::Database> db;
  bool logged = false;  // write-ahead
  bool flushes = true;  // at each commit
};

namespace {

constexpr uint32_t kApplicationId = 0x4B575243;  // "KWRC"
constexpr int kFormat = 1;
// Readers wait in Submit; writers have a thread of their own, and what they hold was paid for.
constexpr int kReadBusyMs = 10'000;
constexpr int kWriteBusyMs = 60'000;
// Of any value of a row; a whole row holds two.
constexpr int kMaxValueBytes = static_cast<int>(2 * kMaxRecordedBytes + (16 << 20));

// The sketch stands before the long values: it is read of all rows where a request is missing.
constexpr const char* kSchema =
    "CREATE TABLE answer ("
    "id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, simulated INTEGER NOT NULL, "
    "recorded_unix_us INTEGER NOT NULL, sketch BLOB NOT NULL, request BLOB NOT NULL, "
    "answer BLOB NOT NULL) STRICT";

constexpr const char* kColumns = "id, key, simulated, recorded_unix_us, sketch, request, answer";

constexpr std::string_view kRemedy = "restore it from a copy, or remove it and record again";

Error SqliteError(const SQLite::Exception& e, const std::string& path) {
  switch (e.getErrorCode() & 0xFF) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {ErrorCode::kConflict,
              fmt::format("{}: {}: another process has been at it for too long", path, e.what()),
              {}};
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_TOOBIG:
    case SQLITE_MISMATCH:
      return {
          ErrorCode::kCorrupt, fmt::format("{} is damaged ({}): {}", path, e.what(), kRemedy), {}};
    case SQLITE_FULL:
      return {ErrorCode::kIo, fmt::format("{}: {}: make room on its disk", path, e.what()), {}};
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
      return {ErrorCode::kIo,
              fmt::format("{}: {}: copy it to a folder that you may write to, with the '-wal' and "
                          "'-journal' beside it where there are any",
                          path, e.what()),
              {}};
    default:
      return {ErrorCode::kIo, fmt::format("{}: {}", path, e.what()), {}};
  }
}

// Turns what SQLite throws into an error that names the file.
template <class Body>
auto Guarded(const std::string& path, Body body) -> decltype(body()) {
  try {
    return body();
  } catch (const SQLite::Exception& e) {
    return Fail(SqliteError(e, path));
  } catch (const std::exception& e) {
    return Fail(ErrorCode::kInternal, fmt::format("{}: {}", path, e.what()));
  }
}

enum class Head { kMissing, kEmpty, kRecording };

tl::unexpected<Error> FailErrno(const std::string& path) {
  return Fail(ErrorCode::kIo, fmt::format("{}: {}", path, std::strerror(errno)));
}

tl::unexpected<Error> FailForeign(const std::string& path) {
  return Fail(ErrorCode::kCorrupt,
              path +
                  " is no recording of answers (its first bytes are not those of one); it was "
                  "left as it is: name another file, or remove it");
}

// Before SQLite sees the file, which might write to a foreign one. The header of an SQLite file
// holds the application id, big-endian, at 68.
Result<Head> ReadHead(const std::string& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0 && errno == ENOENT) return Head::kMissing;
  if (file < 0) return FailErrno(path);
  struct stat status {};
  std::array<unsigned char, 100> head{};
  const bool is_file = fstat(file, &status) == 0 && S_ISREG(status.st_mode);
  const ssize_t size = is_file ? pread(file, head.data(), head.size(), 0) : -1;
  close(file);
  if (!is_file) return Fail(ErrorCode::kInvalid, path + " is no regular file: name another one");
  if (size < 0) return FailErrno(path);
  if (size == 0) return Head::kEmpty;
  uint32_t id = 0;
  for (size_t i = 68; i < 72; ++i) id = id << 8 | head[i];
  const bool is_recording = size == static_cast<ssize_t>(head.size()) &&
                            std::memcmp(head.data(), "SQLite format 3", 16) == 0 &&
                            id == kApplicationId;
  if (!is_recording) return FailForeign(path);
  return Head::kRecording;
}

std::string FolderOf(const std::string& path) {
  return std::filesystem::path(path).parent_path().string();
}

// Prompts may be private.
Result<void> MakePrivateFile(const std::string& path) {
  if (const std::string folder = FolderOf(path); !folder.empty()) KW_TRY(MakeDirectories(folder));
  const int file = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) return FailErrno(path);
  close(file);
  return {};
}

int64_t Number(SQLite::Database& db, const char* sql) { return db.execAndGet(sql).getInt64(); }

bool HasNoTables(SQLite::Database& db) {
  return Number(db, "SELECT count(*) FROM sqlite_master") == 0;
}

void CreateSchema(SQLite::Database& db) {
  SQLite::Transaction transaction(db, SQLite::TransactionBehavior::IMMEDIATE);
  // Another process may have been first while this one waited.
  if (HasNoTables(db)) {
    db.exec(kSchema);
    db.exec(fmt::format("PRAGMA application_id = {}", kApplicationId));
    db.exec(fmt::format("PRAGMA user_version = {}", kFormat));
  }
  transaction.commit();
}

Result<void> CheckIdentity(SQLite::Database& db, const std::string& path) {
  if (Number(db, "PRAGMA application_id") != kApplicationId) return FailForeign(path);
  const int64_t format = Number(db, "PRAGMA user_version");
  if (format != kFormat) {
    return Fail(ErrorCode::kConflict,
                fmt::format("{} is a recording of format {}; this program reads format {}: use the "
                            "program that wrote it, or name another file",
                            path, format, kFormat));
  }
  SQLite::Statement query(db,
                          "SELECT count(*), coalesce(max(sql = ?), 0) FROM sqlite_master "
                          "WHERE NOT (type = 'index' AND name = 'sqlite_autoindex_answer_1')");
  query.bind(1, kSchema);
  query.executeStep();
  if (query.getColumn(0).getInt() != 1 || query.getColumn(1).getInt() != 1) {
    return Fail(ErrorCode::kCorrupt,
                fmt::format("{} has other tables than a recording has: {}", path, kRemedy));
  }
  return {};
}

Result<void> CheckStructure(SQLite::Database& db, const std::string& path) {
  const std::string report = db.execAndGet("PRAGMA quick_check(1)").getString();
  if (report == "ok") return {};
  return Fail(ErrorCode::kCorrupt, fmt::format("{} is damaged ({}): {}", path, report, kRemedy));
}

// A recording in use on a local disk has a write-ahead log, so that readers never wait for writers.
// Whoever finds it busy leaves the mode to those who are at it.
bool UseLog(SQLite::Database& db, const std::string& path) {
  const bool shared = IsOnSharedFileSystem(FolderOf(path));
  try {
    const char* mode = shared ? "PRAGMA journal_mode = DELETE" : "PRAGMA journal_mode = WAL";
    return db.execAndGet(mode).getString() == "wal";
  } catch (const SQLite::Exception& e) {
    if ((e.getErrorCode() & 0xFF) != SQLITE_BUSY) throw;
    return false;
  }
}

StoredRow ReadRow(SQLite::Statement& query) {
  StoredRow row;
  row.id = query.getColumn(0).getInt64();
  row.key = query.getColumn(1).getString();
  row.simulated = query.getColumn(2).getInt() != 0;
  row.recorded_unix_us = query.getColumn(3).getInt64();
  row.sketch = query.getColumn(4).getString();
  row.request = query.getColumn(5).getString();
  row.answer = query.getColumn(6).getString();
  return row;
}

std::optional<StoredRow> ReadOne(SQLite::Database& db, std::string_view where, auto value) {
  SQLite::Statement query(db, fmt::format("SELECT {} FROM answer WHERE {} = ?", kColumns, where));
  query.bind(1, value);
  if (!query.executeStep()) return std::nullopt;
  return ReadRow(query);
}

void BindBlob(SQLite::Statement& statement, int index, const std::string& bytes) {
  statement.bind(index, static_cast<const void*>(bytes.data()), static_cast<int>(bytes.size()));
}

// Replay opens for writing too, where that is allowed: what a killed process left in the log
// belongs to the file. It changes nothing.
void Connect(const std::string& path, bool for_writing, std::optional<SQLite::Database>& db) {
  const bool writable = access(path.c_str(), W_OK) == 0;
  db.emplace(path, writable ? SQLite::OPEN_READWRITE : SQLite::OPEN_READONLY,
             for_writing ? kWriteBusyMs : kReadBusyMs);
  sqlite3_limit(db->getHandle(), SQLITE_LIMIT_LENGTH, kMaxValueBytes);
  db->exec("PRAGMA trusted_schema = OFF");
}

}  // namespace

RecordingFile::RecordingFile(std::unique_ptr<Connection> connection)
    : connection_(std::move(connection)) {}
RecordingFile::~RecordingFile() = default;

Result<std::unique_ptr<RecordingFile>> RecordingFile::Open(const std::string& path, Access access) {
  KW_ASSIGN(const Head head, ReadHead(path));
  if (access == Access::kRead && head != Head::kRecording) {
    return Fail(ErrorCode::kNotFound,
                fmt::format("{} {}: record it first", path,
                            head == Head::kMissing ? "does not exist" : "is empty"));
  }
  if (head == Head::kMissing) KW_TRY(MakePrivateFile(path));
  auto connection = std::make_unique<Connection>();
  connection->path = path;
  connection->access = access;
  return Guarded(path, [&]() -> Result<std::unique_ptr<RecordingFile>> {
    Connect(path, access == Access::kWrite, connection->db);
    SQLite::Database& db = *connection->db;
    if (access == Access::kWrite && HasNoTables(db)) CreateSchema(db);
    KW_TRY(CheckIdentity(db, path));
    KW_TRY(CheckStructure(db, path));
    if (access == Access::kWrite) connection->logged = UseLog(db, path);
    if (access == Access::kRead) db.exec("PRAGMA query_only = ON");
    return std::unique_ptr<RecordingFile>(new RecordingFile(std::move(connection)));
  });
}

Result<std::unique_ptr<RecordingFile>> RecordingFile::OpenBeside() const {
  auto connection = std::make_unique<Connection>();
  connection->path = connection_->path;
  connection->access = connection_->access;
  connection->logged = connection_->logged;
  return Guarded(connection->path, [&]() -> Result<std::unique_ptr<RecordingFile>> {
    Connect(connection->path, connection->access == Access::kWrite, connection->db);
    return std::unique_ptr<RecordingFile>(new RecordingFile(std::move(connection)));
  });
}

Result<std::optional<StoredRow>> RecordingFile::Find(const std::string& key) {
  return Guarded(connection_->path, [&]() -> Result<std::optional<StoredRow>> {
    return ReadOne(*connection_->db, "key", key);
  });
}

Result<bool> RecordingFile::Insert(const StoredRow& row, bool flush) {
  return Guarded(connection_->path, [&]() -> Result<bool> {
    SQLite::Database& db = *connection_->db;
    // Without a log a commit that is not flushed may leave a damaged file behind.
    const bool flushes = flush || !connection_->logged;
    if (flushes != connection_->flushes) {
      db.exec(flushes ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
      connection_->flushes = flushes;
    }
    SQLite::Statement insert(db,
                             "INSERT INTO answer (key, simulated, recorded_unix_us, sketch, "
                             "request, answer) VALUES (?, ?, ?, ?, ?, ?) "
                             "ON CONFLICT (key) DO NOTHING");
    insert.bind(1, row.key);
    insert.bind(2, row.simulated ? 1 : 0);
    insert.bind(3, row.recorded_unix_us);
    BindBlob(insert, 4, row.sketch);
    BindBlob(insert, 5, row.request);
    BindBlob(insert, 6, row.answer);
    return insert.exec() == 1;
  });
}

Result<std::optional<StoredRow>> RecordingFile::Nearest(std::string_view sketch) {
  return Guarded(connection_->path, [&]() -> Result<std::optional<StoredRow>> {
    SQLite::Database& db = *connection_->db;
    SQLite::Statement query(db, "SELECT id, sketch FROM answer ORDER BY id");
    std::optional<int64_t> nearest;
    Likeness best;
    while (query.executeStep()) {
      const SQLite::Column bytes = query.getColumn(1);
      const std::string_view other(static_cast<const char*>(bytes.getBlob()),
                                   static_cast<size_t>(bytes.getBytes()));
      const Likeness likeness = CompareSketches(other, sketch);
      if (nearest && likeness <= best) continue;
      nearest = query.getColumn(0).getInt64();
      best = likeness;
    }
    if (!nearest) return std::nullopt;
    return ReadOne(db, "id", *nearest);
  });
}

Result<std::vector<StoredRow>> RecordingFile::List(int64_t after, int64_t limit) {
  return Guarded(connection_->path, [&]() -> Result<std::vector<StoredRow>> {
    SQLite::Statement query(
        *connection_->db,
        fmt::format("SELECT {} FROM answer WHERE id > ? ORDER BY id LIMIT ?", kColumns));
    query.bind(1, after);
    query.bind(2, limit);
    std::vector<StoredRow> rows;
    while (query.executeStep()) rows.push_back(ReadRow(query));
    return rows;
  });
}

Result<int64_t> RecordingFile::Entries() {
  return Guarded(connection_->path, [&]() -> Result<int64_t> {
    return Number(*connection_->db, "SELECT count(*) FROM answer");
  });
}

Result<int64_t> RecordingFile::Bytes() {
  return Guarded(connection_->path, [&]() -> Result<int64_t> {
    SQLite::Database& db = *connection_->db;
    return Number(db, "PRAGMA page_count") * Number(db, "PRAGMA page_size");
  });
}

Result<bool> RecordingFile::HoldsSimulated() {
  return Guarded(connection_->path, [&]() -> Result<bool> {
    return Number(*connection_->db, "SELECT coalesce(max(simulated), 0) FROM answer") != 0;
  });
}

void RecordingFile::JoinLogs() {
  const auto joined = Guarded(connection_->path, [&]() -> Result<void> {
    sqlite3_busy_timeout(connection_->db->getHandle(), 0);
    connection_->db->execAndGet("PRAGMA journal_mode = DELETE");
    return {};
  });
  if (!joined) log::Debug(joined.error().ToString());
}

}  // namespace kw::recording
