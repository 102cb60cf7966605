#include <gmock/gmock.h>

#include "kw/base.h"
#include "kw/memory.h"
#include "lessons.h"

namespace kw::memory {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class BankApply : public ::testing::Test {
 protected:
  std::string path() const { return scratch_.path() + "/memory.db"; }
  std::unique_ptr<Bank> Open() { return Bank::Open(path(), MakeHashEmbedder()).value(); }
  Applied Apply(const BankChange& change) { return bank_->Apply(change).value(); }

  ScratchDirectory scratch_ = ScratchDirectory::Make("bank").value();
  std::unique_ptr<Bank> bank_ = Open();
};

TEST_F(BankApply, GivesIdsInOrderAndAdvancesTheSequence) {
  const Applied first = Apply(ChangeOf("r", "s1", {ItemOf(Lessons()[0]), ItemOf(Lessons()[1])}));
  const Applied second = Apply(ChangeOf("r", "s2", {ItemOf(Lessons()[2])}));
  EXPECT_EQ(first.sequence, 1);
  EXPECT_THAT(first.item_ids, ElementsAre(1, 2));
  EXPECT_EQ(second.sequence, 2);
  EXPECT_THAT(second.item_ids, ElementsAre(3));
  EXPECT_EQ(bank_->Sequence().value(), 2);
}

TEST_F(BankApply, KeepsEveryFieldOfAnItem) {
  MemoryItem item = ItemOf(Lessons()[3], "contrast");
  item.from.run_name = "quickstart-1";
  item.from.candidate_hash = "abc";
  item.from.ordinal = 2;
  BankChange change;
  change.run = item.from.run = "uuid";
  change.step = item.from.step = "e1/b0/softmax/learn/items";
  change.new_items = {item};
  Apply(change);
  const MemoryItem stored = bank_->Item(1).value();
  EXPECT_EQ(stored.title, item.title);
  EXPECT_EQ(stored.description, item.description);
  EXPECT_EQ(stored.content, item.content);
  EXPECT_EQ(stored.from.run, "uuid");
  EXPECT_EQ(stored.from.run_name, "quickstart-1");
  EXPECT_EQ(stored.from.step, "e1/b0/softmax/learn/items");
  EXPECT_EQ(stored.from.ordinal, 2);
  EXPECT_EQ(stored.from.task, "row_sum");
  EXPECT_EQ(stored.from.op_type, "reduction");
  EXPECT_EQ(stored.from.outcome, "contrast");
  EXPECT_EQ(stored.from.candidate_hash, "abc");
  EXPECT_EQ(stored.from.model, "scripted");
  EXPECT_EQ(stored.sequence, 1);
}

TEST_F(BankApply, ChangesNothingTheSecondTime) {
  BankChange change = ChangeOf("r", "s1", {ItemOf(Lessons()[0])});
  change.rules = {{0, "Always guard the tail.", "kept"}};
  const Applied first = Apply(change);
  const std::string before = bank_->CanonicalDump().value();
  const Applied again = Apply(change);
  EXPECT_EQ(again.sequence, first.sequence);
  EXPECT_EQ(again.item_ids, first.item_ids);
  EXPECT_EQ(again.rule_ids, first.rule_ids);
  EXPECT_EQ(bank_->CanonicalDump().value(), before);
}

TEST_F(BankApply, TellsTheSameStepOfTwoRunsApart) {
  Apply(ChangeOf("r1", "s", {ItemOf(Lessons()[0])}));
  EXPECT_EQ(Apply(ChangeOf("r2", "s", {ItemOf(Lessons()[1])})).sequence, 2);
}

TEST_F(BankApply, FoldsANearDuplicateOfTheSameKindAndKeepsItsOrigin) {
  Apply(ChangeOf("r", "s1", {ItemOf(Lessons()[0])}));
  MemoryItem again = ItemOf(Lessons()[0]);
  again.content += " Always.";
  const Applied merged = Apply(ChangeOf("r", "s2", {again, again}));
  EXPECT_THAT(merged.item_ids, ElementsAre(1, 1));
  EXPECT_EQ(bank_->Stats().value().items, 1);
  EXPECT_EQ(bank_->Item(1).value().merged, 2);
  EXPECT_EQ(bank_->Item(1).value().content, Lessons()[0].content) << "the first wording stays";
  EXPECT_THAT(bank_->CanonicalDump().value(), HasSubstr("Always."));
}

TEST_F(BankApply, KeepsTheSameWordsOfAnotherKindApart) {
  const Applied applied =
      Apply(ChangeOf("r", "s", {ItemOf(Lessons()[0], "success"), ItemOf(Lessons()[0], "failure")}));
  EXPECT_THAT(applied.item_ids, ElementsAre(1, 2));
}

TEST_F(BankApply, NeverMergesIntoAnItemThatTheRunDoesNotSee) {
  Apply(ChangeOf("other", "s", {ItemOf(Lessons()[0])}));
  BankChange change = ChangeOf("mine", "s", {ItemOf(Lessons()[0])});
  change.as_of = 0;
  EXPECT_THAT(Apply(change).item_ids, ElementsAre(2));
  change.step = "t";
  change.new_items[0].from.ordinal = 1;
  EXPECT_THAT(Apply(change).item_ids, ElementsAre(2)) << "but into its own";
}

TEST_F(BankApply, CountsUsesAndOutcomes) {
  Apply(ChangeOf("r", "s1", {ItemOf(Lessons()[0]), ItemOf(Lessons()[1])}));
  BankChange change = ChangeOf("r", "s2", {});
  change.outcomes = {{1, true, 2, 1}, {2, false, 0, 3}, {1, true, 1, 0}};
  Apply(change);
  const MemoryItem one = bank_->Item(1).value(), two = bank_->Item(2).value();
  EXPECT_EQ(one.uses, 2);
  EXPECT_EQ(one.wins, 3);
  EXPECT_EQ(one.losses, 1);
  EXPECT_EQ(two.uses, 0);
  EXPECT_EQ(two.losses, 3);
  const BankStats stats = bank_->Stats().value();
  EXPECT_EQ(stats.uses, 2);
  EXPECT_EQ(stats.wins, 3);
  EXPECT_EQ(stats.losses, 4);
}

TEST_F(BankApply, UpdatesRulesAndLeavesThoseNotNamed) {
  BankChange change = ChangeOf("r", "s1", {});
  change.rules = {{0, "Guard the tail.", "undecided", 1, 0, 0},
                  {0, "Use float4.", "kept", 4, 1, 2}};
  EXPECT_THAT(Apply(change).rule_ids, ElementsAre(1, 2));
  BankChange update = ChangeOf("r", "s2", {});
  update.rules = {{1, "Guard the tail of the grid.", "kept", 5, 1, 1}};
  EXPECT_THAT(Apply(update).rule_ids, ElementsAre(1));
  const std::vector<Rule> rules = bank_->Rules("").value();
  ASSERT_EQ(rules.size(), 2U);
  EXPECT_EQ(rules[0].text, "Guard the tail of the grid.");
  EXPECT_EQ(rules[0].state, "kept");
  EXPECT_EQ(rules[0].aligned, 5);
  EXPECT_EQ(rules[0].misaligned, 1);
  EXPECT_EQ(rules[0].unknown, 1);
  EXPECT_EQ(rules[0].sequence, 1);
  EXPECT_EQ(rules[1].aligned, 4);
  EXPECT_THAT(bank_->Rules("undecided").value(), IsEmpty());
  EXPECT_EQ(bank_->Rules("kept").value().size(), 2U);
}

TEST_F(BankApply, ShowsTheRulesAsOfANumberPlusOnesOwn) {
  BankChange first = ChangeOf("r", "s1", {});
  first.rules = {{0, "Guard the tail.", "undecided"}};
  Apply(first);
  BankChange second = ChangeOf("other", "s1", {});
  second.rules = {{1, "Guard the tail.", "dropped"}, {0, "Use float4.", "kept"}};
  Apply(second);
  const std::vector<Rule> then = bank_->Rules("", 1).value();
  ASSERT_EQ(then.size(), 1U);
  EXPECT_EQ(then[0].state, "undecided");
  const std::vector<Rule> own = bank_->Rules("", 1, "other").value();
  ASSERT_EQ(own.size(), 2U);
  EXPECT_EQ(own[0].state, "dropped");
  EXPECT_THAT(bank_->Rules("", 0).value(), IsEmpty());
}

TEST_F(BankApply, RefusesAWholeChangeThatNamesWhatIsNotThere) {
  BankChange change = ChangeOf("r", "s", {ItemOf(Lessons()[0])});
  change.outcomes = {{7, true, 1, 0}};
  auto refused = bank_->Apply(change);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(refused.error().message, HasSubstr("7"));
  EXPECT_EQ(bank_->Stats().value().items, 0);
  change.outcomes.clear();
  change.rules = {{3, "Rule three.", "kept"}};
  EXPECT_EQ(bank_->Apply(change).error().code, ErrorCode::kNotFound);
  change.rules.clear();
  EXPECT_THAT(Apply(change).item_ids, ElementsAre(1)) << "a refused change leaves no trace";
}

TEST_F(BankApply, RefusesWhatSaysNothingOrHasNoName) {
  const auto code = [this](BankChange change) { return bank_->Apply(change).error().code; };
  EXPECT_EQ(code(ChangeOf("r", "", {ItemOf(Lessons()[0])})), ErrorCode::kInvalid);
  EXPECT_EQ(code(ChangeOf("", "s", {ItemOf(Lessons()[0])})), ErrorCode::kInvalid);
  EXPECT_EQ(code(ChangeOf("r", "s", {ItemSaying(" \n ")})), ErrorCode::kInvalid);
  EXPECT_EQ(code(ChangeOf("r", "s", {ItemSaying("x", "sucess")})), ErrorCode::kInvalid);
  BankChange rule = ChangeOf("r", "s", {});
  rule.rules = {{0, "Guard.", "keep"}};
  EXPECT_EQ(code(rule), ErrorCode::kInvalid);
  EXPECT_THAT(bank_->Apply(rule).error().message, HasSubstr("kept"));
  rule.rules = {{0, "  ", "kept"}};
  EXPECT_EQ(code(rule), ErrorCode::kInvalid);
  EXPECT_EQ(bank_->Rules("keep").error().code, ErrorCode::kInvalid);
}

TEST_F(BankApply, StoresTextThatIsNoUtf8AsValidUtf8) {
  Apply(ChangeOf("r", "s", {ItemSaying("bad \xff byte")}));
  EXPECT_EQ(bank_->Item(1).value().title, "bad \xEF\xBF\xBD byte");
}

TEST_F(BankApply, PagesThroughTheItems) {
  std::vector<MemoryItem> items;
  for (size_t i = 0; i < 5; ++i) items.push_back(ItemOf(Lessons()[i]));
  Apply(ChangeOf("r", "s", items));
  const std::vector<MemoryItem> page = bank_->Items(1, 2).value();
  ASSERT_EQ(page.size(), 2U);
  EXPECT_EQ(page[0].id, 2);
  EXPECT_EQ(page[1].id, 3);
  EXPECT_EQ(bank_->Items(0, -1).value().size(), 5U);
  EXPECT_THAT(bank_->Items(9, 2).value(), IsEmpty());
  EXPECT_EQ(bank_->Item(9).error().code, ErrorCode::kNotFound);
}

TEST_F(BankApply, DumpsTheSameTextForRunsThatDifferInUuidAndName) {
  const auto fill = [](Bank& bank, const std::string& run) {
    BankChange change = ChangeOf(run, "s1", {ItemOf(Lessons()[0]), ItemOf(Lessons()[0])});
    change.rules = {{0, "Guard the tail.", "kept"}};
    bank.Apply(change).value();
    return bank.CanonicalDump().value();
  };
  auto second = Bank::Open(scratch_.path() + "/second.db", MakeHashEmbedder()).value();
  const std::string dump = fill(*bank_, "uuid-1");
  EXPECT_EQ(fill(*second, "uuid-2"), dump);
  EXPECT_THAT(dump, ::testing::Not(HasSubstr("uuid-1")));
  second->Apply(ChangeOf("uuid-2", "s2", {ItemOf(Lessons()[1])})).value();
  EXPECT_NE(second->CanonicalDump().value(), dump);
}

}  // namespace
}  // namespace kw::memory
