// Calls of an endpoint that are no chats: which models it offers, and embeddings.
#include <fmt/format.h>

#include <future>

#include "call_transfer.h"
#include "kw/base.h"
#include "kw/llm.h"
#include "openai_wire.h"
#include "wire_json.h"

namespace kw {
namespace llm {
namespace {

// A call whose caller waits. `parse` makes a T of the body.
template <class T>
class WaitedCall : public CallTransfer {
 public:
  using Parse = std::function<Result<T>(std::string_view body)>;
  WaitedCall(std::shared_ptr<const EndpointRoom> room, std::string path, std::string body,
             std::string doing, Parse parse, std::shared_ptr<std::promise<Result<T>>> promise)
      : CallTransfer(std::move(room), std::move(path), std::move(body)),
        doing_(std::move(doing)),
        parse_(std::move(parse)),
        promise_(std::move(promise)) {}

  // Called with a lane of its own, waits, and closes the lane.
  static Result<T> Ask(const std::shared_ptr<const EndpointRoom>& room, TransferLoop::LaneId lane,
                       std::string path, std::string body, std::string doing, Parse parse) {
    auto promise = std::make_shared<std::promise<Result<T>>>();
    auto future = promise->get_future();
    room->loop->Add(
        lane, std::make_unique<WaitedCall>(room, std::move(path), std::move(body), std::move(doing),
                                           std::move(parse), std::move(promise)));
    return future.get();
  }

 private:
  std::optional<Again> Success() override {
    Result<T> parsed = parse_(received_);
    if (!parsed) return Malformed(NoAnswer(parse_));
    promise_->set_value(std::move(parsed));
    return std::nullopt;
  }
  void Failed(Error error) override { promise_->set_value(Fail(std::move(error).While(doing_))); }

  const std::string doing_;
  const Parse parse_;
  const std::shared_ptr<std::promise<Result<T>>> promise_;
};

using Embeddings = EmbeddingModel::Embeddings;

tl::unexpected<Error> NoEmbeddings(std::string_view why, const Json& json) {
  return Fail(ErrorCode::kParse, fmt::format("the answer holds no embeddings: {}; it begins: {}",
                                             why, Shorten(DumpJson(json), kShownBytes)));
}

Result<Embeddings> ParseEmbeddings(std::string_view body, size_t count) {
  KW_ASSIGN(const Json json, ParseBody(body));
  const Json* data = Member(json, "data");
  if (data == nullptr || !data->is_array()) return NoEmbeddings("no 'data'", json);
  if (data->size() != count) {
    return NoEmbeddings(fmt::format("{} of them for {} texts", data->size(), count), json);
  }
  Embeddings read;
  read.vectors.resize(count);
  for (size_t i = 0; i < count; ++i) {
    const Json& entry = (*data)[i];
    const Json* vector = Member(entry, "embedding");
    // They come in order, and say their places.
    const Json* index = Member(entry, "index");
    const size_t at = index == nullptr ? i : static_cast<size_t>(CountMember(&entry, "index"));
    if (vector == nullptr || !vector->is_array() || vector->empty() || at >= count ||
        !read.vectors[at].empty()) {
      return NoEmbeddings(fmt::format("entry {} is none", i), json);
    }
    for (const Json& number : *vector) {
      if (!number.is_number()) return NoEmbeddings("one holds what is no number", json);
      read.vectors[at].push_back(number.get<float>());
    }
    if (read.vectors[at].size() != vector->size() ||
        vector->size() != Member((*data)[0], "embedding")->size()) {
      return NoEmbeddings("they are of different sizes", json);
    }
  }
  const Json* usage = Member(json, "usage");
  read.usage.estimated = usage == nullptr || !ReadUsage(*usage, read.usage);
  return read;
}

class HttpEmbedder : public EmbeddingModel {
 public:
  HttpEmbedder(std::shared_ptr<const EndpointRoom> room, std::string model)
      : room_(std::move(room)),
        model_(std::move(model)),
        lane_(room_->loop->OpenLane(room_->limits())) {}
  ~HttpEmbedder() override { room_->loop->CloseLane(lane_); }

  Result<Embeddings> Embed(const std::vector<std::string>& texts) override {
    if (texts.empty()) return Embeddings{};
    const Json body = {{"model", model_}, {"input", texts}};
    KW_ASSIGN(Embeddings read,
              WaitedCall<Embeddings>::Ask(room_, lane_, "/embeddings", DumpJson(body),
                                          "asking " + model_ + " to embed",
                                          [count = texts.size()](std::string_view answer) {
                                            return ParseEmbeddings(answer, count);
                                          }));
    if (read.usage.estimated) {
      size_t bytes = 0;
      for (const std::string& text : texts) bytes += text.size();
      read.usage.prompt = static_cast<int64_t>((bytes + 3) / 4);
    }
    read.cost_usd = room_->Cost(model_, read.usage);
    return read;
  }

  ChatModel::Bound MostOf(const std::vector<std::string>& texts) const override {
    ChatModel::Bound bound = EmbeddingModel::MostOf(texts);
    bound.cost_usd = room_->Cost(model_, {.prompt = bound.tokens});
    return bound;
  }

 private:
  const std::shared_ptr<const EndpointRoom> room_;
  const std::string model_;
  const TransferLoop::LaneId lane_;
};

}  // namespace
}  // namespace llm

Result<std::vector<ListedModel>> ListModels(const HttpModelConfig& config) {
  HttpModelConfig once = config;
  once.max_retries = 0;  // whoever asks wants to know how it stands now
  KW_ASSIGN(auto room, llm::EndpointRoom::Make(std::move(once)));
  const auto lane = room->loop->OpenLane(room->limits());
  auto names = llm::WaitedCall<std::vector<ListedModel>>::Ask(
      room, lane, "/models", "", "listing the models", llm::ParseModelList);
  room->loop->CloseLane(lane);
  return names;
}

Result<std::unique_ptr<EmbeddingModel>> MakeHttpEmbedder(HttpModelConfig config,
                                                         const std::string& model) {
  KW_ASSIGN(auto room, llm::EndpointRoom::Make(std::move(config)));
  return std::make_unique<llm::HttpEmbedder>(std::move(room), model);
}

}  // namespace kw
