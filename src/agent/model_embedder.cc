#include "kw/model_embedder.h"

#include <fmt/format.h>

#include <cmath>

#include "kw/base/text.h"

namespace kw {
namespace {

constexpr size_t kTextsOfACall = 64;
constexpr size_t kBytesOfACall = 128 << 10;
constexpr size_t kShownBytes = 80;

// Texts in their order, at most so many and so long a call; a longer one goes alone.
std::vector<std::vector<std::string>> BatchesOfTexts(const std::vector<std::string>& texts) {
  std::vector<std::vector<std::string>> batches;
  size_t bytes = 0;
  for (const std::string& text : texts) {
    if (batches.empty() || batches.back().size() == kTextsOfACall ||
        bytes + text.size() > kBytesOfACall) {
      batches.emplace_back();
      bytes = 0;
    }
    batches.back().push_back(text);
    bytes += text.size();
  }
  return batches;
}

void AddUsage(const TokenUsage& from, TokenUsage& to) {
  to.prompt += from.prompt;
  to.completion += from.completion;
  to.cached += from.cached;
  to.reasoning += from.reasoning;
  to.estimated = to.estimated || from.estimated;
}

class BankEmbedder : public Embedder {
 public:
  explicit BankEmbedder(std::shared_ptr<ModelEmbedder> model) : model_(std::move(model)) {}
  std::string name() const override { return model_->name(); }
  int dimension() const override { return model_->dimension(); }
  Result<std::vector<std::vector<float>>> Embed(const std::vector<std::string>& texts) override {
    KW_ASSIGN(ModelEmbedder::Answer answer, model_->Ask(texts));
    return std::move(answer.vectors);
  }

 private:
  const std::shared_ptr<ModelEmbedder> model_;
};

}  // namespace

ModelEmbedder::ModelEmbedder(std::unique_ptr<EmbeddingModel> model, std::string name)
    : model_(std::move(model)), name_(std::move(name)) {}

Result<ModelEmbedder::Answer> ModelEmbedder::Ask(const std::vector<std::string>& texts) {
  Answer answer;
  for (const std::vector<std::string>& batch : BatchesOfTexts(texts)) {
    KW_ASSIGN(EmbeddingModel::Embeddings read, model_->Embed(batch));
    if (read.vectors.size() != batch.size()) {
      return Fail(ErrorCode::kParse, fmt::format("the embedder {} gave {} vectors for {} texts",
                                                 name_, read.vectors.size(), batch.size()));
    }
    ++answer.calls;
    AddUsage(read.usage, answer.usage);
    answer.cost_usd += read.cost_usd;
    for (size_t i = 0; i < batch.size(); ++i) {
      KW_TRY(Normalise(batch[i], read.vectors[i]));
      answer.vectors.push_back(std::move(read.vectors[i]));
    }
  }
  return answer;
}

ModelEmbedder::Bound ModelEmbedder::MostOf(const std::vector<std::string>& texts) const {
  Bound bound;
  for (const std::vector<std::string>& batch : BatchesOfTexts(texts)) {
    const ChatModel::Bound most = model_->MostOf(batch);
    ++bound.calls;
    bound.tokens += most.tokens;
    bound.cost_usd += most.cost_usd;
  }
  return bound;
}

Result<void> ModelEmbedder::Normalise(const std::string& text, std::vector<float>& vector) {
  const auto bad = [&](const std::string& why) {
    return Fail(ErrorCode::kParse,
                fmt::format("the embedder {} gave {} for the text that begins '{}': is it a model "
                            "for embeddings (model.embedder.name)?",
                            name_, why, Shorten(text, kShownBytes)));
  };
  double square = 0;
  for (const float x : vector) square += static_cast<double>(x) * x;
  if (vector.empty()) return bad("an empty vector");
  if (!std::isfinite(square)) return bad("a vector with components that are no numbers");
  if (square == 0) return bad("a vector of zeros");
  int known = 0;
  const int dimension = static_cast<int>(vector.size());
  if (!dimension_.compare_exchange_strong(known, dimension) && known != dimension) {
    return bad(fmt::format("a vector of {} components, after vectors of {}", dimension, known));
  }
  const double length = std::sqrt(square);
  for (float& x : vector) x = static_cast<float>(x / length);
  return {};
}

std::unique_ptr<Embedder> MakeBankEmbedder(std::shared_ptr<ModelEmbedder> embedder) {
  return std::make_unique<BankEmbedder>(std::move(embedder));
}

}  // namespace kw
