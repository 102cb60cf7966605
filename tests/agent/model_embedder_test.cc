#include <gmock/gmock.h>

#include <cmath>
#include <limits>

#include "agent/fakes.h"

namespace kw {
namespace {

using test::Must;
using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::FloatEq;
using ::testing::HasSubstr;

// Answers as told, and keeps how many texts each call had.
class ToldEmbeddings : public EmbeddingModel {
 public:
  using Tell = std::function<std::vector<float>(const std::string&)>;
  ToldEmbeddings(Tell tell, std::vector<size_t>* calls) : tell_(std::move(tell)), calls_(calls) {}
  Result<Embeddings> Embed(const std::vector<std::string>& texts) override {
    calls_->push_back(texts.size());
    Embeddings made{.usage = {.prompt = 10, .estimated = calls_->size() == 2}, .cost_usd = 0.5};
    for (const std::string& text : texts) made.vectors.push_back(tell_(text));
    return made;
  }
  ChatModel::Bound MostOf(const std::vector<std::string>& texts) const override {
    return {.tokens = static_cast<int64_t>(texts.size()), .cost_usd = 1};
  }

 private:
  const Tell tell_;
  std::vector<size_t>* const calls_;
};

class ModelEmbedderTest : public ::testing::Test {
 protected:
  ModelEmbedder Telling(ToldEmbeddings::Tell tell) {
    return {std::make_unique<ToldEmbeddings>(std::move(tell), &calls_), "m at http://host/v1"};
  }
  std::vector<size_t> calls_;
};

TEST_F(ModelEmbedderTest, GivesVectorsOfLengthOne) {
  ModelEmbedder embedder = Telling([](const std::string&) { return std::vector<float>{3, 4}; });
  EXPECT_EQ(embedder.dimension(), 0);
  EXPECT_THAT(Must(embedder.Ask({"a"})).vectors, ElementsAre(ElementsAre(0.6F, 0.8F)));
  EXPECT_EQ(embedder.dimension(), 2);
}

TEST_F(ModelEmbedderTest, AsksInBatchesAndAddsUpWhatTheyUsed) {
  ModelEmbedder embedder = Telling([](const std::string& text) {
    return std::vector<float>{static_cast<float>(std::stoi(text)), 1};
  });
  std::vector<std::string> texts;
  for (int i = 0; i < 150; ++i) texts.push_back(std::to_string(i));
  const ModelEmbedder::Bound bound = embedder.MostOf(texts);
  const ModelEmbedder::Answer answer = Must(embedder.Ask(texts));
  EXPECT_THAT(calls_, ElementsAre(64, 64, 22));
  ASSERT_EQ(answer.vectors.size(), 150u);
  for (size_t i = 0; i < 150; ++i) {
    EXPECT_FLOAT_EQ(answer.vectors[i][0] / answer.vectors[i][1], static_cast<float>(i));
  }
  EXPECT_EQ(answer.calls, 3);
  EXPECT_EQ(answer.usage.prompt, 30);
  EXPECT_TRUE(answer.usage.estimated);
  EXPECT_EQ(answer.cost_usd, 1.5);
  EXPECT_EQ(bound.calls, 3);
  EXPECT_EQ(bound.tokens, 150);
  EXPECT_EQ(bound.cost_usd, 3);
}

TEST_F(ModelEmbedderTest, NoCallGrowsBeyondBounds) {
  ModelEmbedder embedder = Telling([](const std::string&) { return std::vector<float>{1}; });
  const std::string large(100 << 10, 'x');
  Must(embedder.Ask({large, large, "small", std::string(1 << 20, 'x'), "small"}));
  EXPECT_THAT(calls_, ElementsAre(1, 2, 1, 1));
}

TEST_F(ModelEmbedderTest, RefusesWhatIsNoVector) {
  const float infinite = std::numeric_limits<float>::infinity();
  for (const std::vector<float>& vector :
       {std::vector<float>{}, {0, 0}, {infinite, 1}, {std::nanf(""), 1}}) {
    ModelEmbedder embedder = Telling([&](const std::string&) { return vector; });
    const auto answer = embedder.Ask({"the tail guard"});
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, ErrorCode::kParse);
    EXPECT_THAT(answer.error().message,
                AllOf(HasSubstr("m at http://host/v1"), HasSubstr("the tail guard")));
    EXPECT_EQ(embedder.dimension(), 0);
  }
}

TEST_F(ModelEmbedderTest, SaysWhenVectorsBecomeLongerOrShorter) {
  ModelEmbedder embedder =
      Telling([](const std::string& text) { return std::vector<float>(text.size(), 1); });
  Must(embedder.Ask({"four"}));
  const auto answer = embedder.Ask({"seventh"});
  ASSERT_FALSE(answer);
  EXPECT_THAT(answer.error().message, HasSubstr("7 components, after vectors of 4"));
  Must(embedder.Ask({"well"}));
}

TEST_F(ModelEmbedderTest, TinyAndHugeComponentsAreScaledToo) {
  ModelEmbedder embedder = Telling([](const std::string& text) {
    return text == "tiny" ? std::vector<float>{3e-30F, 4e-30F} : std::vector<float>{3e30F, 4e30F};
  });
  EXPECT_THAT(Must(embedder.Ask({"tiny", "huge"})).vectors,
              Each(ElementsAre(FloatEq(0.6F), FloatEq(0.8F))));
}

TEST_F(ModelEmbedderTest, WorksForABank) {
  test::TestRooms rooms;
  test::FakeEmbeddings& model = rooms.EmbedByModel();
  BankChange change{.run = "r", .step = "s"};
  change.new_items.push_back({.title = "Guard the tail", .description = "d", .content = "c"});
  Must(rooms.bank->Apply(change));
  EXPECT_EQ(model.calls, 1);
  EXPECT_EQ(Must(rooms.bank->Search({.text = "guard tail"})).size(), 1u);
  EXPECT_EQ(Must(rooms.bank->Stats()).embedder, "fake/embed");
}

}  // namespace
}  // namespace kw
