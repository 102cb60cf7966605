// The simulated author behind an OpenAI-compatible endpoint: a whole run against it makes sense,
// and the server has counted what it was asked.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "kw/base.h"
#include "kw/base/json.h"
#include "kw/llm.h"
#include "llm/mock_server.h"

namespace kw {

class AuthorServer {
 public:
  // What it does instead of answering; nothing: it answers.
  using Instead = std::function<std::optional<MockReply>(const MockRequest&)>;
  explicit AuthorServer(Instead instead = {})
      : instead_(std::move(instead)),
        author_(MakeSimulatedAuthor(KW_SOURCE_DIR "/data/models/simulated_author.toml").value()),
        server_([this](const MockRequest& request) { return Reply(request); }) {}

  std::string base_url() const { return server_.base_url(); }
  std::vector<MockRequest> requests() const { return server_.requests(); }

  struct Served {
    std::map<std::string, int> answers;  // body of a request -> how often it was answered
    int64_t prompt_tokens = 0, completion_tokens = 0;
  };
  Served served() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return served_;
  }

 private:
  MockReply Reply(const MockRequest& request) {
    if (request.method != "POST" || request.path != "/v1/chat/completions") {
      return MockReply::Error(404, R"({"error":{"message":"no such path"}})");
    }
    if (instead_) {
      if (std::optional<MockReply> reply = instead_(request)) return *reply;
    }
    const Json body = ParseJson(request.body, "a request").value();
    ChatRequest chat{.model = body.at("model").get<std::string>(),
                     .temperature = body.at("temperature").get<double>(),
                     .max_tokens = body.at("max_tokens").get<int>(),
                     .seed = body.at("seed").get<uint64_t>()};
    for (const Json& message : body.at("messages")) {
      chat.messages.push_back({message.at("role").get<std::string>(),  //
                               message.at("content").get<std::string>()});
    }
    const ChatAnswer answer = author_->Complete(chat).value();
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      ++served_.answers[request.body];
      served_.prompt_tokens += answer.usage.prompt;
      served_.completion_tokens += answer.usage.completion;
    }
    MockReply reply;
    reply.body = DumpJson({{"id", "chatcmpl-1"},
                           {"object", "chat.completion"},
                           {"model", chat.model},
                           {"choices",
                            {{{"index", 0},
                              {"message", {{"role", "assistant"}, {"content", answer.content}}},
                              {"finish_reason", answer.finish_reason}}}},
                           {"usage",
                            {{"prompt_tokens", answer.usage.prompt},
                             {"completion_tokens", answer.usage.completion},
                             {"total_tokens", answer.usage.prompt + answer.usage.completion}}}});
    return reply;
  }

  const Instead instead_;
  const std::unique_ptr<ChatModel> author_;
  mutable std::mutex mutex_;
  Served served_;
  MockServer server_;  // last: it calls the others
};

}  // namespace kw
