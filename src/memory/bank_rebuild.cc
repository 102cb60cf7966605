// After a change of embedder: the texts are the truth, every vector is computed anew.
#include <fmt/format.h>

#include "bank_rows.h"
#include "sqlite_bank.h"

namespace kw {
namespace {

constexpr size_t kTextsAtOnce = 256;

Result<void> WriteVectors(SQLite::Database& database, const std::vector<MemoryItem>& items,
                          Embedder& embedder) {
  SQLite::Statement update(database, "UPDATE items SET vector = ? WHERE id = ?");
  for (size_t begin = 0; begin < items.size(); begin += kTextsAtOnce) {
    const size_t end = std::min(items.size(), begin + kTextsAtOnce);
    std::vector<std::string> texts;
    for (size_t i = begin; i < end; ++i) texts.push_back(memory::EmbeddedText(items[i]));
    KW_ASSIGN(const std::vector<std::vector<float>> vectors, embedder.Embed(texts));
    if (vectors.size() != texts.size()) {
      return Fail(ErrorCode::kInternal, "the embedder gave another number of vectors than texts");
    }
    for (size_t i = begin; i < end; ++i) {
      const std::string bytes = memory::PackVector(vectors[i - begin]);
      KW_TRY(memory::UnpackVector(bytes, embedder.dimension()));
      update.reset();
      update.bind(1, bytes.data(), static_cast<int>(bytes.size()));
      update.bind(2, items[i].id);
      update.exec();
    }
  }
  return {};
}

}  // namespace

Result<void> RebuildBank(const std::string& path, std::unique_ptr<Embedder> embedder) {
  try {
    KW_ASSIGN(const auto database, memory::OpenBankFile(path, "", 0));
    SQLite::Transaction transaction(*database, SQLite::TransactionBehavior::IMMEDIATE);
    KW_TRY(
        WriteVectors(*database, memory::ReadItems(*database, "ORDER BY items.id", {}), *embedder));
    SQLite::Statement update(*database,
                             "UPDATE bank SET embedder = ?, dimension = ?, generation = "
                             "generation + 1");
    update.bind(1, embedder->name());
    update.bind(2, embedder->dimension());
    update.exec();
    memory::RefillTextIndex(*database);
    transaction.commit();
    return {};
  } catch (const SQLite::Exception& e) {
    return Fail(memory::SqliteError(e, path).While("rebuilding the memory bank"));
  } catch (const std::exception& e) {
    return Fail(ErrorCode::kInternal, fmt::format("rebuilding {}: {}", path, e.what()));
  }
}

}  // namespace kw
