// After a change of embedder: the texts are the truth, every vector is computed anew. What the
// embedder gave is set aside in the file, batch by batch, and takes the vectors' place in the end:
// whoever is stopped in between has paid for nothing twice, and until then the bank is as it was.
#include <fmt/format.h>

#include "bank_rows.h"
#include "sqlite_bank.h"

namespace kw {
namespace {

constexpr int kTextsAtOnce = 256;

// Ids run without a gap and are embedded in their order, so the largest one says how far it came.
constexpr const char* kSetAside = R"sql(
CREATE TABLE IF NOT EXISTS rebuilt (
  id       INTEGER PRIMARY KEY REFERENCES items (id),
  embedder TEXT NOT NULL,
  vector   BLOB NOT NULL
) STRICT
)sql";
constexpr const char* kLastOfThem = "SELECT coalesce(max(id), 0) FROM rebuilt";

class Rebuild {
 public:
  Rebuild(SQLite::Database& database, Embedder& embedder)
      : database_(database), embedder_(embedder) {}

  Result<void> Run() {
    Begin();
    while (true) {
      KW_ASSIGN(const bool more, EmbedSome());
      if (more) continue;
      KW_ASSIGN(const bool finished, Finish());
      if (finished) return {};
    }
  }

 private:
  // What another embedder gave is of no use.
  void Begin() {
    SQLite::Transaction transaction(database_, SQLite::TransactionBehavior::IMMEDIATE);
    database_.exec(kSetAside);
    SQLite::Statement other(database_, "DELETE FROM rebuilt WHERE embedder <> ?");
    other.bind(1, embedder_.name());
    other.exec();
    transaction.commit();
  }

  // False where all are embedded.
  Result<bool> EmbedSome() {
    const int64_t done = database_.execAndGet(kLastOfThem).getInt64();
    const std::vector<MemoryItem> items = memory::ReadItems(
        database_, "WHERE items.id > ? ORDER BY items.id LIMIT ?", {done, kTextsAtOnce});
    if (items.empty()) return false;
    std::vector<std::string> texts;
    for (const MemoryItem& item : items) texts.push_back(memory::EmbeddedText(item));
    // Nobody waits for this: it may take long.
    const auto vectors = embedder_.Embed(texts);
    if (!vectors) {
      return Fail(Error(vectors.error())
                      .While(fmt::format("embedding texts ({} are done and kept: run it again to "
                                         "go on)",
                                         done)));
    }
    if (vectors->size() != texts.size()) {
      return Fail(ErrorCode::kInternal, "the embedder gave another number of vectors than texts");
    }
    SQLite::Transaction transaction(database_, SQLite::TransactionBehavior::IMMEDIATE);
    SQLite::Statement insert(database_, "INSERT OR REPLACE INTO rebuilt VALUES (?, ?, ?)");
    for (size_t i = 0; i < items.size(); ++i) {
      const std::string bytes = memory::PackVector((*vectors)[i]);
      KW_TRY(memory::UnpackVector(bytes, embedder_.dimension()));
      insert.reset();
      insert.bind(1, items[i].id);
      insert.bind(2, embedder_.name());
      insert.bind(3, bytes.data(), static_cast<int>(bytes.size()));
      insert.exec();
    }
    transaction.commit();
    return true;
  }

  // False where items came meanwhile.
  Result<bool> Finish() {
    SQLite::Transaction transaction(database_, SQLite::TransactionBehavior::IMMEDIATE);
    const auto number = [this](const char* sql) { return database_.execAndGet(sql).getInt64(); };
    const int64_t items = number("SELECT count(*) FROM items");
    if (number(kLastOfThem) < items) return false;
    const int64_t bytes = number("SELECT coalesce(max(length(vector)), 0) FROM rebuilt");
    const bool complete = number("SELECT count(*) FROM rebuilt") == items;
    if (!complete || number("SELECT coalesce(min(length(vector)), 0) FROM rebuilt") != bytes) {
      database_.exec("DROP TABLE rebuilt");
      transaction.commit();
      return Fail(ErrorCode::kConflict,
                  complete ? embedder_.name() +
                                 " gave vectors of two sizes, some of them to an earlier rebuild "
                                 "that was stopped; those are forgotten now: run it again"
                           : "another process has rebuilt this bank meanwhile: run it again if "
                             "its embedder is still the wrong one");
    }
    database_.exec(
        "UPDATE items SET vector = (SELECT vector FROM rebuilt WHERE rebuilt.id = items.id);"
        "DROP TABLE rebuilt");
    SQLite::Statement update(database_,
                             "UPDATE bank SET embedder = ?, dimension = ?, generation = "
                             "generation + 1");
    update.bind(1, embedder_.name());
    update.bind(2, items > 0 ? bytes / static_cast<int64_t>(sizeof(float))
                             : int64_t{embedder_.dimension()});
    update.exec();
    memory::RefillTextIndex(database_);
    transaction.commit();
    return true;
  }

  SQLite::Database& database_;
  Embedder& embedder_;
};

}  // namespace

Result<void> RebuildBank(const std::string& path, std::unique_ptr<Embedder> embedder) {
  try {
    KW_ASSIGN(const auto database, memory::OpenBankFile(path, "", 0));
    return Rebuild(*database, *embedder).Run();
  } catch (const SQLite::Exception& e) {
    return Fail(memory::SqliteError(e, path).While("rebuilding the memory bank"));
  } catch (const std::exception& e) {
    return Fail(ErrorCode::kInternal, fmt::format("rebuilding {}: {}", path, e.what()));
  }
}

}  // namespace kw
