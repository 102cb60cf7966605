// The bank: SQLite holds the truth, the vectors are kept in memory as well for the search.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "bank_file.h"
#include "dense_index.h"
#include "kw/memory.h"
#include "text_index.h"

namespace kw::memory {

class SqliteBank : public Bank {
 public:
  SqliteBank(std::string path, std::unique_ptr<SQLite::Database> database,
             std::unique_ptr<Embedder> embedder);

  // Compares the embedder with the bank's and loads the vectors.
  [[nodiscard]] Result<void> Prepare();

  Result<Applied> Apply(const BankChange& change) override;
  Result<std::vector<Found>> Search(const SearchRequest& request) override;
  Result<std::vector<Rule>> Rules(const std::string& state, int64_t as_of,
                                  const std::string& own_run) override;
  Result<std::vector<MemoryItem>> Items(int64_t offset, int64_t limit) override;
  Result<MemoryItem> Item(int64_t id) override;
  Result<BankStats> Stats() override;
  Result<int64_t> Sequence() override;
  Result<std::string> CanonicalDump() override;

 private:
  // Runs `body` under the lock, and turns what SQLite and FAISS throw into errors.
  template <class Body>
  auto Guarded(const char* doing, Body body) -> decltype(body());

  // Brings the vectors in memory up to the file, where another process may have written.
  [[nodiscard]] Result<BankState> CatchUp();
  Result<Applied> ApplyLocked(const BankChange& change,
                              const std::vector<std::vector<float>>& vectors);
  std::optional<Applied> FindApplied(const BankChange& change);
  [[nodiscard]] Result<void> CheckReferences(const BankChange& change);
  int64_t AddOrMerge(const MemoryItem& item, const BankChange& change, int64_t sequence,
                     const std::vector<float>& vector, Scope& scope);
  void FoldInto(int64_t id, const MemoryItem& item);
  int64_t InsertItem(const MemoryItem& item, int64_t sequence, const std::vector<float>& vector);
  void WriteSource(int64_t id, const MemoryItem& item, const BankChange& change, int64_t sequence);
  int64_t WriteRule(const Rule& rule, const BankChange& change, int64_t sequence);
  void WriteOutcome(const BankChange::Outcome& outcome);
  void RecordChange(const BankChange& change, const Applied& applied);
  Scope ScopeOf(int64_t as_of, const std::string& own_run);
  [[nodiscard]] Result<std::vector<Found>> SearchLocked(const SearchRequest& request,
                                                        const std::vector<float>& vector);
  [[nodiscard]] Result<void> NeedEmbedder(const char* what) const;
  // Not under the lock: an embedder may take its time.
  [[nodiscard]] Result<std::vector<std::vector<float>>> Embed(
      const std::vector<std::string>& texts);
  // Of unit length, and of one dimension: the embedder's, where it knows it.
  [[nodiscard]] Result<void> CheckVectors(const std::vector<std::vector<float>>& vectors) const;
  // That of the bank, where it has one. Under the lock.
  [[nodiscard]] Result<void> CheckDimension(const BankState& state,
                                            const std::vector<float>& vector) const;
  // A bank without vectors takes the dimension of its first one.
  void TakeDimension(const std::vector<float>& vector);

  const std::string path_;
  std::mutex mutex_;
  std::unique_ptr<SQLite::Database> database_;
  const std::unique_ptr<Embedder> embedder_;
  TextIndex text_;
  std::unique_ptr<DenseIndex> dense_;  // null without an embedder, or without a dimension
  int64_t dense_sequence_ = 0, dense_generation_ = 0;
};

template <class Body>
auto SqliteBank::Guarded(const char* doing, Body body) -> decltype(body()) {
  const std::lock_guard<std::mutex> lock(mutex_);
  try {
    auto result = body();
    if (!result) return Fail(std::move(result).error().While(doing));
    return result;
  } catch (const SQLite::Exception& e) {
    return Fail(SqliteError(e, path_).While(doing));
  } catch (const std::exception& e) {
    return Fail(Error{ErrorCode::kInternal, path_ + ": " + e.what(), {}}.While(doing));
  }
}

// The kinds within which near duplicates merge: success, failure, contrast, or none of these (0).
int KindOf(const std::string& outcome);

// What an item's vector stands for.
std::string EmbeddedText(const MemoryItem& item);

// The canonical text of everything in the bank. Throws SQLite::Exception.
std::string DumpBank(SQLite::Database& database);

}  // namespace kw::memory
