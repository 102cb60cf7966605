#include <event2/buffer.h>
#include <event2/http.h>
#include <event2/http_struct.h>
#include <event2/keyvalq_struct.h>
#include <fmt/format.h>

#include <algorithm>

#include "kw/base/clock.h"
#include "kw/base/json.h"
#include "kw/base/text.h"
#include "server.h"

namespace kw {

using mock::Exchange;
using mock::FaultKind;
using mock::Protocol;
using mock::WireError;

namespace {

constexpr size_t kMaxBodyBytes = 16 << 20;

std::string TakeBody(evhttp_request* request) {
  evbuffer* buffer = evhttp_request_get_input_buffer(request);
  std::string body(evbuffer_get_length(buffer), '\0');
  evbuffer_remove(buffer, body.data(), body.size());
  return body;
}

std::string MethodOf(evhttp_request* request) {
  switch (evhttp_request_get_command(request)) {
    case EVHTTP_REQ_GET:
      return "GET";
    case EVHTTP_REQ_POST:
      return "POST";
    case EVHTTP_REQ_PUT:
      return "PUT";
    default:
      return "DELETE";
  }
}

// Without a leading "/v1".
std::string PathOf(evhttp_request* request) {
  const evhttp_uri* uri = evhttp_request_get_evhttp_uri(request);
  const char* found = uri == nullptr ? nullptr : evhttp_uri_get_path(uri);
  std::string path = found == nullptr ? "/" : found;
  if (path.starts_with("/v1/")) path.erase(0, 3);
  return path;
}

std::optional<Protocol> ProtocolAt(const std::string& path) {
  if (path == "/chat/completions") return Protocol::kChat;
  if (path == "/messages") return Protocol::kMessages;
  if (path == "/embeddings") return Protocol::kEmbeddings;
  return std::nullopt;
}

bool IsGetPath(const std::string& path) {
  return path == "/health" || path == "/models" || path == "/mock/stats" ||
         path == "/mock/requests";
}

WireError BadRequest(int status, std::string code, std::string message) {
  return {status, "invalid_request_error", std::move(code), std::move(message)};
}

std::string RequestsBody(const std::vector<KeptRequest>& requests) {
  Json list = Json::array();
  for (const KeptRequest& request : requests) {
    Json headers = Json::object();
    for (const auto& [name, value] : request.headers) headers[name] = value;
    list.push_back({{"method", request.method},
                    {"target", request.target},
                    {"headers", std::move(headers)},
                    {"body", request.body}});
  }
  return DumpJson(list);
}

}  // namespace

void MockEndpoint::Server::OnRequest(evhttp_request* request, void* self) {
  auto* server = static_cast<Server*>(self);
  const uint64_t id = server->next_id_++;
  auto made = std::make_unique<Exchange>(id, request, *server);
  Exchange& exchange = *made;
  server->exchanges_.emplace(id, std::move(made));
  server->Route(exchange, id, request);
}

void MockEndpoint::Server::Route(Exchange& exchange, uint64_t id, evhttp_request* request) {
  const std::string path = PathOf(request), method = MethodOf(request);
  std::string body = TakeBody(request);
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    ++stats_.requests;
  }
  if (!path.starts_with("/mock/")) Keep(request, body);
  const std::optional<Protocol> protocol = ProtocolAt(path);
  if (!protocol && !IsGetPath(path)) {
    Refuse(exchange, Protocol::kChat, BadRequest(404, "", "there is nothing at " + path));
  } else if (method != (protocol ? "POST" : "GET")) {
    Refuse(exchange, protocol.value_or(Protocol::kChat),
           BadRequest(405, "", path + " does not answer " + method));
  } else if (!protocol) {
    RouteGet(exchange, path, IsAllowed(request));
  } else {
    exchange.MarkAsked();
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      ++stats_.asked;
      stats_.most_open = std::max(stats_.most_open, ++stats_.open);
    }
    if (IsAllowed(request)) {
      Ask(exchange, id, *protocol, evhttp_request_get_uri(request), std::move(body));
    } else {
      Refuse(exchange, *protocol,
             BadRequest(401, "invalid_api_key", "the API key is not the right one"));
    }
  }
}

void MockEndpoint::Server::RouteGet(Exchange& exchange, const std::string& path, bool allowed) {
  if (path == "/health") return BeginText(exchange, R"({"status":"ok"})");
  if (path == "/mock/stats") return BeginText(exchange, MockStatsToJson(stats()));
  if (path == "/mock/requests") return BeginText(exchange, RequestsBody(requests()));
  if (allowed) {
    return BeginText(exchange, mock::ModelsBody(OfferedModels(), options_.context_tokens));
  }
  Refuse(exchange, Protocol::kChat,
         BadRequest(401, "invalid_api_key", "the API key is not the right one"));
}

std::vector<std::string> MockEndpoint::Server::OfferedModels() const {
  return options_.models.empty() ? std::vector<std::string>{"simulated"} : options_.models;
}

bool MockEndpoint::Server::IsAllowed(evhttp_request* request) const {
  if (options_.api_key.empty()) return true;
  const evkeyvalq* headers = evhttp_request_get_input_headers(request);
  const char* bearer = evhttp_find_header(headers, "Authorization");
  const char* key = evhttp_find_header(headers, "x-api-key");
  return (bearer != nullptr && "Bearer " + options_.api_key == bearer) ||
         (key != nullptr && options_.api_key == key);
}

void MockEndpoint::Server::Ask(Exchange& exchange, uint64_t id, Protocol protocol,
                               const std::string& target, std::string body) {
  if (body.size() > kMaxBodyBytes) {
    return Refuse(exchange, protocol,
                  BadRequest(413, "", fmt::format("a body may have {} bytes", kMaxBodyBytes)));
  }
  Result<mock::Asked> asked = mock::ReadAsked(protocol, body);
  if (!asked) return Refuse(exchange, protocol, BadRequest(400, "", asked.error().message));
  std::vector<mock::Header> headers;
  if (const auto error = Check(*asked, headers)) {
    return Refuse(exchange, protocol, *error, std::move(headers));
  }
  const std::optional<mock::Fault> fault = plan_.Next(target + "\n" + body);
  if (fault) {
    auto refusal = mock::MakeRefusal(fault->kind, protocol, target,
                                     {options_.retry_after_s, options_.redirect_to},
                                     SystemClock().UnixMicros(), exchange.framing());
    if (refusal != nullptr) {
      CountFault(fault->kind);
      return exchange.Begin(std::move(refusal));
    }
  }
  if (protocol == Protocol::kEmbeddings) return BeginAnswer(exchange, *asked, {}, fault);
  if (!source_.asks_model()) return BeginAnswer(exchange, *asked, source_.Own(*asked), fault);
  const Waiting& waiting = waiting_[id] = {std::move(*asked), fault};
  AskModel(id, waiting.asked);
}

std::optional<WireError> MockEndpoint::Server::Check(const mock::Asked& asked,
                                                     std::vector<mock::Header>& headers) {
  const std::vector<std::string>& models = options_.models;
  const std::string& model = asked.request.model;
  if (!models.empty() && std::find(models.begin(), models.end(), model) == models.end()) {
    return BadRequest(404, "model_not_found", "The model `" + model + "` does not exist.");
  }
  if (const int64_t seconds = TakeFromRate(); seconds > 0) {
    headers = {{"Retry-After", std::to_string(seconds)}};
    return WireError{429, "rate_limit_exceeded", "rate_limit_exceeded",
                     fmt::format("Rate limit reached: {} requests a minute. Try again in {} s.",
                                 options_.requests_per_minute, seconds)};
  }
  if (asked.prompt_tokens >= options_.context_tokens) {
    return BadRequest(
        400, "context_length_exceeded",
        asked.protocol == Protocol::kMessages
            ? fmt::format("prompt is too long: {} tokens > {} maximum", asked.prompt_tokens,
                          options_.context_tokens)
            : fmt::format(
                  "This model's maximum context length is {} tokens. However, your messages "
                  "resulted in {} tokens. Please reduce the length of the messages.",
                  options_.context_tokens, asked.prompt_tokens));
  }
  return std::nullopt;
}

int64_t MockEndpoint::Server::TakeFromRate() {
  constexpr int64_t kMinuteUs = 60'000'000;
  if (options_.requests_per_minute == 0) return 0;
  const int64_t now = Now();
  while (!recent_us_.empty() && recent_us_.front() <= now - kMinuteUs) recent_us_.pop_front();
  if (static_cast<int64_t>(recent_us_.size()) >= options_.requests_per_minute) {
    return (recent_us_.front() + kMinuteUs - now + 999'999) / 1'000'000;
  }
  recent_us_.push_back(now);
  return 0;
}

void MockEndpoint::Server::Answered(uint64_t id, Result<ChatAnswer> said) {
  const auto waiting = waiting_.find(id);
  // The client left meanwhile.
  if (waiting == waiting_.end()) return;
  const Waiting asked = std::move(waiting->second);
  waiting_.erase(waiting);
  Exchange& exchange = *exchanges_.at(id);
  if (!said) {
    const bool invalid = said.error().code == ErrorCode::kInvalid;
    const std::string words = said.error().ToString();
    return Refuse(exchange, asked.asked.protocol,
                  invalid ? BadRequest(400, "", words) : WireError{500, "server_error", "", words});
  }
  BeginAnswer(exchange, asked.asked, source_.FromModel(asked.asked, std::move(*said)), asked.fault);
}

void MockEndpoint::Server::BeginAnswer(Exchange& exchange, const mock::Asked& asked,
                                       const mock::Answer& answer,
                                       std::optional<mock::Fault> fault) {
  if (fault && !mock::AppliesTo(fault->kind, asked, answer)) fault.reset();
  if (fault) CountFault(fault->kind);
  const auto is = [&](FaultKind kind) { return fault && fault->kind == kind; };
  const bool whole = !fault || mock::LeavesWhole(fault->kind);
  const mock::ReplyPace pace{.chunk_bytes = options_.chunk_bytes,
                             .latency_us = options_.latency_ms * 1000,
                             .stall_us = options_.stall_ms * 1000};
  const bool with_length = is(FaultKind::kLongLength) || is(FaultKind::kShortLength);
  if (asked.stream && !with_length && !is(FaultKind::kPlainJson)) {
    return exchange.BeginAnswer(
        std::make_unique<mock::StreamReply>(asked, answer, fault, pace, exchange.framing()),
        options_.chunks_per_s, true, whole, is(FaultKind::kSlowHead) ? pace.stall_us : 0);
  }
  std::string body;
  std::string_view type = "application/json";
  if (is(FaultKind::kErrorChunk)) {
    body =
        mock::ErrorBody(asked.protocol, {529, "server_error", "500", "the simulated model failed"});
  } else if (asked.stream && with_length) {
    body = mock::WholeStream(asked, answer, pace);
    type = "text/event-stream; charset=utf-8";
  } else if (asked.protocol == Protocol::kEmbeddings) {
    const int64_t dimension = asked.dimension > 0 ? asked.dimension : options_.embedding_dimension;
    body = mock::EmbeddingsBody(asked, dimension, !is(FaultKind::kNoUsage));
  } else {
    body = mock::PlainBody(asked, answer, !is(FaultKind::kNoUsage));
  }
  // A plain answer takes as long as its stream would.
  int64_t delay_us = pace.latency_us;
  if (options_.chunks_per_s > 0) {
    const auto bytes = static_cast<double>(answer.reasoning.size + answer.content.size);
    delay_us += static_cast<int64_t>(bytes / options_.chunk_bytes / options_.chunks_per_s * 1e6);
  }
  exchange.BeginAnswer(
      mock::MakePlainReply(std::move(body), type, fault, delay_us, pace, exchange.framing()), 0,
      false, whole, 0);
}

void MockEndpoint::Server::BeginText(Exchange& exchange, std::string body) {
  exchange.Begin(mock::MakePlainReply(std::move(body), "application/json", std::nullopt, 0, {},
                                      exchange.framing()));
}

void MockEndpoint::Server::Refuse(Exchange& exchange, Protocol protocol, const WireError& error,
                                  std::vector<mock::Header> headers) {
  if (error.status < 500) {
    const std::lock_guard<std::mutex> lock(mutex_);
    ++stats_.refused;
  }
  exchange.Begin(mock::MakeErrorReply(protocol, error, std::move(headers), exchange.framing()));
}

void MockEndpoint::Server::Keep(evhttp_request* request, const std::string& body) {
  if (options_.keep_requests == 0) return;
  KeptRequest kept{
      .method = MethodOf(request), .target = evhttp_request_get_uri(request), .body = body};
  const evkeyvalq* headers = evhttp_request_get_input_headers(request);
  for (const evkeyval* header = headers->tqh_first; header != nullptr;
       header = header->next.tqe_next) {
    const std::string name = ToLower(header->key);
    const bool key = name == "authorization" || name == "x-api-key";
    kept.headers.emplace_back(name, key ? "(a key)" : header->value);
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  kept_.push_back(std::move(kept));
  if (kept_.size() > options_.keep_requests) kept_.pop_front();
}

}  // namespace kw
