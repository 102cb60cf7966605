#include "call_transfer.h"

#include <fmt/format.h>

#include <algorithm>

#include "answer_builder.h"
#include "kw/base.h"
#include "retry.h"
#include "wire_json.h"

namespace kw::llm {
namespace {

constexpr size_t kMaxShownWords = 600;

// The prompt does not fit. Some say so with status 500; "too many tokens" with 429 is a limit a
// minute.
bool IsTooLong(int status, const std::string& words) {
  if (status == 429) return false;
  const std::string lower = ToLower(words);
  for (std::string_view sign :
       {"context length", "context_length", "context size", "context_size", "context window",
        "maximum context", "prompt is too long", "too many tokens", "too large to process"}) {
    if (lower.find(sign) != std::string::npos) return true;
  }
  return false;
}

bool IsWorthATry(int status, const std::string& words) {
  return IsWorthARetry(status) && !IsTooLong(status, words);
}

std::string Advice(int status, const std::string& words, bool has_key) {
  if (IsTooLong(status, words)) {
    return " (prompt and max_tokens do not fit into the model's context: lower model.max_tokens, "
           "show less in the prompt (learner.k, fewer samples), or serve a longer context)";
  }
  if (status == 401 || status == 403) {
    return has_key ? " (check the API key)"
                   : " (no API key was sent: set the variable that model.api_key_env names, or the "
                     "provider's own)";
  }
  if (status == 404) return " (check the base URL and the model's name)";
  return "";
}

}  // namespace

Result<std::shared_ptr<const EndpointRoom>> EndpointRoom::Make(HttpModelConfig config) {
  KW_ASSIGN(Endpoint endpoint, Endpoint::Make(config.base_url, config.api_key));
  if (config.max_in_flight < 1 || config.connect_timeout_ms < 1 || config.request_timeout_ms < 1 ||
      config.stall_timeout_ms < 0 || config.max_retries < 0 || config.retry_base_ms < 0 ||
      config.retry_cap_ms < 0 || config.retry_time_ms < 0 || config.requests_per_minute < 0 ||
      config.tokens_per_minute < 0) {
    return Fail(ErrorCode::kInvalid,
                "an endpoint needs at least one request in flight, timeouts of at least 1 ms, and "
                "no limit below 0");
  }
  KW_TRY(CheckRunawayConfig(config.stream.guard));
  auto loop = config.io ? config.io->loop : std::make_shared<TransferLoop>();
  const Wire& wire = WireOf(config.api);
  const WireTraits traits = {config.max_completion_tokens, config.fixed_temperature};
  return std::make_shared<const EndpointRoom>(
      EndpointRoom{std::move(config), std::move(endpoint), wire, traits, std::move(loop)});
}

CallTransfer::CallTransfer(std::shared_ptr<const EndpointRoom> room, std::string path,
                           std::string body)
    : room_(std::move(room)),
      path_(std::move(path)),
      body_(std::move(body)),
      hash_(DeriveSeed(0, body_)) {}

HttpRequest CallTransfer::Request() const {
  HttpRequest request;
  request.url = room_->endpoint.Url(path_);
  // "Expect:" sends none: servers that do not know it cost a second of waiting.
  request.headers = {"Content-Type: application/json", "Expect:"};
  for (std::string& header : room_->wire.Headers(room_->endpoint.key())) {
    request.headers.push_back(std::move(header));
  }
  if (!body_.empty()) request.body = &body_;
  request.use_proxy = !room_->endpoint.is_local();
  request.ca_file = room_->config.ca_file;
  request.connect_timeout_ms = room_->config.connect_timeout_ms;
  request.timeout_ms = room_->config.request_timeout_ms;
  return request;
}

void CallTransfer::Begin() {
  if (began_us_ == 0) began_us_ = SystemClock().MonotonicMicros();
  received_.clear();
}

bool CallTransfer::Receive(std::string_view bytes) {
  if (received_.size() + bytes.size() > kMaxAnswerBytes) return false;
  received_ += bytes;
  return true;
}

std::optional<Transfer::Again> CallTransfer::End(const TransferEnd& end) {
  using Kind = TransferEnd::Kind;
  const bool answered = end.kind == Kind::kAnswered;
  if (answered && end.status >= 200 && end.status < 300) return Success();
  const bool worth_it = end.kind == Kind::kBroken || end.kind == Kind::kStalled ||
                        end.kind == Kind::kTimeout ||
                        (answered && IsWorthATry(end.status, ErrorWords(received_)));
  return AgainOrFail(worth_it, end, ErrorOf(end));
}

std::optional<Transfer::Again> CallTransfer::Malformed(const std::string& why) {
  return AgainOrFail(
      true, {},
      MakeError(ErrorCode::kParse, fmt::format("{}{}: {}", room_->endpoint.shown(), path_, why)));
}

std::optional<Transfer::Again> CallTransfer::HiddenError(int status, const std::string& words) {
  TransferEnd end;
  end.status = status;
  return AgainOrFail(IsWorthATry(status, words), end, StatusError(status, words));
}

std::optional<Transfer::Again> CallTransfer::AgainOrFail(bool worth_it, const TransferEnd& end,
                                                         Error error) {
  if (worth_it) {
    if (const std::optional<Again> again = TryAgain(end, error)) return again;
  }
  if (retries_ > 0) error.message += fmt::format(" (tried {} times)", retries_ + 1);
  Failed(std::move(error));
  return std::nullopt;
}

std::optional<Transfer::Again> CallTransfer::TryAgain(const TransferEnd& end, const Error& error) {
  const HttpModelConfig& config = room_->config;
  const int64_t spent_ms = (SystemClock().MonotonicMicros() - began_us_) / 1000;
  if (retries_ >= config.max_retries || spent_ms >= config.retry_time_ms) return std::nullopt;
  Again again;
  again.after_ms = BackoffMs({config.retry_base_ms, config.retry_cap_ms}, hash_, retries_);
  if (const auto asked = RetryAfterMs(end.retry_after, SystemClock().UnixMicros())) {
    again.after_ms = std::min(*asked, config.retry_cap_ms);
    again.all_wait = end.status == 429 || end.status == 503;
  }
  ++retries_;
  log::Info(fmt::format("{}; try {} of {} in {} ms", error.message, retries_ + 1,
                        config.max_retries + 1, again.after_ms));
  return again;
}

Error CallTransfer::ErrorOf(const TransferEnd& end) const {
  const std::string where = room_->endpoint.shown() + path_;
  switch (end.kind) {
    case TransferEnd::Kind::kAnswered:
      break;
    case TransferEnd::Kind::kBroken:
      return MakeError(ErrorCode::kUnavailable, fmt::format("{}: {}", where, end.reason));
    case TransferEnd::Kind::kTimeout:
      return MakeError(ErrorCode::kTimeout,
                       fmt::format("{}: no whole answer within {} ms; a slow model needs more "
                                   "(model.timeout_s)",
                                   where, room_->config.request_timeout_ms));
    case TransferEnd::Kind::kStalled:
      return MakeError(ErrorCode::kTimeout,
                       fmt::format("{}: the stream stood still for {} ms (model.stall_timeout_s)",
                                   where, room_->config.stall_timeout_ms));
    case TransferEnd::Kind::kStopped:
      return MakeError(ErrorCode::kLimit, fmt::format("{}: the answer is larger than {} MiB", where,
                                                      kMaxAnswerBytes >> 20));
    case TransferEnd::Kind::kRefused:
      return MakeError(ErrorCode::kUnavailable,
                       fmt::format("{}: its certificate is not trusted: {}", where, end.reason));
    case TransferEnd::Kind::kNoHttp:
      return MakeError(ErrorCode::kParse, fmt::format("{}: no HTTP answer: {}", where, end.reason));
    case TransferEnd::Kind::kCancelled:
      return MakeError(ErrorCode::kCancelled, where + ": the call was cancelled");
  }
  if (end.status >= 300 && end.status < 400) {
    return MakeError(ErrorCode::kInvalid,
                     fmt::format("HTTP {} from {}: it moved to {}; give that as the base URL",
                                 end.status, where, end.location.empty() ? "?" : end.location));
  }
  return StatusError(end.status, ErrorWords(received_));
}

Error CallTransfer::StatusError(int status, const std::string& words) const {
  const bool refused =
      IsTooLong(status, words) || (status >= 400 && status < 500 && !IsWorthARetry(status));
  return MakeError(refused ? ErrorCode::kInvalid : ErrorCode::kUnavailable,
                   fmt::format("HTTP {} from {}{}: {}{}", status, room_->endpoint.shown(), path_,
                               words.empty() ? "it says nothing more" : words,
                               Advice(status, words, !room_->endpoint.key().empty())));
}

// Redacted before it is shortened: half a key is still a secret.
Error CallTransfer::MakeError(ErrorCode code, const std::string& message) const {
  return Error{code, Shorten(room_->endpoint.Redact(message), kMaxShownWords), {}};
}

}  // namespace kw::llm
