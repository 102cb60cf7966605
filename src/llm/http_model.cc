// A model behind an endpoint: chat requests, streamed where that is wanted.
#include <fmt/format.h>

#include "answer_builder.h"
#include "call_transfer.h"
#include "kw/base.h"
#include "kw/llm.h"
#include "sse.h"
#include "wire.h"

namespace kw {
namespace llm {
namespace {

std::string EncodeFor(const EndpointRoom& room, ChatRequest request) {
  if (!room.config.model.empty()) request.model = room.config.model;
  return room.wire.Encode(request, room.config.stream.on, room.traits);
}

class ChatTransfer : public CallTransfer {
 public:
  ChatTransfer(std::shared_ptr<const EndpointRoom> room, ChatRequest request, ChatModel::Done done)
      : CallTransfer(room, room->wire.Path(), EncodeFor(*room, request)),
        request_(std::move(request)),
        done_(std::move(done)) {}

  std::string Queue() const override { return request_.queue; }
  std::stop_token Cancel() const override { return request_.cancel; }
  int64_t Tokens() const override { return EstimatePromptTokens(request_) + request_.max_tokens; }
  int64_t TokensUsed() const override { return tokens_used_; }

  void Begin() override {
    CallTransfer::Begin();
    is_stream_ = false;
    parser_.emplace(kMaxAnswerBytes);
    reader_ = room_->wire.NewStream();
    builder_.emplace(request_, room_->config.stream);
    first_token_us_ = 0;
    trouble_.reset();
  }

  void Head(int status, std::string_view content_type) override {
    // Whoever takes no notice of "stream", or has an error to say, answers in one body.
    const auto is = [&](std::string_view kind) {
      return content_type.find(kind) != std::string_view::npos;
    };
    is_stream_ = room_->config.stream.on && status / 100 == 2 && !is("json") && !is("html");
    is_sure_ = !is_stream_ || is("event-stream");
  }

  bool Receive(std::string_view bytes) override {
    // Of an unknown kind: no event begins like JSON or HTML.
    if (const size_t first = bytes.find_first_not_of(" \t\r\n");
        !is_sure_ && first != std::string_view::npos) {
      is_sure_ = true;
      is_stream_ = bytes[first] != '{' && bytes[first] != '[' && bytes[first] != '<';
    }
    if (!is_stream_) return CallTransfer::Receive(bytes);
    return parser_->Feed(bytes, [this](std::string_view event, std::string_view data) {
      return TakeEvent(event, data);
    });
  }

  HttpRequest Request() const override {
    HttpRequest request = CallTransfer::Request();
    if (room_->config.stream.on) request.stall_timeout_ms = room_->config.stall_timeout_ms;
    return request;
  }

  std::optional<Again> End(const TransferEnd& end) override {
    if (!is_stream_ || end.kind == TransferEnd::Kind::kCancelled) return CallTransfer::End(end);
    if (end.kind == TransferEnd::Kind::kAnswered) {
      parser_->Finish(
          [this](std::string_view event, std::string_view data) { return TakeEvent(event, data); });
    }
    const StreamReader::Facts& facts = reader_->facts();
    // Whatever happens to the connection behind it: a whole answer is never asked for again.
    if (facts.ended || !facts.finish_reason.empty() || builder_->why() == Stop::kComplete ||
        builder_->why() == Stop::kRunaway) {
      return Answered(StreamedAnswer());
    }
    if (facts.error_status != 0) return HiddenError(facts.error_status, facts.error);
    if (builder_->why() == Stop::kTooLarge || parser_->too_large()) {
      return CallTransfer::End(end);
    }
    if (trouble_) return Malformed(trouble_->message);
    if (end.kind == TransferEnd::Kind::kAnswered) {
      return Malformed(builder_->has_text() ? "the stream ended in the middle of the answer"
                                            : "the stream ended without an answer");
    }
    return CallTransfer::End(end);
  }

 private:
  using Stop = AnswerBuilder::Stop;

  bool TakeEvent(std::string_view event, std::string_view data) {
    auto piece = reader_->Read(event, data);
    if (!piece) {
      trouble_ = std::move(piece).error();
      return false;
    }
    if (reader_->facts().error_status != 0) return false;
    if (first_token_us_ == 0 && !(piece->content.empty() && piece->reasoning.empty())) {
      first_token_us_ = SystemClock().MonotonicMicros();
    }
    return builder_->Add(piece->content, piece->reasoning);
  }

  ChatAnswer StreamedAnswer() {
    const StreamReader::Facts& facts = reader_->facts();
    ChatAnswer answer = builder_->Take();
    answer.model = facts.model;
    // A stream that was stopped here did not come to its count.
    if (answer.finish_reason.empty()) {
      answer.finish_reason = facts.finish_reason.empty() ? "stop" : facts.finish_reason;
      answer.usage = facts.usage;
    }
    if (!facts.has_usage || answer.usage.completion == 0) {
      answer.usage = EstimateUsage(request_, answer);
    }
    if (first_token_us_ > 0) answer.first_token_us = first_token_us_ - began_us_;
    return answer;
  }

  std::optional<Again> Success() override {
    auto wire = room_->wire.Parse(received_);
    if (!wire) {
      return Malformed(NoAnswer([this](std::string_view body) { return room_->wire.Parse(body); }));
    }
    if (wire->error_status != 0) return HiddenError(wire->error_status, wire->error);
    // It came whole: there is nothing to stop.
    const StreamOptions whole = {.on = false};
    AnswerBuilder builder(request_, whole);
    builder.Add(wire->answer.content, wire->answer.reasoning);
    ChatAnswer answer = builder.Take();
    answer.model = wire->answer.model;
    if (answer.finish_reason.empty()) answer.finish_reason = wire->answer.finish_reason;
    answer.usage = wire->has_usage ? wire->answer.usage : EstimateUsage(request_, answer);
    return Answered(std::move(answer));
  }

  std::optional<Again> Answered(ChatAnswer answer) {
    answer.cost_usd = room_->Cost(request_.model, answer.usage);
    answer.latency_us = SystemClock().MonotonicMicros() - began_us_;
    answer.retries = retries_;
    tokens_used_ = answer.usage.prompt + answer.usage.completion;
    done_(std::move(answer));
    return std::nullopt;
  }

  void Failed(Error error) override {
    done_(Fail(std::move(error).While("asking " + request_.model)));
  }

  const ChatRequest request_;
  const ChatModel::Done done_;
  bool is_stream_ = false, is_sure_ = false;
  std::optional<SseParser> parser_;
  std::unique_ptr<StreamReader> reader_;
  std::optional<AnswerBuilder> builder_;
  std::optional<Error> trouble_;
  int64_t first_token_us_ = 0, tokens_used_ = 0;
};

class HttpModel : public ChatModel {
 public:
  explicit HttpModel(std::shared_ptr<const EndpointRoom> room)
      : room_(std::move(room)), lane_(room_->loop->OpenLane(room_->limits())) {}
  ~HttpModel() override { room_->loop->CloseLane(lane_); }

  void Submit(ChatRequest request, Done done) override {
    if (request.messages.empty() || request.model.empty()) {
      return done(Fail(ErrorCode::kInvalid, "a chat request needs a model and a message"));
    }
    room_->loop->Add(lane_,
                     std::make_unique<ChatTransfer>(room_, std::move(request), std::move(done)));
  }

  Bound MostOf(const ChatRequest& request) const override {
    Bound bound = ChatModel::MostOf(request);
    bound.cost_usd = room_->Cost(request.model, {.prompt = bound.tokens - request.max_tokens,
                                                 .completion = request.max_tokens});
    return bound;
  }

  std::string Describe() const override { return "models at " + room_->endpoint.shown(); }

 private:
  const std::shared_ptr<const EndpointRoom> room_;
  const TransferLoop::LaneId lane_;
};

}  // namespace
}  // namespace llm

Result<std::unique_ptr<ChatModel>> MakeHttpModel(HttpModelConfig config) {
  KW_ASSIGN(auto room, llm::EndpointRoom::Make(std::move(config)));
  return std::make_unique<llm::HttpModel>(std::move(room));
}

}  // namespace kw
