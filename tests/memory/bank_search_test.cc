#include <gmock/gmock.h>

#include "kw/base.h"
#include "kw/memory.h"
#include "lessons.h"

namespace kw::memory {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class BankSearch : public ::testing::Test {
 protected:
  void AddAllLessons() {
    std::vector<MemoryItem> items;
    for (const Lesson& lesson : Lessons()) items.push_back(ItemOf(lesson));
    ASSERT_TRUE(bank_->Apply(ChangeOf("r", "s", items)));
  }
  std::vector<int64_t> Ids(const SearchRequest& request) {
    std::vector<int64_t> ids;
    const std::vector<Found> all = bank_->Search(request).value();
    for (const Found& found : all) ids.push_back(found.item.id);
    return ids;
  }

  ScratchDirectory scratch_ = ScratchDirectory::Make("bank").value();
  std::unique_ptr<Bank> bank_ =
      Bank::Open(scratch_.path() + "/memory.db", MakeHashEmbedder()).value();
};

TEST_F(BankSearch, FindsNothingInAnEmptyBank) { EXPECT_THAT(Ids({.text = "softmax"}), IsEmpty()); }

TEST_F(BankSearch, PutsTheLessonOfEveryParaphraseFirst) {
  AddAllLessons();
  for (size_t i = 0; i < Lessons().size(); ++i) {
    EXPECT_EQ(Ids({.text = Lessons()[i].paraphrase})[0], static_cast<int64_t>(i) + 1)
        << Lessons()[i].title;
  }
}

TEST_F(BankSearch, FindsTheLessonsThatATaskNeeds) {
  AddAllLessons();
  const std::vector<int64_t> softmax =
      Ids({.text = "softmax: row-wise softmax of a float32 matrix with rows and cols; subtracts "
                   "the row maximum, exponentials, division by the sum",
           .k = 3});
  EXPECT_THAT(softmax, ::testing::IsSupersetOf({2, 9}));
  const std::vector<int64_t> matmul =
      Ids({.text = "matmul: C = A * B for float16 matrices of shape [m, k] and [k, n]", .k = 3});
  EXPECT_EQ(matmul[0], 7);
}

TEST_F(BankSearch, SaysWhereInEachListAnItemStood) {
  AddAllLessons();
  const std::vector<Found> found = bank_->Search({.text = "rsqrtf eps", .k = 12}).value();
  ASSERT_EQ(found.size(), 12U);
  EXPECT_EQ(found[0].item.id, 12);
  EXPECT_EQ(found[0].dense_rank, 1);
  EXPECT_EQ(found[0].text_rank, 1);
  EXPECT_DOUBLE_EQ(found[0].score, 2.0 / 61);
  EXPECT_EQ(found[11].text_rank, 0);
  EXPECT_DOUBLE_EQ(found[11].score, 1.0 / (60 + found[11].dense_rank));
  for (size_t i = 1; i < found.size(); ++i) EXPECT_GE(found[i - 1].score, found[i].score);
}

TEST_F(BankSearch, FindsByTheTaskThatALessonComesFrom) {
  MemoryItem other = ItemSaying("Check alignment first");
  other.from.task = "leaky_relu";
  ASSERT_TRUE(bank_->Apply(ChangeOf("r", "s", {ItemSaying("Prefer wide loads"), other})));
  const std::vector<Found> found = bank_->Search({.text = "leaky_relu"}).value();
  EXPECT_EQ(found[0].item.id, 2);
  EXPECT_EQ(found[0].text_rank, 1);
}

TEST_F(BankSearch, ReturnsAtMostK) {
  AddAllLessons();
  EXPECT_EQ(Ids({.text = "shared memory", .k = 1}).size(), 1U);
  EXPECT_EQ(Ids({.text = "shared memory", .k = 5}).size(), 5U);
  EXPECT_EQ(Ids({.text = "shared memory", .k = 500}).size(), Lessons().size());
}

TEST_F(BankSearch, RefusesAnEmptyTextAndANumberBelowOne) {
  EXPECT_EQ(bank_->Search({.text = " \n"}).error().code, ErrorCode::kInvalid);
  EXPECT_EQ(bank_->Search({.text = "x", .k = 0}).error().code, ErrorCode::kInvalid);
}

TEST_F(BankSearch, TakesAnyTextForWhatItIs) {
  AddAllLessons();
  for (const std::string text :
       {"\"", "'; DROP TABLE items; --", "title: softmax", "softmax*", "(a OR b) AND NOT c",
        "NEAR(softmax max, 2)", "^softmax", "{title content} : x", "\xff\xfe\x01", "-- + - * /",
        "a\"b\"\"c", "行列 の 積", "😀", "col:umn AND", "NOT", "OR OR OR"}) {
    EXPECT_TRUE(bank_->Search({.text = text})) << text;
  }
  EXPECT_TRUE(bank_->Search({.text = std::string("nul\0byte", 8)}));
  std::string long_text;
  for (int i = 0; i < 5000; ++i) long_text += "word" + std::to_string(i) + " ";
  EXPECT_TRUE(bank_->Search({.text = long_text}));
  EXPECT_EQ(bank_->Stats().value().items, static_cast<int64_t>(Lessons().size()));
}

TEST_F(BankSearch, LooksAtTheBankAsOfANumberPlusOnesOwn) {
  ASSERT_TRUE(bank_->Apply(ChangeOf("a", "1", {ItemOf(Lessons()[0])})));
  ASSERT_TRUE(bank_->Apply(ChangeOf("b", "1", {ItemOf(Lessons()[1])})));
  ASSERT_TRUE(bank_->Apply(ChangeOf("a", "2", {ItemOf(Lessons()[2])})));
  const std::string text = "tail guard maximum barrier shared memory";
  using ::testing::UnorderedElementsAre;
  EXPECT_THAT(Ids({.text = text}), UnorderedElementsAre(1, 2, 3));
  EXPECT_THAT(Ids({.text = text, .as_of = 1}), ElementsAre(1));
  EXPECT_THAT(Ids({.text = text, .as_of = 1, .own_run = "a"}), UnorderedElementsAre(1, 3));
  EXPECT_THAT(Ids({.text = text, .as_of = 1, .own_run = "b"}), UnorderedElementsAre(1, 2));
  EXPECT_THAT(Ids({.text = text, .as_of = 0}), IsEmpty());
}

TEST_F(BankSearch, ShowsARunWhatItLearnedThoughItWasFoldedIntoAnothersItem) {
  ASSERT_TRUE(bank_->Apply(ChangeOf("other", "1", {ItemOf(Lessons()[0])})));
  ASSERT_TRUE(bank_->Apply(ChangeOf("mine", "1", {ItemOf(Lessons()[0])})));
  EXPECT_THAT(Ids({.text = "tail", .as_of = 0, .own_run = "mine"}), ElementsAre(1));
}

TEST_F(BankSearch, AsOfANumberRanksAndScoresAsItDidThen) {
  std::vector<MemoryItem> early, late;
  for (size_t i = 0; i < Lessons().size(); ++i) {
    (i % 2 == 0 ? early : late).push_back(ItemOf(Lessons()[i]));
  }
  const SearchRequest request{
      .text = "the maximum of a row in shared memory by warps", .k = 10, .as_of = 1};
  ASSERT_TRUE(bank_->Apply(ChangeOf("a", "1", early)));
  const std::vector<Found> before = bank_->Search(request).value();
  ASSERT_TRUE(bank_->Apply(ChangeOf("b", "1", late)));
  const std::vector<Found> after = bank_->Search(request).value();
  ASSERT_EQ(before.size(), after.size());
  for (size_t i = 0; i < before.size(); ++i) {
    EXPECT_EQ(before[i].item.id, after[i].item.id);
    EXPECT_EQ(before[i].score, after[i].score);
    EXPECT_EQ(before[i].text_rank, after[i].text_rank);
  }
}

}  // namespace
}  // namespace kw::memory
