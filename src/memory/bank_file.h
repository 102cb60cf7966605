// The file of a bank: its schema, opening it, its checks. docs/formats/bank.md describes it.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "kw/base.h"

namespace kw::memory {

// The one row that speaks for the whole bank.
struct BankState {
  std::string embedder;
  int dimension = 0;
  int64_t sequence = 0;       // of the last change
  int64_t text_sequence = 0;  // that the full-text index has seen
  int64_t generation = 0;     // advanced when all vectors are computed anew
};

// What became of a third-party exception, as an error of ours.
Error SqliteError(const SQLite::Exception& e, std::string_view path);

// Opens or creates, and checks; `embedder` and `dimension` are what a new bank starts with ("": it
// must exist). Throws SQLite::Exception besides.
Result<std::unique_ptr<SQLite::Database>> OpenBankFile(const std::string& path,
                                                       const std::string& embedder, int dimension);

BankState ReadState(SQLite::Database& database);

// Refills the full-text index from the items; inside a transaction of the caller.
void RefillTextIndex(SQLite::Database& database);

// Vectors are stored as little-endian float32.
std::string PackVector(const std::vector<float>& vector);
// kCorrupt unless it has the dimension and unit length.
Result<std::vector<float>> UnpackVector(std::string_view bytes, int dimension);

}  // namespace kw::memory
