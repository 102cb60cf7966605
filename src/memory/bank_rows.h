// Rows of the bank's tables, read into what the room hands out.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <cstdint>
#include <string>
#include <vector>

#include "kw/memory.h"

namespace kw::memory {

// Where an item was learned from: number 0 is the item's own, the others were merged into it.
struct Source {
  int64_t item = 0, number = 0, sequence = 0;
  std::string change_run;
  std::string title, description, content;
  Provenance from;
};

// All of these throw SQLite::Exception.
// `where` follows the items' SELECT: "WHERE items.id = ?", its values bound in order.
std::vector<MemoryItem> ReadItems(SQLite::Database& database, const std::string& where,
                                  const std::vector<int64_t>& values);
std::vector<Source> ReadSources(SQLite::Database& database);
// Each rule in its last version that is in scope, in order of id. as_of -1: now.
std::vector<Rule> ReadRules(SQLite::Database& database, const std::string& state, int64_t as_of,
                            const std::string& own_run);
void BindProvenance(SQLite::Statement& statement, int first, const Provenance& from);

}  // namespace kw::memory
