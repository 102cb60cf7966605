// BM25 (Robertson and Zaragoza, "The Probabilistic Relevance Framework", 2009), k1 = 1.2, b = 0.75,
// with idf = ln(1 + (N - n + 0.5) / (n + 0.5)), which stays positive in a small bank.
#include "text_index.h"

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <unordered_set>

#include "kw/base.h"
#include "words.h"

namespace kw::memory {
namespace {

constexpr double kK1 = 1.2;
constexpr double kB = 0.75;
// By column: title, description, content, task, op_type. A title is what an item is about.
constexpr std::array<double, 5> kColumnWeights = {2.0, 1.5, 1.0, 1.0, 1.0};
// A task's whole text may be the query; beyond this many words nothing is told apart any better.
constexpr size_t kMostTerms = 128;

struct PhraseCount {
  const TextIndex::Query* query;
  int64_t rows = 0;
};

const ItemKey* VisibleKey(const TextIndex::Query& query, int64_t id) {
  if (id < 1 || id > static_cast<int64_t>(query.keys->size())) return nullptr;
  const ItemKey& key = (*query.keys)[static_cast<size_t>(id - 1)];
  return query.scope->Sees(key) ? &key : nullptr;
}

int CountVisibleRow(const Fts5ExtensionApi* api, Fts5Context* context, void* data) {
  auto* count = static_cast<PhraseCount*>(data);
  if (VisibleKey(*count->query, api->xRowid(context)) != nullptr) ++count->rows;
  return SQLITE_OK;
}

int ComputeIdf(const Fts5ExtensionApi* api, Fts5Context* context, TextIndex::Query& query) {
  const int phrases = api->xPhraseCount(context);
  for (int phrase = 0; phrase < phrases; ++phrase) {
    PhraseCount count{&query};
    const int status = api->xQueryPhrase(context, phrase, &count, CountVisibleRow);
    if (status != SQLITE_OK) return status;
    const double n = static_cast<double>(count.rows);
    const double rest = static_cast<double>(query.visible) - n;
    query.phrase_idf.push_back(std::log(1 + (rest + 0.5) / (n + 0.5)));
  }
  return SQLITE_OK;
}

// The SQL function visible_bm25(items_fts): NULL for a row out of scope.
void VisibleBm25(const Fts5ExtensionApi* api, Fts5Context* context, sqlite3_context* result, int,
                 sqlite3_value**) {
  auto& query = *static_cast<TextIndex::Query*>(api->xUserData(context));
  if (query.scope == nullptr) {
    sqlite3_result_error(result, "visible_bm25: no search is under way", -1);
    return;
  }
  const ItemKey* key = VisibleKey(query, api->xRowid(context));
  if (key == nullptr) return sqlite3_result_null(result);
  int status = SQLITE_OK;
  if (query.phrase_idf.empty()) status = ComputeIdf(api, context, query);
  int instances = 0;
  if (status == SQLITE_OK) status = api->xInstCount(context, &instances);
  std::vector<double> frequency(query.phrase_idf.size(), 0.0);
  for (int i = 0; status == SQLITE_OK && i < instances; ++i) {
    int phrase = 0, column = 0, offset = 0;
    status = api->xInst(context, i, &phrase, &column, &offset);
    if (status == SQLITE_OK) {
      frequency[static_cast<size_t>(phrase)] += kColumnWeights[static_cast<size_t>(column)];
    }
  }
  if (status != SQLITE_OK) return sqlite3_result_error_code(result, status);
  const double length = static_cast<double>(key->words) / query.average_words;
  double score = 0;
  for (size_t i = 0; i < frequency.size(); ++i) {
    score += query.phrase_idf[i] * frequency[i] * (kK1 + 1) /
             (frequency[i] + kK1 * (1 - kB + kB * length));
  }
  sqlite3_result_double(result, score);
}

fts5_api* Fts5Api(sqlite3* connection) {
  fts5_api* api = nullptr;
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(connection, "SELECT fts5(?1)", -1, &statement, nullptr) == SQLITE_OK) {
    sqlite3_bind_pointer(statement, 1, static_cast<void*>(&api), "fts5_api_ptr", nullptr);
    sqlite3_step(statement);
  }
  sqlite3_finalize(statement);
  return api;
}

}  // namespace

std::string MatchExpression(std::string_view text) {
  std::string expression;
  std::unordered_set<std::string> seen;
  // FTS5 takes valid UTF-8 in quotes for a phrase, whatever it holds; words hold no quote.
  const std::string valid = ToValidUtf8(text);
  for (std::string_view raw : SplitWords(valid)) {
    std::string word = ToLower(raw);
    if (IsStopWord(word) || !seen.insert(word).second) continue;
    if (!expression.empty()) expression += " OR ";
    expression += '"' + word + '"';
    if (seen.size() == kMostTerms) break;
  }
  return expression;
}

TextIndex::TextIndex(SQLite::Database& database) : database_(database) {
  fts5_api* api = Fts5Api(database.getHandle());
  if (api == nullptr) throw SQLite::Exception("this SQLite was built without FTS5");
  const int status =
      api->xCreateFunction(api, "visible_bm25", static_cast<void*>(&query_), VisibleBm25, nullptr);
  if (status != SQLITE_OK) throw SQLite::Exception(database.getHandle(), status);
}

std::vector<TextHit> TextIndex::Search(std::string_view text, int64_t limit, const Scope& scope,
                                       const std::vector<ItemKey>& keys) {
  const std::string expression = MatchExpression(text);
  if (expression.empty()) return {};
  query_ = Query{&scope, &keys};
  int64_t words = 0;
  for (const ItemKey& key : keys) {
    if (!scope.Sees(key)) continue;
    ++query_.visible;
    words += key.words;
  }
  if (words > 0) {
    query_.average_words = static_cast<double>(words) / static_cast<double>(query_.visible);
  }
  std::vector<TextHit> hits;
  SQLite::Statement select(
      database_, "SELECT rowid, visible_bm25(items_fts) FROM items_fts WHERE items_fts MATCH ?");
  select.bind(1, expression);
  while (select.executeStep()) {
    if (!select.getColumn(1).isNull()) {
      hits.push_back({select.getColumn(0).getInt64(), select.getColumn(1).getDouble()});
    }
  }
  query_ = Query{};
  std::sort(hits.begin(), hits.end(), [&keys](const TextHit& a, const TextHit& b) {
    if (a.score != b.score) return a.score > b.score;
    const uint64_t ha = keys[static_cast<size_t>(a.id - 1)].text_hash;
    const uint64_t hb = keys[static_cast<size_t>(b.id - 1)].text_hash;
    return ha != hb ? ha < hb : a.id < b.id;
  });
  if (static_cast<int64_t>(hits.size()) > limit) hits.resize(static_cast<size_t>(limit));
  return hits;
}

}  // namespace kw::memory
