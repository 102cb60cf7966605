#include <gtest/gtest.h>

#include "kw/llm.h"

namespace kw {
namespace {

TEST(ScriptedModel, AnswersFromItsScriptAndKeepsWhatItWasAsked) {
  ScriptedModel model([](const ChatRequest& request) -> Result<ChatAnswer> {
    if (request.model == "none") return Fail(ErrorCode::kNotFound, "no such model");
    ChatAnswer answer;
    answer.content = "to " + request.messages.at(0).content;
    return answer;
  });
  ChatRequest request;
  request.model = "m";
  request.messages = {{"user", "hi"}};
  EXPECT_EQ(model.Complete(request).value().content, "to hi");
  request.model = "none";
  EXPECT_EQ(model.Complete(request).error().code, ErrorCode::kNotFound);
  ASSERT_EQ(model.requests().size(), 2U);
  EXPECT_EQ(model.requests()[1].model, "none");
  EXPECT_FALSE(model.simulated());
}

}  // namespace
}  // namespace kw
