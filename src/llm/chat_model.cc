#include <future>
#include <mutex>

#include "kw/llm.h"

namespace kw {

Result<ChatAnswer> ChatModel::Complete(ChatRequest request) {
  // Shared with `done`: it may still be inside set_value when this thread wakes up.
  auto answer = std::make_shared<std::promise<Result<ChatAnswer>>>();
  auto future = answer->get_future();
  Submit(std::move(request),
         [answer](Result<ChatAnswer> result) { answer->set_value(std::move(result)); });
  return future.get();
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
