// A folder with a recording in it, and models to record.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>

#include "kw/base.h"
#include "kw/response_cache.h"

namespace kw {

inline ChatRequest Ask(const std::string& prompt) {
  ChatRequest request;
  request.model = "m";
  request.messages = {{"user", prompt}};
  return request;
}

inline ChatAnswer Says(const std::string& content) {
  ChatAnswer answer;
  answer.content = content;
  answer.finish_reason = "stop";
  return answer;
}

inline ScriptedModel Fixed(const ChatAnswer& answer) {
  return ScriptedModel([answer](const ChatRequest&) { return answer; });
}

// Answers "1", "2", "3", ...
inline ScriptedModel Counting() {
  return ScriptedModel([count = std::make_shared<std::atomic<int>>(0)](const ChatRequest&) {
    return Says(std::to_string(++*count));
  });
}

// Copies of a scripted model share their log: the test keeps one.
inline std::unique_ptr<ChatModel> Share(const ScriptedModel& model) {
  return std::make_unique<ScriptedModel>(model);
}

class ResponseCacheFixture : public testing::Test {
 protected:
  std::string file() const { return folder_.path() + "/calls.db"; }

  ResponseCacheConfig Config(CacheMode mode) const { return {file(), mode, ""}; }
  std::shared_ptr<ResponseCache> Open(CacheMode mode) const {
    return ResponseCache::Open(file(), mode).value();
  }
  std::unique_ptr<ChatModel> Recorder(const ScriptedModel& inner) const {
    return MakeCachingModel(Share(inner), Config(CacheMode::kRecord)).value();
  }
  std::unique_ptr<ChatModel> Replayer() const {
    return MakeCachingModel(nullptr, Config(CacheMode::kReplay)).value();
  }

  static void ExpectEqual(const ChatAnswer& a, const ChatAnswer& b) {
    EXPECT_EQ(a.content, b.content);
    EXPECT_EQ(a.reasoning, b.reasoning);
    EXPECT_EQ(a.finish_reason, b.finish_reason);
    EXPECT_EQ(a.model, b.model);
    EXPECT_EQ(a.usage.prompt, b.usage.prompt);
    EXPECT_EQ(a.usage.completion, b.usage.completion);
    EXPECT_EQ(a.usage.cached, b.usage.cached);
    EXPECT_EQ(a.usage.reasoning, b.usage.reasoning);
    EXPECT_EQ(a.usage.estimated, b.usage.estimated);
    ASSERT_EQ(a.runaway.has_value(), b.runaway.has_value());
    if (a.runaway) {
      EXPECT_EQ(a.runaway->unit, b.runaway->unit);
      EXPECT_EQ(a.runaway->repeats, b.runaway->repeats);
      EXPECT_EQ(a.runaway->in_reasoning, b.runaway->in_reasoning);
      EXPECT_EQ(a.runaway->dropped_bytes, b.runaway->dropped_bytes);
      EXPECT_EQ(a.runaway->tokens_saved, b.runaway->tokens_saved);
    }
    EXPECT_EQ(a.cost_usd, b.cost_usd);
    EXPECT_EQ(a.latency_us, b.latency_us);
    EXPECT_EQ(a.first_token_us, b.first_token_us);
    EXPECT_EQ(a.retries, b.retries);
  }

 private:
  ScratchDirectory folder_ = ScratchDirectory::Make("response-cache").value();
};

}  // namespace kw
