// A model behind an OpenAI-compatible endpoint.
#include <fmt/format.h>

#include <future>

#include "chat_wire.h"
#include "endpoint.h"
#include "kw/base.h"
#include "kw/llm.h"
#include "prices.h"
#include "retry.h"
#include "transfer_loop.h"

namespace kw {
namespace llm {
namespace {

constexpr size_t kMaxAnswerBytes = 16 << 20;
constexpr size_t kMaxShownWords = 600;

// What all calls of one model share.
struct Shared {
  HttpModelConfig config;
  Endpoint endpoint;
  Prices prices;
};

// Collects an answer, and decides about another try.
class CollectingTransfer : public Transfer {
 public:
  CollectingTransfer(std::shared_ptr<const Shared> shared, std::string path, std::string body)
      : shared_(std::move(shared)),
        path_(std::move(path)),
        body_(std::move(body)),
        hash_(DeriveSeed(0, body_)) {}

  HttpRequest Request() const override {
    HttpRequest request;
    request.url = shared_->endpoint.Url(path_);
    request.headers = shared_->endpoint.Headers();
    if (!body_.empty()) request.body = &body_;
    request.use_proxy = !shared_->endpoint.is_local();
    request.connect_timeout_ms = shared_->config.connect_timeout_ms;
    request.timeout_ms = shared_->config.request_timeout_ms;
    return request;
  }

  void Begin() override {
    if (began_us_ == 0) began_us_ = SystemClock().MonotonicMicros();
    received_.clear();
  }

  bool Receive(std::string_view bytes) override {
    if (received_.size() + bytes.size() > kMaxAnswerBytes) return false;
    received_ += bytes;
    return true;
  }

  std::optional<Again> End(const TransferEnd& end) override {
    const bool answered = end.kind == TransferEnd::Kind::kAnswered;
    if (answered && end.status >= 200 && end.status < 300) return Success();
    const bool worth_it =
        end.kind == TransferEnd::Kind::kBroken || (answered && IsWorthARetry(end.status));
    const Error error = ErrorOf(end);
    if (worth_it) {
      if (const std::optional<Again> again = TryAgain(end, error.message)) return again;
    }
    Failed(WithRetries(error));
    return std::nullopt;
  }

 protected:
  // Exactly one of the two is called, once; Success may ask for another try instead.
  virtual std::optional<Again> Success() = 0;
  virtual void Failed(Error error) = 0;

  std::optional<Again> TryAgain(const TransferEnd& end, const std::string& why) {
    if (retries_ >= shared_->config.max_retries) return std::nullopt;
    const HttpModelConfig& config = shared_->config;
    Again again;
    again.after_ms = BackoffMs({config.retry_base_ms, config.retry_cap_ms}, hash_, retries_);
    if (const auto asked = RetryAfterMs(end.retry_after, SystemClock().UnixMicros())) {
      again.after_ms = std::min(*asked, config.retry_cap_ms);
      again.all_wait = end.status == 429 || end.status == 503;
    }
    ++retries_;
    log::Info(fmt::format("{}; try {} of {} in {} ms", why, retries_ + 1, config.max_retries + 1,
                          again.after_ms));
    return again;
  }

  Error ErrorOf(const TransferEnd& end) const {
    const std::string where = shared_->endpoint.shown() + path_;
    switch (end.kind) {
      case TransferEnd::Kind::kAnswered:
        break;
      case TransferEnd::Kind::kBroken:
        return MakeError(ErrorCode::kUnavailable, fmt::format("{}: {}", where, end.reason));
      case TransferEnd::Kind::kTimeout:
        return MakeError(ErrorCode::kTimeout, fmt::format("{}: no whole answer within {} ms", where,
                                                          shared_->config.request_timeout_ms));
      case TransferEnd::Kind::kStopped:
        return MakeError(ErrorCode::kLimit, fmt::format("{}: the answer is larger than {} MiB",
                                                        where, kMaxAnswerBytes >> 20));
      case TransferEnd::Kind::kRefused:
        return MakeError(ErrorCode::kUnavailable,
                         fmt::format("{}: its certificate is not trusted: {}", where, end.reason));
      case TransferEnd::Kind::kNoHttp:
        return MakeError(ErrorCode::kParse,
                         fmt::format("{}: no HTTP answer: {}", where, end.reason));
      case TransferEnd::Kind::kCancelled:
        return MakeError(ErrorCode::kCancelled, where + ": the model was closed meanwhile");
    }
    if (end.status >= 300 && end.status < 400) {
      return MakeError(ErrorCode::kInvalid,
                       fmt::format("HTTP {} from {}: it moved to {}; give that as the base URL",
                                   end.status, where, end.location.empty() ? "?" : end.location));
    }
    return StatusError(end.status, ErrorWords(received_));
  }

  Error StatusError(int status, const std::string& words) const {
    const bool refused = status >= 400 && status < 500 && !IsWorthARetry(status);
    return MakeError(
        refused ? ErrorCode::kInvalid : ErrorCode::kUnavailable,
        fmt::format("HTTP {} from {}{}: {}{}", status, shared_->endpoint.shown(), path_,
                    words.empty() ? "it says nothing more" : words, Advice(status)));
  }

  // Success found no answer in the body. `parse` says why, and shows how the body begins: so it
  // gets one without the key.
  template <class Parse>
  Error NoAnswer(Parse parse) const {
    const auto parsed = parse(shared_->endpoint.Redact(received_));
    return MakeError(ErrorCode::kParse,
                     fmt::format("{}{}: {}", shared_->endpoint.shown(), path_,
                                 parsed ? "the answer is malformed" : parsed.error().message));
  }

  // Redacted before it is shortened: half a key is still a secret.
  Error MakeError(ErrorCode code, const std::string& message) const {
    return Error{code, Shorten(shared_->endpoint.Redact(message), kMaxShownWords), {}};
  }

  static std::string Advice(int status) {
    if (status == 401 || status == 403) return " (check the API key)";
    if (status == 404) return " (check the base URL and the model's name)";
    return "";
  }

  Error WithRetries(Error error) const {
    if (retries_ > 0) error.message += fmt::format(" (tried {} times)", retries_ + 1);
    return error;
  }

  const std::shared_ptr<const Shared> shared_;
  const std::string path_, body_;
  const uint64_t hash_;
  std::string received_;
  int retries_ = 0;
  int64_t began_us_ = 0;
};

class ChatTransfer : public CollectingTransfer {
 public:
  ChatTransfer(std::shared_ptr<const Shared> shared, const ChatRequest& request,
               ChatModel::Done done)
      : CollectingTransfer(std::move(shared), "/chat/completions", EncodeChatRequest(request)),
        model_(request.model),
        done_(std::move(done)) {}

 private:
  std::optional<Again> Success() override {
    auto wire = ParseChatAnswer(received_);
    if (!wire) {
      Failed(WithRetries(NoAnswer(ParseChatAnswer)));
      return std::nullopt;
    }
    if (wire->error_status != 0) {
      TransferEnd end;
      end.status = wire->error_status;
      const Error error = StatusError(wire->error_status, wire->error);
      if (IsWorthARetry(wire->error_status)) {
        if (const std::optional<Again> again = TryAgain(end, error.message)) return again;
      }
      Failed(WithRetries(error));
      return std::nullopt;
    }
    ChatAnswer answer = std::move(wire->answer);
    answer.cost_usd = shared_->prices.Cost(model_, answer.usage.prompt, answer.usage.completion);
    answer.latency_us = SystemClock().MonotonicMicros() - began_us_;
    answer.retries = retries_;
    done_(std::move(answer));
    return std::nullopt;
  }

  void Failed(Error error) override { done_(Fail(std::move(error).While("asking " + model_))); }

  const std::string model_;
  const ChatModel::Done done_;
};

class ListTransfer : public CollectingTransfer {
 public:
  using Names = Result<std::vector<std::string>>;
  ListTransfer(std::shared_ptr<const Shared> shared, std::shared_ptr<std::promise<Names>> names)
      : CollectingTransfer(std::move(shared), "/models", ""), names_(std::move(names)) {}

 private:
  std::optional<Again> Success() override {
    Names names = ParseModelList(received_);
    if (names) {
      names_->set_value(std::move(names));
    } else {
      Failed(NoAnswer(ParseModelList));
    }
    return std::nullopt;
  }
  void Failed(Error error) override {
    names_->set_value(Fail(std::move(error).While("listing the models")));
  }

  const std::shared_ptr<std::promise<Names>> names_;
};

Result<std::shared_ptr<const Shared>> MakeShared(HttpModelConfig config) {
  KW_ASSIGN(Endpoint endpoint, Endpoint::Make(config.base_url, config.api_key));
  KW_ASSIGN(Prices prices, Prices::Load(config.prices_file));
  if (config.max_in_flight < 1 || config.connect_timeout_ms < 1 || config.request_timeout_ms < 1 ||
      config.max_retries < 0 || config.retry_base_ms < 0 || config.retry_cap_ms < 0) {
    return Fail(ErrorCode::kInvalid,
                "an endpoint needs at least one request in flight and timeouts of at least 1 ms");
  }
  return std::make_shared<const Shared>(
      Shared{std::move(config), std::move(endpoint), std::move(prices)});
}

class HttpModel : public ChatModel {
 public:
  explicit HttpModel(std::shared_ptr<const Shared> shared)
      : shared_(std::move(shared)), loop_(shared_->config.max_in_flight) {}

  void Submit(ChatRequest request, Done done) override {
    if (request.messages.empty() || request.model.empty()) {
      return done(Fail(ErrorCode::kInvalid, "a chat request needs a model and a message"));
    }
    loop_.Add(std::make_unique<ChatTransfer>(shared_, request, std::move(done)));
  }

  std::string Describe() const override { return "models at " + shared_->endpoint.shown(); }

 private:
  const std::shared_ptr<const Shared> shared_;
  TransferLoop loop_;
};

}  // namespace
}  // namespace llm

Result<std::unique_ptr<ChatModel>> MakeHttpModel(HttpModelConfig config) {
  KW_ASSIGN(auto shared, llm::MakeShared(std::move(config)));
  return std::make_unique<llm::HttpModel>(std::move(shared));
}

Result<std::vector<std::string>> ListModels(const HttpModelConfig& config) {
  HttpModelConfig once = config;
  once.max_retries = 0;  // whoever asks wants to know how it stands now
  KW_ASSIGN(auto shared, llm::MakeShared(std::move(once)));
  auto names = std::make_shared<std::promise<Result<std::vector<std::string>>>>();
  auto future = names->get_future();
  llm::TransferLoop loop(1);
  loop.Add(std::make_unique<llm::ListTransfer>(std::move(shared), names));
  return future.get();
}

}  // namespace kw
