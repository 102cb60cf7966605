#include "dense_index.h"

#include <faiss/impl/IDSelector.h>

#include <algorithm>
#include <string>

#include "kw/base.h"

namespace kw::memory {
namespace {

// FAISS numbers vectors by position: position p holds item p + 1.
struct InScope : faiss::IDSelector {
  const std::vector<ItemKey>& keys;
  const Scope& scope;
  int kind;
  InScope(const std::vector<ItemKey>& keys, const Scope& scope, int kind)
      : keys(keys), scope(scope), kind(kind) {}
  bool is_member(idx_t position) const override {
    const ItemKey& key = keys[static_cast<size_t>(position)];
    return (kind < 0 || key.kind == kind) && scope.Sees(key);
  }
};

}  // namespace

void DenseIndex::Add(const ItemKey& key, const std::vector<float>& vector) {
  KW_CHECK(key.id == size() + 1, "items enter the index in order of their ids");
  KW_CHECK(static_cast<int>(vector.size()) == dimension(), "a vector of another dimension");
  index_.add(1, vector.data());
  keys_.push_back(key);
}

void DenseIndex::Clear() {
  index_.reset();
  keys_.clear();
}

std::vector<DenseHit> DenseIndex::Search(const std::vector<float>& query, int64_t k,
                                         const Scope& scope, int kind) const {
  KW_CHECK(static_cast<int>(query.size()) == dimension(), "a query of another dimension");
  k = std::min(k, size());
  if (k <= 0) return {};
  InScope selector(keys_, scope, kind);
  faiss::SearchParameters parameters;
  parameters.sel = &selector;
  std::vector<float> similarities(static_cast<size_t>(k));
  std::vector<faiss::Index::idx_t> positions(static_cast<size_t>(k), -1);
  index_.search(1, query.data(), k, similarities.data(), positions.data(), &parameters);
  std::vector<DenseHit> hits;
  for (size_t i = 0; i < positions.size(); ++i) {
    if (positions[i] >= 0) hits.push_back({positions[i] + 1, similarities[i]});
  }
  std::sort(hits.begin(), hits.end(), [this](const DenseHit& a, const DenseHit& b) {
    if (a.similarity != b.similarity) return a.similarity > b.similarity;
    if (key(a.id).text_hash != key(b.id).text_hash) {
      return key(a.id).text_hash < key(b.id).text_hash;
    }
    return a.id < b.id;
  });
  return hits;
}

}  // namespace kw::memory
