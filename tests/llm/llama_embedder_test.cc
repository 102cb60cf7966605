// Sentence embeddings of a real model, behind llama.cpp's own server.
#include <cmath>

#include "llama_server.h"

namespace kw {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class LlamaEmbedder : public LlamaServer {
 protected:
  static void SetUpTestSuite() { Start({"--embedder"}); }
  static std::unique_ptr<EmbeddingModel> OpenEmbedder() {
    return MakeHttpEmbedder(Endpoint(), "minilm").value();
  }
};

float Cosine(const std::vector<float>& a, const std::vector<float>& b) {
  float ab = 0, aa = 0, bb = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    ab += a[i] * b[i];
    aa += a[i] * a[i];
    bb += b[i] * b[i];
  }
  return ab / std::sqrt(aa * bb);
}

TEST_F(LlamaEmbedder, PutsTextsThatMeanTheSameNearEachOther) {
  const auto embedded = OpenEmbedder()
                            ->Embed({"A man is playing a guitar.", "Someone plays the guitar.",
                                     "The stock market fell sharply today."})
                            .value();
  ASSERT_EQ(embedded.vectors.size(), 3);
  for (const auto& vector : embedded.vectors) ASSERT_EQ(vector.size(), 384);
  EXPECT_GT(Cosine(embedded.vectors[0], embedded.vectors[1]), 0.7F);
  EXPECT_LT(Cosine(embedded.vectors[0], embedded.vectors[2]), 0.3F);
  EXPECT_LT(Cosine(embedded.vectors[1], embedded.vectors[2]), 0.3F);
}

TEST_F(LlamaEmbedder, CountsItsTokens) {
  const auto embedded = OpenEmbedder()->Embed({"A man is playing a guitar."}).value();
  EXPECT_EQ(embedded.usage.prompt, 9);  // seven words and signs between two marks
  EXPECT_FALSE(embedded.usage.estimated);
}

TEST_F(LlamaEmbedder, GivesTheSameTextTheSameBits) {
  auto model = OpenEmbedder();
  const std::string text = "Stage tiles of both matrices in shared memory.";
  const auto first = model->Embed({text}).value().vectors;
  EXPECT_EQ(model->Embed({text}).value().vectors, first);
  EXPECT_NE(model->Embed({text + " Twice."}).value().vectors, first);
}

// In a batch the server may round otherwise: the direction is the same, the last bits are not.
TEST_F(LlamaEmbedder, KeepsTheOrderOfABatch) {
  auto model = OpenEmbedder();
  const std::vector<std::string> texts = {"The cat sits.", "Reduce within a warp by shuffles.", "x",
                                          "Coalesced loads of float4 hide latency."};
  const auto batch = model->Embed(texts).value().vectors;
  ASSERT_EQ(batch.size(), texts.size());
  for (size_t i = 0; i < texts.size(); ++i) {
    EXPECT_GT(Cosine(batch[i], model->Embed({texts[i]}).value().vectors.at(0)), 0.999F) << texts[i];
  }
}

TEST_F(LlamaEmbedder, SaysThatATextIsTooLong) {
  std::string text;
  for (int i = 0; i < kContextTokens + 50; ++i) text += "word ";
  const auto embedded = OpenEmbedder()->Embed({text});
  ASSERT_FALSE(embedded);
  EXPECT_EQ(embedded.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(embedded.error().message, AllOf(HasSubstr("HTTP 400"), HasSubstr("context size")));
}

TEST_F(LlamaServer, SaysThatAChatServerEmbedsNothing) {
  const auto embedded = MakeHttpEmbedder(Endpoint(), "smollm2").value()->Embed({"text"});
  ASSERT_FALSE(embedded);
  EXPECT_EQ(embedded.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(embedded.error().message,
              AllOf(HasSubstr("HTTP 501"), HasSubstr("does not support embeddings"),
                    Not(HasSubstr("tried"))));
}

}  // namespace
}  // namespace kw
