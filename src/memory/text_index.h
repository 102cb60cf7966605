// Full-text search over the items (SQLite's FTS5), scored by BM25 within a scope.
//
// FTS5's own bm25() counts the whole table. Here a search as of a number must not feel what was
// added later, so the score is a function of our own that counts the visible rows only.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "dense_index.h"

namespace kw::memory {

// An FTS5 expression that matches rows with any of the text's words; safe for any bytes. "" when
// there is no word to look for.
std::string MatchExpression(std::string_view text);

struct TextHit {
  int64_t id = 0;
  double score = 0;
};

// One per connection. Not thread-safe.
class TextIndex {
 public:
  // Registers the scoring function with the connection; both live as long as this.
  explicit TextIndex(SQLite::Database& database);
  TextIndex(const TextIndex&) = delete;
  TextIndex& operator=(const TextIndex&) = delete;

  // Items in scope that hold one of the text's words, best first, at most `limit`. Throws
  // SQLite::Exception.
  std::vector<TextHit> Search(std::string_view text, int64_t limit, const Scope& scope,
                              const std::vector<ItemKey>& keys);

  // What the scoring function sees of the search under way.
  struct Query {
    const Scope* scope = nullptr;
    const std::vector<ItemKey>* keys = nullptr;
    int64_t visible = 0;
    double average_words = 1;
    std::vector<double> phrase_idf;  // filled at the first row
  };

 private:
  SQLite::Database& database_;
  Query query_;
};

}  // namespace kw::memory
