#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <map>

#include "bank_rows.h"
#include "sqlite_bank.h"
#include "words.h"

namespace kw {
namespace memory {
namespace {

// Reciprocal rank fusion (Cormack et al., SIGIR 2009).
constexpr double kFusionConstant = 60;
// How deep each of the two lists is read for k results.
int64_t ListDepth(int k) { return std::max<int64_t>(64, 8 * static_cast<int64_t>(k)); }

tl::unexpected<Error> FailOtherEmbedder(const std::string& path, const BankState& state,
                                        const std::string& embedder, size_t dimension) {
  return Fail(
      ErrorCode::kConflict,
      fmt::format("{} holds vectors of the embedder '{}' ({} dimensions), this is '{}' ({}): "
                  "use the bank's own, or embed its texts anew: kwright memory rebuild "
                  "(docs/formats/bank.md)",
                  path, state.embedder, state.dimension, embedder,
                  dimension == 0 ? "any" : std::to_string(dimension)));
}

}  // namespace

int KindOf(const std::string& outcome) {
  if (outcome == "success") return 1;
  if (outcome == "failure") return 2;
  if (outcome == "contrast") return 3;
  return 0;
}

std::string EmbeddedText(const MemoryItem& item) {
  return item.title + "\n" + item.description + "\n" + item.content;
}

SqliteBank::SqliteBank(std::string path, std::unique_ptr<SQLite::Database> database,
                       std::unique_ptr<Embedder> embedder)
    : path_(std::move(path)),
      database_(std::move(database)),
      embedder_(std::move(embedder)),
      text_(*database_) {}

Result<void> SqliteBank::Prepare() {
  return Guarded("opening the memory bank", [&]() -> Result<void> {
    SQLite::Transaction one_view(*database_);
    KW_TRY(CatchUp());
    return {};
  });
}

Result<BankState> SqliteBank::CatchUp() {
  const BankState state = ReadState(*database_);
  if (embedder_ == nullptr) return state;
  const int dimension = embedder_->dimension();
  const bool any_dimension = state.dimension == 0 || dimension == 0;
  if (state.embedder != embedder_->name() || (!any_dimension && state.dimension != dimension)) {
    return FailOtherEmbedder(path_, state, embedder_->name(), static_cast<size_t>(dimension));
  }
  if (state.dimension == 0) {
    if (database_->execAndGet("SELECT count(*) FROM items").getInt64() > 0) {
      return Fail(ErrorCode::kCorrupt, path_ + ": it holds vectors of no dimension");
    }
    dense_.reset();
    dense_sequence_ = state.sequence;
    dense_generation_ = state.generation;
    return state;
  }
  const bool from_scratch = dense_ == nullptr || state.generation != dense_generation_ ||
                            state.sequence < dense_sequence_;
  if (!from_scratch && state.sequence == dense_sequence_) return state;
  if (from_scratch) dense_ = std::make_unique<DenseIndex>(state.dimension);
  dense_sequence_ = -1;  // until all of it is here
  SQLite::Statement select(*database_,
                           "SELECT id, sequence, words, text_hash, outcome, vector FROM items "
                           "WHERE id > ? ORDER BY id");
  select.bind(1, dense_->size());
  while (select.executeStep()) {
    ItemKey key;
    key.id = select.getColumn(0).getInt64();
    key.sequence = select.getColumn(1).getInt64();
    key.words = select.getColumn(2).getInt64();
    key.text_hash = static_cast<uint64_t>(select.getColumn(3).getInt64());
    key.kind = KindOf(select.getColumn(4).getString());
    const SQLite::Column blob = select.getColumn(5);
    const std::string_view bytes(static_cast<const char*>(blob.getBlob()),
                                 static_cast<size_t>(blob.getBytes()));
    auto vector = UnpackVector(bytes, state.dimension);
    if (!vector || key.id != dense_->size() + 1) {
      dense_.reset();
      return Fail(ErrorCode::kCorrupt,
                  fmt::format("{}: item {}: {}", path_, key.id,
                              vector ? "ids have a gap" : vector.error().message));
    }
    dense_->Add(key, *vector);
  }
  dense_sequence_ = state.sequence;
  dense_generation_ = state.generation;
  return state;
}

Result<void> SqliteBank::NeedEmbedder(const char* what) const {
  if (embedder_ != nullptr) return {};
  return Fail(ErrorCode::kInvalid,
              fmt::format("{} was opened without an embedder: {} needs one", path_, what));
}

Result<std::vector<std::vector<float>>> SqliteBank::Embed(const std::vector<std::string>& texts) {
  KW_ASSIGN(std::vector<std::vector<float>> vectors, embedder_->Embed(texts));
  if (vectors.size() != texts.size()) {
    return Fail(ErrorCode::kInternal, fmt::format("the embedder '{}' gave {} vectors for {} texts",
                                                  embedder_->name(), vectors.size(), texts.size()));
  }
  KW_TRY(CheckVectors(vectors));
  return vectors;
}

Result<void> SqliteBank::CheckVectors(const std::vector<std::vector<float>>& vectors) const {
  const int stated = embedder_->dimension();
  const int dimension =
      stated > 0 || vectors.empty() ? stated : static_cast<int>(vectors[0].size());
  for (const std::vector<float>& vector : vectors) {
    auto checked = UnpackVector(PackVector(vector), dimension);
    if (!checked) {
      return Fail(ErrorCode::kInternal, fmt::format("the embedder '{}' gave {}", embedder_->name(),
                                                    checked.error().message));
    }
  }
  return {};
}

Result<void> SqliteBank::CheckDimension(const BankState& state,
                                        const std::vector<float>& vector) const {
  if (state.dimension == 0 || vector.size() == static_cast<size_t>(state.dimension)) return {};
  return FailOtherEmbedder(path_, state, embedder_->name(), vector.size());
}

Scope SqliteBank::ScopeOf(int64_t as_of, const std::string& own_run) {
  Scope scope{as_of, {}};
  if (as_of < 0 || own_run.empty()) return scope;
  SQLite::Statement select(*database_, "SELECT DISTINCT item FROM sources WHERE change_run = ?");
  select.bind(1, own_run);
  while (select.executeStep()) scope.own.insert(select.getColumn(0).getInt64());
  return scope;
}

Result<std::vector<Found>> SqliteBank::Search(const SearchRequest& request) {
  KW_TRY(NeedEmbedder("a search"));
  if (request.k < 1) return Fail(ErrorCode::kInvalid, fmt::format("k = {}: at least 1", request.k));
  if (Trim(request.text).empty()) return Fail(ErrorCode::kInvalid, "an empty text finds nothing");
  std::vector<std::vector<float>> vectors = {request.vector};
  if (request.vector.empty()) {
    KW_ASSIGN(vectors, Embed({TextToEmbed(request)}));
  } else {
    KW_TRY(CheckVectors(vectors));
  }
  return Guarded("searching the memory bank", [&]() { return SearchLocked(request, vectors[0]); });
}

Result<std::vector<Found>> SqliteBank::SearchLocked(const SearchRequest& request,
                                                    const std::vector<float>& vector) {
  SQLite::Transaction one_view(*database_);
  KW_ASSIGN(const BankState state, CatchUp());
  KW_TRY(CheckDimension(state, vector));
  if (dense_ == nullptr) return std::vector<Found>();
  const Scope scope = ScopeOf(request.as_of, request.own_run);
  const int64_t depth = ListDepth(request.k);
  const std::vector<DenseHit> dense = dense_->Search(vector, depth, scope);
  const std::vector<TextHit> text = text_.Search(request.text, depth, scope, dense_->keys());

  std::map<int64_t, Found> by_id;
  for (size_t i = 0; i < dense.size(); ++i) {
    by_id[dense[i].id].dense_rank = static_cast<int>(i) + 1;
  }
  for (size_t i = 0; i < text.size(); ++i) by_id[text[i].id].text_rank = static_cast<int>(i) + 1;
  std::vector<Found> found;
  for (auto& [id, entry] : by_id) {
    entry.item.id = id;
    for (int rank : {entry.dense_rank, entry.text_rank}) {
      if (rank > 0) entry.score += 1 / (kFusionConstant + rank);
    }
    found.push_back(entry);
  }
  std::sort(found.begin(), found.end(), [this](const Found& a, const Found& b) {
    if (a.score != b.score) return a.score > b.score;
    if (a.dense_rank != b.dense_rank) return a.dense_rank > 0 && a.dense_rank < b.dense_rank;
    return dense_->key(a.item.id).text_hash < dense_->key(b.item.id).text_hash;
  });
  if (found.size() > static_cast<size_t>(request.k)) found.resize(static_cast<size_t>(request.k));
  for (Found& entry : found) {
    entry.item = ReadItems(*database_, "WHERE items.id = ?", {entry.item.id}).at(0);
  }
  return found;
}

Result<std::vector<Rule>> SqliteBank::Rules(const std::string& state, int64_t as_of,
                                            const std::string& own_run) {
  if (!state.empty() && state != "kept" && state != "undecided" && state != "dropped") {
    return Fail(ErrorCode::kInvalid,
                UnknownName("rule state", state, {"kept", "undecided", "dropped"}));
  }
  return Guarded("reading the rules", [&]() -> Result<std::vector<Rule>> {
    return ReadRules(*database_, state, as_of, own_run);
  });
}

Result<std::vector<MemoryItem>> SqliteBank::Items(int64_t offset, int64_t limit) {
  return Guarded("reading the memory items", [&]() -> Result<std::vector<MemoryItem>> {
    return ReadItems(*database_, "ORDER BY items.id LIMIT ? OFFSET ?", {limit, offset});
  });
}

Result<MemoryItem> SqliteBank::Item(int64_t id) {
  return Guarded("reading a memory item", [&]() -> Result<MemoryItem> {
    std::vector<MemoryItem> items = ReadItems(*database_, "WHERE items.id = ?", {id});
    if (items.empty()) {
      return Fail(ErrorCode::kNotFound, fmt::format("{} holds no memory item {}", path_, id));
    }
    return std::move(items[0]);
  });
}

Result<BankStats> SqliteBank::Stats() {
  return Guarded("reading the memory bank", [&]() -> Result<BankStats> {
    SQLite::Transaction one_view(*database_);
    BankStats stats;
    const BankState state = ReadState(*database_);
    stats.sequence = state.sequence;
    stats.embedder = state.embedder;
    SQLite::Statement sums(*database_,
                           "SELECT count(*), coalesce(sum(uses), 0), coalesce(sum(wins), 0), "
                           "coalesce(sum(losses), 0) FROM items");
    sums.executeStep();
    stats.items = sums.getColumn(0).getInt64();
    stats.uses = sums.getColumn(1).getInt64();
    stats.wins = sums.getColumn(2).getInt64();
    stats.losses = sums.getColumn(3).getInt64();
    for (const Rule& rule : ReadRules(*database_, "", -1, "")) {
      if (rule.state == "kept") ++stats.rules_kept;
      if (rule.state == "undecided") ++stats.rules_undecided;
      if (rule.state == "dropped") ++stats.rules_dropped;
    }
    for (const std::string& file : {path_, path_ + "-wal"}) {
      struct stat info {};
      if (stat(file.c_str(), &info) == 0) stats.file_bytes += info.st_size;
    }
    return stats;
  });
}

Result<int64_t> SqliteBank::Sequence() {
  return Guarded("reading the memory bank",
                 [&]() -> Result<int64_t> { return ReadState(*database_).sequence; });
}

Result<std::string> SqliteBank::CanonicalDump() {
  return Guarded("dumping the memory bank", [&]() -> Result<std::string> {
    SQLite::Transaction one_view(*database_);
    return DumpBank(*database_);
  });
}

}  // namespace memory

std::string TextToEmbed(const SearchRequest& request) { return ToValidUtf8(request.text); }

Result<std::unique_ptr<Bank>> Bank::Open(const std::string& path,
                                         std::unique_ptr<Embedder> embedder) {
  try {
    const std::string name = embedder ? embedder->name() : "";
    const int dimension = embedder ? embedder->dimension() : 0;
    auto database = memory::OpenBankFile(path, name, dimension);
    if (!database) return Fail(std::move(database).error().While("opening the memory bank"));
    auto bank =
        std::make_unique<memory::SqliteBank>(path, std::move(*database), std::move(embedder));
    KW_TRY(bank->Prepare());
    return bank;
  } catch (const SQLite::Exception& e) {
    return Fail(memory::SqliteError(e, path).While("opening the memory bank"));
  }
}

}  // namespace kw
