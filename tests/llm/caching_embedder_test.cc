// Recorded embeddings: what counts as the same call, what is kept, and how they share a file with
// chats.
#include <gmock/gmock.h>

#include <cmath>
#include <limits>

#include "kw/vector_text.h"
#include "response_cache_fixture.h"

namespace kw {
namespace {

using testing::AllOf;
using testing::HasSubstr;

// Vectors that say how often it was asked, with bits that no decimal number keeps.
class CountingEmbedder : public EmbeddingModel {
 public:
  explicit CountingEmbedder(std::shared_ptr<std::atomic<int>> asked) : asked_(std::move(asked)) {}
  Result<Embeddings> Embed(const std::vector<std::string>& texts) override {
    const int number = ++*asked_;
    if (texts[0] == "fail") return Fail(ErrorCode::kUnavailable, "gone");
    Embeddings made{.usage = {.prompt = 7, .estimated = true}, .cost_usd = 0.125};
    for (const std::string& text : texts) {
      made.vectors.push_back({static_cast<float>(text.size()),
                              1.0F / 3 * static_cast<float>(number),
                              std::numeric_limits<float>::denorm_min(), -0.0F});
    }
    return made;
  }

 private:
  const std::shared_ptr<std::atomic<int>> asked_;
};

class CachingEmbedder : public ResponseCacheFixture {
 protected:
  std::unique_ptr<EmbeddingModel> Recording(const std::string& model = "m") {
    return MakeCachingEmbedder(std::make_unique<CountingEmbedder>(asked_), Open(CacheMode::kRecord),
                               model)
        .value();
  }
  std::unique_ptr<EmbeddingModel> Replaying(const std::string& model = "m") {
    return MakeCachingEmbedder(nullptr, Open(CacheMode::kReplay), model).value();
  }

  const std::shared_ptr<std::atomic<int>> asked_ = std::make_shared<std::atomic<int>>(0);
};

TEST_F(CachingEmbedder, ReplaysEveryBitAndTheCost) {
  const auto made = Recording()->Embed({"a", "bc"}).value();
  const auto again = Replaying()->Embed({"a", "bc"}).value();
  ASSERT_EQ(again.vectors, made.vectors);
  EXPECT_TRUE(std::signbit(again.vectors[0][3]));
  EXPECT_EQ(again.usage.prompt, 7);
  EXPECT_TRUE(again.usage.estimated);
  EXPECT_EQ(again.cost_usd, 0.125);
}

TEST_F(CachingEmbedder, AsksOnceForEqualTexts) {
  const auto model = Recording();
  const auto first = model->Embed({"a"}).value();
  EXPECT_EQ(model->Embed({"a"}).value().vectors, first.vectors);
  EXPECT_EQ(*asked_, 1);
  EXPECT_NE(model->Embed({"a", "a"}).value().vectors[0], first.vectors[0]);
  EXPECT_EQ(*asked_, 2);
  EXPECT_TRUE(Recording("other")->Embed({"a"}));
  EXPECT_EQ(*asked_, 3) << "another model's are others";
}

TEST_F(CachingEmbedder, SaysWhatAReplayMisses) {
  ASSERT_TRUE(Recording()->Embed({"the tail of the loop"}));
  const auto missed = Replaying()->Embed({"the head of the loop"});
  ASSERT_FALSE(missed);
  EXPECT_EQ(missed.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(missed.error().message,
              AllOf(HasSubstr("- the tail of the loop"), HasSubstr("+ the head of the loop")));
}

TEST_F(CachingEmbedder, KeepsNoErrors) {
  const auto model = Recording();
  EXPECT_EQ(model->Embed({"fail"}).error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(model->Embed({"fail"}).error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(*asked_, 2);
  EXPECT_EQ(Open(CacheMode::kRecord)->Stats().value().entries, 0);
}

TEST_F(CachingEmbedder, SharesAFileWithChatsAndMixesNothing) {
  const auto cache = Open(CacheMode::kRecord);
  const auto chat = MakeCachingModel(Share(Counting()), cache, "").value();
  const auto embedder =
      MakeCachingEmbedder(std::make_unique<CountingEmbedder>(asked_), cache, "m").value();
  EXPECT_EQ(chat->Complete(Ask("a"))->content, "1");
  EXPECT_EQ(embedder->Embed({"a"}).value().vectors.size(), 1u);
  EXPECT_EQ(cache->Stats().value().entries, 2);
  // The same words as a chat: other things count.
  ChatRequest chat_like{.model = "m", .messages = {{"input", "a"}}, .temperature = 0};
  chat_like.max_tokens = 0;
  EXPECT_EQ(chat->Complete(chat_like)->content, "2");
}

TEST_F(CachingEmbedder, NeedsSomebodyToRecord) {
  EXPECT_EQ(MakeCachingEmbedder(nullptr, Open(CacheMode::kRecord), "m").error().code,
            ErrorCode::kInvalid);
}

TEST(VectorText, RefusesWhatItNeverWrites) {
  EXPECT_EQ(VectorFromText(VectorToText({1.5F, -2}), "it").value(), (std::vector<float>{1.5F, -2}));
  EXPECT_EQ(VectorToText({1}), "0000803f");
  for (const char* text : {"", "0000803", "0000803g", "0000803F", "0000807f", "0000c07f"}) {
    const auto read = VectorFromText(text, "the file");
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().code, ErrorCode::kCorrupt);
    EXPECT_THAT(read.error().message, HasSubstr("the file"));
  }
}

}  // namespace
}  // namespace kw
