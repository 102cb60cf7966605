#include <algorithm>
#include <future>
#include <mutex>

#include "kw/base.h"
#include "kw/llm.h"

namespace kw {

ChatModel::Bound ChatModel::MostOf(const ChatRequest& request) const {
  // Hardly any tokenizer needs more than a token for three bytes of English or code.
  int64_t bytes = 0;
  for (const ChatMessage& message : request.messages) {
    bytes += static_cast<int64_t>(message.content.size());
  }
  return {.tokens = bytes / 3 + 16 + request.max_tokens};
}

ChatModel::Bound EmbeddingModel::MostOf(const std::vector<std::string>& texts) const {
  int64_t bytes = 0;
  for (const std::string& text : texts) bytes += static_cast<int64_t>(text.size());
  return {.tokens = bytes / 3 + 16 * static_cast<int64_t>(texts.size())};
}

Result<ChatAnswer> ChatModel::Complete(ChatRequest request) {
  // Shared with `done`: it may still be inside set_value when this thread wakes up.
  auto answer = std::make_shared<std::promise<Result<ChatAnswer>>>();
  auto future = answer->get_future();
  Submit(std::move(request),
         [answer](Result<ChatAnswer> result) { answer->set_value(std::move(result)); });
  return future.get();
}

namespace {

class Router : public ChatModel {
 public:
  explicit Router(std::map<std::string, std::unique_ptr<ChatModel>> models)
      : models_(std::move(models)) {}

  void Submit(ChatRequest request, Done done) override {
    const auto found = models_.find(request.model);
    if (found == models_.end()) {
      std::vector<std::string> names;
      for (const auto& [name, model] : models_) names.push_back(name);
      return done(Fail(ErrorCode::kInvalid, UnknownName("model", request.model, names)));
    }
    found->second->Submit(std::move(request), std::move(done));
  }

  Bound MostOf(const ChatRequest& request) const override {
    const auto found = models_.find(request.model);
    return found == models_.end() ? Bound{} : found->second->MostOf(request);
  }

  std::string Describe() const override {
    std::string text;
    for (const auto& [name, model] : models_) {
      text += (text.empty() ? "" : "; ") + name + ": " + model->Describe();
    }
    return text;
  }

  bool simulated() const override {
    return std::any_of(models_.begin(), models_.end(),
                       [](const auto& model) { return model.second->simulated(); });
  }

 private:
  const std::map<std::string, std::unique_ptr<ChatModel>> models_;
};

}  // namespace

std::unique_ptr<ChatModel> MakeRouter(std::map<std::string, std::unique_ptr<ChatModel>> models) {
  return std::make_unique<Router>(std::move(models));
}

struct ScriptedModel::Log {
  std::mutex mutex;
  std::vector<ChatRequest> requests;
};

ScriptedModel::ScriptedModel(Script script)
    : script_(std::move(script)), log_(std::make_shared<Log>()) {}

void ScriptedModel::Submit(ChatRequest request, Done done) {
  {
    const std::lock_guard<std::mutex> lock(log_->mutex);
    log_->requests.push_back(request);
  }
  done(script_(request));
}

std::vector<ChatRequest> ScriptedModel::requests() const {
  const std::lock_guard<std::mutex> lock(log_->mutex);
  return log_->requests;
}

}  // namespace kw
