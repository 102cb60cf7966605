// Answers of models, kept: an experiment replays offline, and nothing is paid twice.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kw/llm.h"

namespace kw {

// Answers kept in a file, so that an experiment replays offline, byte for byte, and nothing is paid
// twice: docs/formats/response-cache.md says what makes two requests equal.
//
//   KW_ASSIGN(auto model, MakeCachingModel(std::move(http), {"calls.db", CacheMode::kRecord}));
enum class CacheMode {
  kOff,
  kRecord,  // what the file holds is answered from it; the rest is asked, and kept once answered
  kReplay,  // no model is ever asked; what the file does not hold is an error
};
// "off", "record", "replay"; kInvalid names the nearest.
[[nodiscard]] Result<CacheMode> ParseCacheMode(std::string_view name);

// One entry of a recording, for people.
struct RecordedCall {
  std::string key;
  std::string model, variant;
  double temperature = 0;
  std::optional<uint64_t> seed;
  int64_t occurrence = 0;  // 1, 2, ... of a request that has no seed at a temperature above 0
  int64_t messages = 0, prompt_bytes = 0, answer_bytes = 0;
  std::string finish_reason;
  TokenUsage usage;
  double cost_usd = 0;
  bool simulated = false;
  int64_t recorded_unix_us = 0;
};

struct ResponseCacheStats {
  int64_t entries = 0, bytes = 0;  // of the file
  int64_t hits = 0, misses = 0;    // through this object; a hit is a call that asked no model
  int64_t not_kept = 0;            // answered, but the file could not be written (logged)
};

// A recording that is open. Several models may share one, and several processes may record into one
// file at once. Thread-safe. Holds no key, no header and no URL.
class ResponseCache {
 public:
  // Record makes a missing file (mode 0600), replay fails with kNotFound. A damaged file, or one of
  // another kind, is kCorrupt and stays as it is; one of a newer format is kConflict. kInvalid for
  // kOff.
  [[nodiscard]] static Result<std::shared_ptr<ResponseCache>> Open(const std::string& file,
                                                                   CacheMode mode);
  // Keeps what is still to be kept. Not from within a `done`.
  ~ResponseCache();
  [[nodiscard]] Result<ResponseCacheStats> Stats() const;
  // The first `limit` entries, oldest first.
  [[nodiscard]] Result<std::vector<RecordedCall>> ListRequests(int64_t limit) const;

  struct Impl;
  Impl& impl() const { return *impl_; }

 private:
  explicit ResponseCache(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// A model that answers from `cache`. Replay never calls `inner`, which may be null then; record
// needs it. `variant` stands for all settings of the client that change what an answer holds (a
// guard's bounds); it is part of what is looked up.
//
// Record calls `done` once the answer is written: from a thread of the cache, from inner's for
// errors, from Submit's for hits. Errors are not kept. Two equal requests
// under way at once are asked once, and end early only when both are cancelled. Where another
// process was faster, its answer counts: what is returned is what the file says.
// Replay: kNotFound for a request that was never recorded, with how the nearest one differs.
[[nodiscard]] Result<std::unique_ptr<ChatModel>> MakeCachingModel(
    std::unique_ptr<ChatModel> inner, std::shared_ptr<ResponseCache> cache, std::string variant);

// The same for embeddings of `model`: the texts of one call are one request. docs/formats/
// response-cache.md says how they are kept.
[[nodiscard]] Result<std::unique_ptr<EmbeddingModel>> MakeCachingEmbedder(
    std::unique_ptr<EmbeddingModel> inner, std::shared_ptr<ResponseCache> cache,
    const std::string& model);

struct ResponseCacheConfig {
  std::string file;
  CacheMode mode = CacheMode::kOff;  // off: `inner` itself
  std::string variant;
};
[[nodiscard]] Result<std::unique_ptr<ChatModel>> MakeCachingModel(std::unique_ptr<ChatModel> inner,
                                                                  ResponseCacheConfig config);

}  // namespace kw
