// The client against llama.cpp's own server with a real, small model. It needs a virtual
// environment with what docs/endpoints.md names, in .venv/llm or $KWRIGHT_LLM_VENV; without one it
// skips.
#include <gmock/gmock.h>

#include <cstdlib>
#include <future>

#include "kw/base.h"
#include "kw/base/process.h"
#include "kw/llm.h"

namespace kw {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kKey = "sk-llama-server-test-key";

std::string Python() {
  const char* venv = std::getenv("KWRIGHT_LLM_VENV");
  return (venv != nullptr ? std::string(venv) : KW_SOURCE_DIR "/.venv/llm") + "/bin/python";
}

class LlamaServer : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (!FileExists(Python())) return;
    ProcessSpec spec;
    spec.argv = {Python(), KW_SOURCE_DIR "/tests/llm/llama_server.py", kKey};
    spec.inherit_environment = true;
    spec.discard_stderr = true;
    spec.die_with_parent = true;
    server_ = new Child(Child::Start(spec).value());
    LineReader lines(server_->out());
    base_url_ = lines.Next(120'000).value().value_or("") + "/v1";
  }
  static void TearDownTestSuite() {
    delete server_;
    server_ = nullptr;
  }
  void SetUp() override {
    if (server_ == nullptr) {
      GTEST_SKIP() << "SKIPPED: no " << Python()
                   << ": nothing was tested against a real server (docs/endpoints.md says how)";
    }
  }

  static std::unique_ptr<ChatModel> Open(const std::string& key = kKey) {
    return MakeHttpModel({.base_url = base_url_, .api_key = key}).value();
  }
  static ChatRequest Ask(const std::string& text, double temperature, uint64_t seed) {
    ChatRequest request;
    request.model = "smollm2";
    request.messages = {{"user", text}};
    request.temperature = temperature;
    request.max_tokens = 24;
    request.seed = seed;
    return request;
  }

  static Child* server_;
  static std::string base_url_;
};

Child* LlamaServer::server_ = nullptr;
std::string LlamaServer::base_url_;

constexpr const char* kPrompt = "Name three things that are blue.";

TEST_F(LlamaServer, AnswersWithItsCounts) {
  const ChatAnswer answer = Open()->Complete(Ask(kPrompt, 0, 1)).value();
  EXPECT_FALSE(answer.content.empty());
  EXPECT_GT(answer.usage.prompt, 5);
  EXPECT_GT(answer.usage.completion, 0);
  EXPECT_LE(answer.usage.completion, 24);
}

TEST_F(LlamaServer, SaysThatAnAnswerWasCutByItsLength) {
  ChatRequest request = Ask(kPrompt, 0, 1);
  request.max_tokens = 3;
  const ChatAnswer answer = Open()->Complete(request).value();
  EXPECT_EQ(answer.finish_reason, "length");
  EXPECT_EQ(answer.usage.completion, 3);
}

TEST_F(LlamaServer, RepeatsItselfAtTemperatureZeroWhateverTheSeed) {
  auto model = Open();
  const std::string first = model->Complete(Ask(kPrompt, 0, 1)).value().content;
  EXPECT_EQ(model->Complete(Ask(kPrompt, 0, 42)).value().content, first);
  EXPECT_EQ(model->Complete(Ask(kPrompt, 0, 123)).value().content, first);
}

TEST_F(LlamaServer, FollowsTheSeedAtTemperatureOne) {
  auto model = Open();
  const std::string first = model->Complete(Ask(kPrompt, 1, 1)).value().content;
  EXPECT_EQ(model->Complete(Ask(kPrompt, 1, 1)).value().content, first);
  EXPECT_NE(model->Complete(Ask(kPrompt, 1, 42)).value().content, first);
}

TEST_F(LlamaServer, ServesMoreRequestsThanItHasSlots) {
  auto model = Open();
  std::vector<std::promise<bool>> answered(6);
  for (size_t i = 0; i < answered.size(); ++i) {
    model->Submit(Ask(kPrompt, 1, i), [&answered, i](Result<ChatAnswer> answer) {
      answered[i].set_value(answer.has_value());
    });
  }
  for (auto& one : answered) EXPECT_TRUE(one.get_future().get());
}

TEST_F(LlamaServer, SaysThatThePromptIsTooLong) {
  std::string text;
  for (int i = 0; i < 3000; ++i) text += "word ";
  const auto answer = Open()->Complete(Ask(text, 0, 1));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(answer.error().message, AllOf(HasSubstr("HTTP 400"), HasSubstr("context")));
}

TEST_F(LlamaServer, RefusesAWrongKey) {
  const auto answer = Open("sk-quite-another-key")->Complete(Ask(kPrompt, 0, 1));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(answer.error().message, AllOf(HasSubstr("401"), HasSubstr("check the API key"),
                                            Not(HasSubstr("quite-another"))));
}

TEST_F(LlamaServer, ListsItsModel) {
  const auto listed = ListModels({.base_url = base_url_, .api_key = kKey}).value();
  ASSERT_FALSE(listed.empty());
  EXPECT_EQ(listed[0].name, "smollm2");
}

}  // namespace
}  // namespace kw
