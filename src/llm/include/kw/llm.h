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
#include <map>
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
  // What a request uses and costs at most, by its length and max_tokens: before it is sent.
  struct Bound {
    int64_t tokens = 0;
    double cost_usd = 0;
  };
  virtual Bound MostOf(const ChatRequest& request) const;
  // Submit and wait.
  [[nodiscard]] Result<ChatAnswer> Complete(ChatRequest request);
  // For people: "simulated author (seeded policy, no model)", "qwen3 at http://host:8000/v1".
  virtual std::string Describe() const = 0;
  virtual bool simulated() const { return false; }
};

// kw/model_table.h: names, addresses and prices of models.
class ModelTable;

// One thread that does the HTTP of several models. Thread-safe.
struct HttpIo;
[[nodiscard]] std::shared_ptr<HttpIo> MakeHttpIo();

enum class ApiKind { kOpenAi, kAnthropic };  // chat completions, messages

// When an answer has become a loop: docs/runaway-guard.md.
struct RunawayConfig {
  bool enabled = true;
  int unit_tokens = 8;       // 1 to 8: pieces of the stream, each of at most 64 bytes
  int unit_characters = 64;  // 1 to 64
  int repeats = 12;          // 3 or more: that make a loop
  int kept = 3;              // 0 to repeats - 1: instances that stay in the text
};
// kInvalid names the number that is out of its range.
[[nodiscard]] Result<void> CheckRunawayConfig(const RunawayConfig& config);

// How an answer's stream is followed.
struct StreamOptions {
  bool on = true;  // off: each answer comes in one body, and nothing below has a part in it
  RunawayConfig guard;
};

struct HttpModelConfig {
  std::string base_url;  // up to and with "/v1"
  std::string model;     // what the endpoint calls it; "": as the request does
  std::string api_key;   // from the environment; "" sends none; never logged
  std::string ca_file;   // certificates to trust, PEM; "": the system's
  ApiKind api = ApiKind::kOpenAi;
  std::shared_ptr<HttpIo> io;  // null: a thread of its own
  StreamOptions stream;
  // What some models want otherwise: the limit under another name, no temperature.
  bool max_completion_tokens = false, fixed_temperature = false;
  int max_in_flight = 32;                                  // requests under way at once
  int64_t requests_per_minute = 0, tokens_per_minute = 0;  // in any 60 s; 0: no limit
  int64_t connect_timeout_ms = 10'000;
  int64_t request_timeout_ms = 600'000;     // of a whole answer
  int64_t stall_timeout_ms = 120'000;       // of a stream, between two pieces; 0: none
  int max_retries = 5;                      // of what another try may help
  int64_t retry_time_ms = 1'800'000;        // no try begins so long after the first one
  int64_t retry_base_ms = 500;              // doubled each time, jittered; Retry-After wins
  int64_t retry_cap_ms = 60'000;            // of both
  std::shared_ptr<const ModelTable> table;  // for prices; null: everything costs 0
};
// kInvalid for a base_url that is no http(s) URL. docs/endpoints.md says what is sent and
// understood.
[[nodiscard]] Result<std::unique_ptr<ChatModel>> MakeHttpModel(HttpModelConfig config);

// Asks GET /models: what an endpoint offers. For doctor.
struct ListedModel {
  std::string name;
  int64_t context_tokens = 0;  // 0: it does not say
};
[[nodiscard]] Result<std::vector<ListedModel>> ListModels(const HttpModelConfig& config);

// Texts as vectors. Thread-safe.
class EmbeddingModel {
 public:
  virtual ~EmbeddingModel() = default;
  struct Embeddings {
    std::vector<std::vector<float>> vectors;  // one a text, in their order, all of one size
    TokenUsage usage;
    double cost_usd = 0;
  };
  // Waits for the answer; errors as of ChatModel::Submit.
  [[nodiscard]] virtual Result<Embeddings> Embed(const std::vector<std::string>& texts) = 0;
  // What a call uses and costs at most, by the texts' lengths: before it is sent.
  virtual ChatModel::Bound MostOf(const std::vector<std::string>& texts) const;
};
// POST /embeddings of an OpenAI-compatible endpoint.
[[nodiscard]] Result<std::unique_ptr<EmbeddingModel>> MakeHttpEmbedder(HttpModelConfig config,
                                                                       const std::string& model);

// A seeded policy that writes kernels for the native operations from composable pieces, with the
// mistakes that language models make; advice in the prompt's text raises the odds of what it
// advises and lowers those of the mistakes it warns of. It also answers the extraction, analysis,
// merge and judge prompts from what they show. A pure function of the request; it reads the
// prompt's text alone. Its figures are never a model's: every view calls it the simulated author.
// `effects_file`: data/models/simulated_author.toml.
[[nodiscard]] Result<std::unique_ptr<ChatModel>> MakeSimulatedAuthor(
    const std::string& effects_file);

// Hands each request to the model that is known by its name; kInvalid for other names.
[[nodiscard]] std::unique_ptr<ChatModel> MakeRouter(
    std::map<std::string, std::unique_ptr<ChatModel>> models);

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

}  // namespace kw
