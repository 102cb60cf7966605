// llm: one client for every endpoint, and the built-in simulated author.
//
//   std::unique_ptr<ChatModel> model = *MakeHttpModel({.base_url = "http://localhost:8000/v1"});
//   KW_ASSIGN(ChatAnswer answer, model->Complete({.model = "m", .messages = {{"user", prompt}}}));
//
// Everything behind ChatModel is a pure function of the request as far as it can be: the
// simulated author is one exactly; an endpoint is asked with the request's seed.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "kw/base/error.h"

namespace kw {

struct ChatMessage {
  std::string role;     // "system" | "user" | "assistant"
  std::string content;  // UTF-8
  // Bytes of the content's head that other requests begin with as well. A provider that caches
  // prompts where it is told to is told to do so there; the others find it themselves.
  size_t stable_bytes = 0;
};

struct ChatRequest {
  std::string model;
  std::vector<ChatMessage> messages;
  double temperature = 0.7;
  double top_p = 1.0;
  int max_tokens = 8192;
  std::optional<uint64_t> seed;
  std::vector<std::string> stop;

  // What follows is not sent.
  // Requests that wait begin in turn of their queues: a task's name, so that none starves.
  std::string queue;
  // Ends the request with kCancelled; a stream is closed, so that the server stops generating.
  std::stop_token cancel;
  // Asked whenever a code fence of the answer closes; true ends the stream there, and what came is
  // the answer. Empty: the model ends its answers itself.
  std::function<bool(std::string_view content)> is_complete;
};

struct TokenUsage {
  int64_t prompt = 0, completion = 0;  // of what was sent and what was generated
  int64_t cached = 0;                  // of the prompt: read from the provider's cache
  int64_t reasoning = 0;               // of the completion
  bool estimated = false;              // from the texts' lengths: the endpoint did not say
};

// What was said again and again until the stream was stopped.
struct RunawayLoop {
  std::string unit;
  int64_t repeats = 0;
  bool in_reasoning = false;
  int64_t dropped_bytes = 0;  // of the text, which keeps a few of the repeats
  int64_t tokens_saved = 0;   // that max_tokens would have allowed still
};

struct ChatAnswer {
  std::string content;    // valid UTF-8
  std::string reasoning;  // what the model thought before, where the endpoint shows it
  // "stop" | "length" | "content_filter" | "runaway" | "complete" (is_complete said so) | as the
  // endpoint says
  std::string finish_reason;
  std::string model;  // as the endpoint names it
  TokenUsage usage;
  std::optional<RunawayLoop> runaway;
  double cost_usd = 0;         // by data/models/; 0 when the model has no price there
  int64_t latency_us = 0;      // from the first time it was sent, retries included
  int64_t first_token_us = 0;  // of latency_us, until text came; 0 where nothing was streamed
  int retries = 0;
};

// Thread-safe: any number of requests may be under way.
class ChatModel {
 public:
  using Done = std::function<void(Result<ChatAnswer>)>;
  virtual ~ChatModel() = default;
  // Calls `done` exactly once, from any thread, perhaps before Submit returns; `done` may submit
  // more but should return soon and must not wait for an answer: it may hold up the others. Errors:
  // kUnavailable (network, 5xx, 429 after all retries), kInvalid (the endpoint refused the
  // request: 4xx, with its own words), kTimeout, kParse (an answer that is no chat completion),
  // kLimit (an answer beyond 16 MiB), kCancelled (the model was destroyed meanwhile).
  // A failed call is never turned into an answer.
  virtual void Submit(ChatRequest request, Done done) = 0;
  // Submit and wait.
  [[nodiscard]] Result<ChatAnswer> Complete(ChatRequest request);
  // For people: "simulated author (seeded policy, no model)", "qwen3 at http://host:8000/v1".
  virtual std::string Describe() const = 0;
  virtual bool simulated() const { return false; }
};

struct HttpModelConfig {
  std::string base_url;    // up to and with "/v1"
  std::string api_key;     // from the environment; "" sends none; never logged
  int max_in_flight = 32;  // requests under way at once; more wait
  int64_t connect_timeout_ms = 10'000;
  int64_t request_timeout_ms = 600'000;
  int max_retries = 5;            // of 408, 409, 429, 5xx and broken connections
  int64_t retry_base_ms = 500;    // doubled each time, jittered; Retry-After wins
  int64_t retry_cap_ms = 60'000;  // of both
  std::string prices_file;        // data/models/prices.toml; "" = no prices
};
// kInvalid for a base_url that is no http(s) URL. docs/endpoints.md says what is sent and
// understood.
[[nodiscard]] Result<std::unique_ptr<ChatModel>> MakeHttpModel(HttpModelConfig config);

// Asks GET /models: the names an endpoint offers. For doctor.
[[nodiscard]] Result<std::vector<std::string>> ListModels(const HttpModelConfig& config);

// A seeded policy that writes kernels for the native operations from composable pieces, with the
// mistakes that language models make; advice in the prompt's text raises the odds of what it
// advises and lowers those of the mistakes it warns of. It also answers the extraction, analysis,
// merge and judge prompts from what they show. A pure function of the request; it reads the
// prompt's text alone. Its figures are never a model's: every view calls it the simulated author.
// `effects_file`: data/models/simulated_author.toml.
[[nodiscard]] Result<std::unique_ptr<ChatModel>> MakeSimulatedAuthor(
    const std::string& effects_file);

// Answers from a script, and records what it was asked: the fake for tests.
class ScriptedModel : public ChatModel {
 public:
  using Script = std::function<Result<ChatAnswer>(const ChatRequest&)>;
  explicit ScriptedModel(Script script);
  void Submit(ChatRequest request, Done done) override;
  std::string Describe() const override { return "scripted model"; }
  std::vector<ChatRequest> requests() const;

 private:
  struct Log;
  Script script_;
  std::shared_ptr<Log> log_;
};

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

struct ResponseCacheConfig {
  std::string file;
  CacheMode mode = CacheMode::kOff;  // off: `inner` itself
  std::string variant;
};
[[nodiscard]] Result<std::unique_ptr<ChatModel>> MakeCachingModel(std::unique_ptr<ChatModel> inner,
                                                                  ResponseCacheConfig config);

}  // namespace kw
