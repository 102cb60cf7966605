// Embeddings that are kept: MakeCachingEmbedder. A call is kept as a chat is, so that one file, one
// writer and one explanation of what is missing serve both.
#include <fmt/format.h>

#include <utility>

#include "kw/base.h"
#include "kw/response_cache.h"
#include "kw/vector_text.h"

namespace kw {
namespace recording {
namespace {

constexpr std::string_view kVariant = "embeddings";  // of no chat: theirs name a guard
constexpr std::string_view kRole = "input";
constexpr std::string_view kFinished = "embedded";
constexpr std::string_view kWhat = "the recorded embeddings";

ChatRequest KeptRequest(const std::string& model, const std::vector<std::string>& texts) {
  ChatRequest request{.model = model, .temperature = 0, .max_tokens = 0};
  for (const std::string& text : texts) request.messages.push_back({std::string(kRole), text});
  return request;
}

// One line a vector.
ChatAnswer KeptAnswer(const EmbeddingModel::Embeddings& embeddings) {
  ChatAnswer answer{.finish_reason = std::string(kFinished)};
  for (const std::vector<float>& vector : embeddings.vectors) {
    if (!answer.content.empty()) answer.content += '\n';
    answer.content += VectorToText(vector);
  }
  answer.usage = embeddings.usage;
  answer.cost_usd = embeddings.cost_usd;
  return answer;
}

Result<EmbeddingModel::Embeddings> KeptEmbeddings(const ChatAnswer& answer, size_t count) {
  EmbeddingModel::Embeddings embeddings{.usage = answer.usage, .cost_usd = answer.cost_usd};
  if (answer.finish_reason != kFinished) {
    return Fail(ErrorCode::kCorrupt, fmt::format("{} are none", kWhat));
  }
  for (std::string_view line : Split(answer.content, '\n')) {
    KW_ASSIGN(embeddings.vectors.emplace_back(), VectorFromText(line, kWhat));
    if (embeddings.vectors.back().size() != embeddings.vectors[0].size()) {
      return Fail(ErrorCode::kCorrupt, fmt::format("{} are of different sizes", kWhat));
    }
  }
  if (embeddings.vectors.size() == count) return embeddings;
  return Fail(ErrorCode::kCorrupt,
              fmt::format("{} are {} for {} texts", kWhat, embeddings.vectors.size(), count));
}

// What the cache asks where it has no answer.
class EmbedderAsChat : public ChatModel {
 public:
  explicit EmbedderAsChat(std::shared_ptr<EmbeddingModel> inner) : inner_(std::move(inner)) {}

  void Submit(ChatRequest request, Done done) override {
    std::vector<std::string> texts;
    for (ChatMessage& message : request.messages) texts.push_back(std::move(message.content));
    auto embeddings = inner_->Embed(texts);
    if (!embeddings) return done(Fail(std::move(embeddings).error()));
    done(KeptAnswer(*embeddings));
  }
  std::string Describe() const override { return "an embedder"; }

 private:
  const std::shared_ptr<EmbeddingModel> inner_;
};

class CachingEmbedder : public EmbeddingModel {
 public:
  CachingEmbedder(std::shared_ptr<EmbeddingModel> inner, std::unique_ptr<ChatModel> cached,
                  std::string model)
      : inner_(std::move(inner)), cached_(std::move(cached)), model_(std::move(model)) {}

  Result<Embeddings> Embed(const std::vector<std::string>& texts) override {
    if (texts.empty()) return Embeddings{};
    KW_ASSIGN(const ChatAnswer answer, cached_->Complete(KeptRequest(model_, texts)));
    return KeptEmbeddings(answer, texts.size());
  }

  ChatModel::Bound MostOf(const std::vector<std::string>& texts) const override {
    return inner_ ? inner_->MostOf(texts) : EmbeddingModel::MostOf(texts);
  }

 private:
  const std::shared_ptr<EmbeddingModel> inner_;
  const std::unique_ptr<ChatModel> cached_;
  const std::string model_;
};

}  // namespace
}  // namespace recording

Result<std::unique_ptr<EmbeddingModel>> MakeCachingEmbedder(std::unique_ptr<EmbeddingModel> inner,
                                                            std::shared_ptr<ResponseCache> cache,
                                                            const std::string& model) {
  std::shared_ptr<EmbeddingModel> shared = std::move(inner);
  std::unique_ptr<ChatModel> asked;
  if (shared != nullptr) asked = std::make_unique<recording::EmbedderAsChat>(shared);
  KW_ASSIGN(auto cached,
            MakeCachingModel(std::move(asked), std::move(cache), std::string(recording::kVariant)));
  return std::make_unique<recording::CachingEmbedder>(std::move(shared), std::move(cached), model);
}

}  // namespace kw
