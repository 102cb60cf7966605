// mock: an endpoint that is none. Chat completions, embeddings and Anthropic's messages over real
// HTTP, from the simulated author or from canned text, at a chosen speed, with chosen faults: for
// tests, demonstrations and load. docs/mock-server.md says what it answers.
//
//   KW_ASSIGN(auto endpoint, MockEndpoint::Start({.faults = "429=0.1,cut=/20", .seed = 7},
//   author)); KW_ASSIGN(auto model, MakeHttpModel({.base_url = endpoint->base_url()}));
//   ... endpoint->stats().completed ...
//
// What it answers is a pure function of the request and the options; which request meets a fault
// follows from the seed, the request's bytes and how often they came before, whatever the order in
// which requests arrive (every-N faults count arrivals instead).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "kw/base/error.h"
#include "kw/llm.h"

namespace kw {

struct MockOptions {
  std::string host = "127.0.0.1";
  int port = 0;                     // 0: one that is free
  std::vector<std::string> models;  // the only names that are answered; empty: any
  std::string api_key;              // "": any key and none
  int64_t context_tokens = 131'072;

  enum class Content { kModel, kCanned, kLoop };
  Content content = Content::kModel;
  int64_t canned_bytes = 8192;     // kCanned: a healthy answer with a kernel of so many bytes
  std::string loop_unit;           // kLoop: "" is a line of code
  bool loop_in_reasoning = false;  // kLoop: needs reasoning
  enum class Reasoning { kNone, kField, kThinkBlock };
  Reasoning reasoning = Reasoning::kNone;
  bool unicode = false;  // a first line with characters of two, three and four bytes

  int chunk_bytes = 4;      // of text in an event, to the end of the character
  double chunks_per_s = 0;  // of one stream; 0: as fast as the client takes them
  int64_t latency_ms = 0;   // before the first event, or before a plain answer
  int embedding_dimension = 256;

  std::string faults;  // "429=0.1,reset=/20": a share of the requests, or every 20th
  uint64_t seed = 1;
  int64_t requests_per_minute = 0;                      // 0: no limit
  int64_t retry_after_s = 1;                            // of the faults 429, 429-date and 503
  int64_t stall_ms = 30'000;                            // of the faults stall and slow-head
  std::string redirect_to = "http://redirect.invalid";  // of the fault redirect

  size_t keep_requests = 0;  // the last ones, for requests()
};

struct MockStats {
  int64_t requests = 0;               // all, whatever their path
  int64_t asked = 0;                  // for an answer or an embedding
  int64_t completed = 0;              // answers that were sent whole, as the protocol wants them
  int64_t streamed = 0;               // of completed
  int64_t refused = 0;                // 4xx for a reason: key, model, context, body, rate
  int64_t closed_early = 0;           // by the client, before the answer was whole
  std::vector<int64_t> closed_after;  // chunks of text that it had got; the first 10,000
  int64_t chunks = 0;                 // of text, in streams
  int64_t bytes = 0;                  // of all answers, heads included
  int64_t open = 0, most_open = 0;    // answers under way
  std::map<std::string, int64_t> faults;  // made, by name
};

struct KeptRequest {
  std::string method, target;
  std::vector<std::pair<std::string, std::string>> headers;  // of a key only that there is one
  std::string body;
};

// Every fault, and what it does, in the order of the manual.
std::vector<std::pair<std::string, std::string>> MockFaults();

// Runs on a thread of its own, in which it also asks the model. Thread-safe.
class MockEndpoint {
 public:
  // `model` answers where content is kModel, else it may be null. kInvalid for options that
  // contradict each other or name an unknown fault; kUnavailable where the port cannot be had.
  [[nodiscard]] static Result<std::unique_ptr<MockEndpoint>> Start(
      MockOptions options, std::shared_ptr<ChatModel> model);
  // Breaks off what is under way.
  ~MockEndpoint();

  int port() const;
  std::string base_url() const;  // "http://127.0.0.1:4711/v1"
  MockStats stats() const;
  std::vector<KeptRequest> requests() const;

 private:
  class Server;
  explicit MockEndpoint(std::unique_ptr<Server> server);
  std::unique_ptr<Server> server_;
};

// As GET /mock/stats shows it.
std::string MockStatsToJson(const MockStats& stats);

}  // namespace kw
