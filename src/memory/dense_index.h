// The vectors of all items, and what a search must know of an item without reading its row.
#pragma once

#include <faiss/IndexFlat.h>

#include <cstdint>
#include <unordered_set>
#include <vector>

namespace kw::memory {

struct ItemKey {
  int64_t id = 0;          // 1, 2, 3, ... without a gap
  int64_t sequence = 0;    // the bank's number when it was added
  int64_t words = 0;       // length for BM25
  uint64_t text_hash = 0;  // breaks ties, so that the order of insertion does not show
  int kind = 0;            // near duplicates merge within one kind only
};

// Which items a search may see: those added up to a number, plus a set of its run's own.
struct Scope {
  int64_t as_of = -1;  // -1: all
  std::unordered_set<int64_t> own;
  bool Sees(const ItemKey& key) const {
    return as_of < 0 || key.sequence <= as_of || own.count(key.id) > 0;
  }
};

struct DenseHit {
  int64_t id = 0;
  float similarity = 0;
};

// Exact search by inner product (FAISS flat index). Not thread-safe.
class DenseIndex {
 public:
  explicit DenseIndex(int dimension) : index_(dimension, faiss::METRIC_INNER_PRODUCT) {}

  // key.id must be size() + 1.
  void Add(const ItemKey& key, const std::vector<float>& vector);
  void Clear();
  int64_t size() const { return static_cast<int64_t>(keys_.size()); }
  int dimension() const { return static_cast<int>(index_.d); }
  const std::vector<ItemKey>& keys() const { return keys_; }
  const ItemKey& key(int64_t id) const { return keys_[static_cast<size_t>(id - 1)]; }

  // The nearest k in scope, nearest first; of one kind only when kind >= 0.
  std::vector<DenseHit> Search(const std::vector<float>& query, int64_t k, const Scope& scope,
                               int kind = -1) const;

 private:
  faiss::IndexFlat index_;
  std::vector<ItemKey> keys_;
};

}  // namespace kw::memory
