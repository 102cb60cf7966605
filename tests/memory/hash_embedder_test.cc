#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "kw/base.h"
#include "kw/memory.h"
#include "lessons.h"

namespace kw::memory {
namespace {

std::vector<float> EmbedOne(const std::string& text, int dimension = 512) {
  return MakeHashEmbedder(dimension)->Embed({text}).value().at(0);
}

double Cosine(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += static_cast<double>(a[i]) * b[i];
  return sum;
}

std::string TextOf(const Lesson& lesson) {
  return lesson.title + "\n" + lesson.description + "\n" + lesson.content;
}

TEST(HashEmbedder, GivesUnitVectorsOfItsDimensionForAnyText) {
  for (const std::string text : {"softmax", "", "  \n", "\xff\xfe\x80", "行列の積", "a"}) {
    const std::vector<float> vector = EmbedOne(text, 100);
    EXPECT_EQ(vector.size(), 100U);
    EXPECT_NEAR(Cosine(vector, vector), 1, 1e-5) << text;
  }
  EXPECT_NEAR(Cosine(EmbedOne(std::string(200'000, 'x')), EmbedOne(std::string(100, 'x'))), 1,
              1e-5);
}

TEST(HashEmbedder, GivesTheSameBitsOnEveryMachine) {
  const std::vector<float> vector = EmbedOne(TextOf(Lessons()[0]));
  const std::string bytes(reinterpret_cast<const char*>(vector.data()),
                          vector.size() * sizeof(float));
  EXPECT_EQ(ContentHash(bytes), "b05caf27a77a61663c62cc51df62cace");
}

TEST(HashEmbedder, NamesItsVersionAndDimension) {
  EXPECT_EQ(MakeHashEmbedder(512)->name(), "hash-ngrams-v1-512");
  EXPECT_NE(MakeHashEmbedder(512)->name(), MakeHashEmbedder(256)->name());
}

TEST(HashEmbedder, PutsInflectionsAndIdentifierPartsNearEachOther) {
  EXPECT_GT(Cosine(EmbedOne("launching kernels"), EmbedOne("launch a kernel")), 0.35);
  EXPECT_GT(Cosine(EmbedOne("blockDim"), EmbedOne("block dim")), 0.5);
  EXPECT_LT(std::abs(Cosine(EmbedOne("shared memory barrier"), EmbedOne("float4 vector"))), 0.2);
}

TEST(HashEmbedder, RanksTheLessonOfAParaphraseFirst) {
  const std::vector<Lesson>& lessons = Lessons();
  int first = 0;
  for (size_t query = 0; query < lessons.size(); ++query) {
    const std::vector<float> vector = EmbedOne(lessons[query].paraphrase);
    std::vector<std::pair<double, size_t>> ranking;
    for (size_t i = 0; i < lessons.size(); ++i) {
      ranking.emplace_back(-Cosine(vector, EmbedOne(TextOf(lessons[i]))), i);
    }
    std::sort(ranking.begin(), ranking.end());
    if (ranking[0].second == query) ++first;
    EXPECT_TRUE(ranking[0].second == query || ranking[1].second == query) << lessons[query].title;
  }
  EXPECT_GE(first, static_cast<int>(lessons.size()) - 1);
}

TEST(HashEmbedder, KeepsDistinctLessonsBelowTheMergingThreshold) {
  const std::vector<Lesson>& lessons = Lessons();
  double highest = -1;
  for (size_t a = 0; a < lessons.size(); ++a) {
    for (size_t b = 0; b < a; ++b) {
      highest =
          std::max(highest, Cosine(EmbedOne(TextOf(lessons[a])), EmbedOne(TextOf(lessons[b]))));
    }
  }
  EXPECT_LT(highest, 0.5);
}

TEST(HashEmbedder, PutsALessonWithAFewWordsChangedAboveTheMergingThreshold) {
  std::string changed = TextOf(Lessons()[0]);
  const std::string from = "must not read or write", to = "must neither read nor write";
  changed.replace(changed.find(from), from.size(), to);
  EXPECT_GT(Cosine(EmbedOne(changed), EmbedOne(TextOf(Lessons()[0]))), 0.93);
}

}  // namespace
}  // namespace kw::memory
