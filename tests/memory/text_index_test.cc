#include "text_index.h"

#include <gmock/gmock.h>

#include "bank_file.h"
#include "kw/base.h"
#include "kw/memory.h"
#include "lessons.h"

namespace kw::memory {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(MatchExpression, QuotesEachWordOnceAndDropsCommonOnes) {
  EXPECT_EQ(MatchExpression("The softmax of Softmax AND \"rows\""), "\"softmax\" OR \"rows\"");
  EXPECT_EQ(MatchExpression("the of -- *"), "");
}

TEST(MatchExpression, StopsAtANumberOfWordsThatFts5Takes) {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += "w" + std::to_string(i) + " ";
  const std::string expression = MatchExpression(text);
  EXPECT_NE(expression.find("\"w127\""), std::string::npos);
  EXPECT_EQ(expression.find("\"w128\""), std::string::npos);
}

class TextIndexOnBank : public ::testing::Test {
 protected:
  void Fill(const std::vector<MemoryItem>& items) {
    const std::string path = scratch_.path() + "/memory.db";
    auto bank = Bank::Open(path, MakeHashEmbedder()).value();
    const Applied applied = bank->Apply(ChangeOf("r", "s", items)).value();
    ASSERT_EQ(applied.item_ids.size(), items.size());
    for (size_t i = 0; i < items.size(); ++i) {
      ASSERT_EQ(applied.item_ids[i], static_cast<int64_t>(i) + 1) << "an item was merged";
      keys_.push_back({static_cast<int64_t>(i) + 1, 1, 4, i, 1});
    }
    database_ = OpenBankFile(path, "", 0).value();
  }

  ScratchDirectory scratch_ = ScratchDirectory::Make("bank").value();
  std::unique_ptr<SQLite::Database> database_;
  std::vector<ItemKey> keys_;
};

// BM25 by hand: N = 2, n = 1, all of average length, one occurrence in a title (weight 2).
TEST_F(TextIndexOnBank, ScoresByBm25) {
  Fill({ItemSaying("alpha beta"), ItemSaying("gamma delta")});
  TextIndex index(*database_);
  const std::vector<TextHit> hits = index.Search("alpha", 10, Scope{}, keys_);
  ASSERT_THAT(hits, SizeIs(1));
  const double idf = std::log(1 + 1.5 / 1.5);
  EXPECT_NEAR(hits[0].score, idf * 2 * 2.2 / (2 + 1.2), 1e-12);
}

TEST_F(TextIndexOnBank, CountsOnlyWhatTheScopeSees) {
  Fill({ItemSaying("alpha beta"), ItemSaying("gamma delta"), ItemSaying("alpha epsilon")});
  keys_[2].sequence = 2;
  TextIndex index(*database_);
  const std::vector<TextHit> hits = index.Search("alpha", 10, Scope{1, {}}, keys_);
  ASSERT_THAT(hits, SizeIs(1));
  EXPECT_NEAR(hits[0].score, std::log(1 + 1.5 / 1.5) * 2 * 2.2 / (2 + 1.2), 1e-12);
}

TEST_F(TextIndexOnBank, FindsInflectionsOfAWord) {
  Fill({ItemSaying("launching kernels"), ItemSaying("gamma delta")});
  TextIndex index(*database_);
  EXPECT_THAT(index.Search("launch", 10, Scope{}, keys_), SizeIs(1));
  EXPECT_THAT(index.Search("zeta", 10, Scope{}, keys_), IsEmpty());
}

}  // namespace
}  // namespace kw::memory
