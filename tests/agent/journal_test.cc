#include "src/agent/journal.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "agent/fakes.h"
#include "src/agent/run_lock.h"

namespace kw {
namespace {

using test::Must;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class JournalTest : public ::testing::Test {
 protected:
  std::unique_ptr<Journal> Create(Journal::Seam seam = {}) {
    return Must(Journal::Create(folder_, Header(), std::move(seam)));
  }
  static RunHeader Header() {
    return {.uuid = "u",
            .name = "r",
            .config = "{}",
            .prompts_hash = "p",
            .tasks = {"softmax"},
            .task_hashes = {"h"}};
  }
  static StepRow Step(const std::string& key, double cost = 0) {
    return {.key = key,
            .kind = "generate",
            .input_hash = "in",
            .result = "{}",
            .model_calls = 1,
            .cost_usd = cost};
  }
  static BankChange Change(const std::string& step) {
    BankChange change{.run = "u", .step = step};
    MemoryItem item;
    item.title = "Guard the tail";
    item.description = "Odd sizes.";
    item.content = "Check the index.";
    item.from = {.run = "u", .step = step, .task = "softmax", .outcome = "success"};
    change.new_items = {item};
    return change;
  }

  ScratchDirectory scratch_ = test::FastScratch();
  std::string folder_ = scratch_.path() + "/r";
};

TEST_F(JournalTest, FindsWhatWasCommittedAlsoAfterReopening) {
  auto journal = Create();
  EXPECT_FALSE(Must(journal->Find("e0/a", "in")));
  StepRow step = Step("e0/a", 0.25);
  step.result = R"({"text": "x\u0000y"})";
  Must(journal->Commit(step, nullptr));
  journal.reset();
  journal = Must(Journal::Open(folder_));
  std::optional<StepRow> found = Must(journal->Find("e0/a", "in"));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->result, step.result);
  EXPECT_EQ(TotalOf(Must(journal->UsageBelow(""))).cost_usd, 0.25);
  EXPECT_EQ(journal->header().tasks, Header().tasks);
}

TEST_F(JournalTest, OtherInputsAreAConflict) {
  auto journal = Create();
  Must(journal->Commit(Step("e0/a"), nullptr));
  auto found = journal->Find("e0/a", "other");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, ErrorCode::kConflict);
  EXPECT_THAT(found.error().message, HasSubstr("e0/a"));
}

TEST_F(JournalTest, AStepCommitsOnce) {
  auto journal = Create();
  Must(journal->Commit(Step("e0/a"), nullptr));
  EXPECT_FALSE(journal->Commit(Step("e0/a"), nullptr));
}

TEST_F(JournalTest, OneProcessRunsARun) {
  auto journal = Create();
  auto second = Journal::Open(folder_);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kConflict);
  EXPECT_TRUE(Journal::OpenForReading(folder_));
  journal.reset();
  EXPECT_TRUE(Journal::Open(folder_));
}

TEST_F(JournalTest, CreatingTwiceIsAConflict) {
  Create();
  auto again = Journal::Create(folder_, Header());
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode::kConflict);
  EXPECT_THAT(again.error().message, HasSubstr("resume"));
}

TEST_F(JournalTest, WhatIsNoJournalIsSaid) {
  auto none = Journal::Open(folder_);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, ErrorCode::kNotFound);
  Must(MakeDirectories(folder_));
  Must(WriteFileAtomic(folder_ + "/run.db",
                       "this is no database, and long enough to be read as one"));
  EXPECT_FALSE(Journal::Open(folder_));
  EXPECT_FALSE(Journal::OpenForReading(folder_));
}

TEST_F(JournalTest, EffectReachesTheBankOnceAndKeepsItsIds) {
  auto bank = Must(Bank::Open(scratch_.path() + "/memory.db", MakeHashEmbedder()));
  auto journal = Create();
  BankChange change = Change("e0/learn");
  Must(journal->Commit(Step("e0/learn"), &change));
  std::vector<int64_t> ids = Must(journal->ApplyEffect("e0/learn", *bank));
  EXPECT_EQ(ids.size(), 1u);
  EXPECT_EQ(Must(journal->ApplyEffect("e0/learn", *bank)), ids);
  EXPECT_EQ(Must(bank->Stats()).items, 1);
  EXPECT_TRUE(Must(journal->ApplyEffect("e0/no such step", *bank)).empty());
}

TEST_F(JournalTest, DeathBetweenBankAndMarkAppliesOnce) {
  auto bank = Must(Bank::Open(scratch_.path() + "/memory.db", MakeHashEmbedder()));
  auto journal = Create([](std::string_view point) { return point != "applied"; });
  BankChange change = Change("e0/learn");
  Must(journal->Commit(Step("e0/learn"), &change));
  EXPECT_FALSE(journal->ApplyEffect("e0/learn", *bank));
  EXPECT_FALSE(journal->Commit(Step("e0/later"), nullptr));  // it is dead
  journal.reset();
  journal = Must(Journal::Open(folder_));
  EXPECT_EQ(Must(journal->ApplyEffect("e0/learn", *bank)).size(), 1u);
  EXPECT_EQ(Must(bank->Stats()).items, 1);
  EXPECT_FALSE(Must(journal->Find("e0/later", "in")));
}

TEST_F(JournalTest, BankChangesSurviveTheOutbox) {
  BankChange change = Change("s");
  change.as_of = 12;
  Rule rule;
  rule.id = 4;
  rule.text = "a \"rule\"";
  rule.state = "kept";
  rule.aligned = 5;
  rule.misaligned = 1;
  rule.unknown = 2;
  change.rules = {rule};
  change.outcomes = {{.item = 3, .used = true, .wins = 1, .losses = 0}};
  BankChange again = Must(BankChangeFromJson(BankChangeToJson(change)));
  EXPECT_EQ(BankChangeToJson(again), BankChangeToJson(change));
  EXPECT_EQ(again.as_of, 12);
  EXPECT_EQ(again.rules[0].unknown, 2);
  EXPECT_FALSE(BankChangeFromJson("{}"));
  EXPECT_FALSE(BankChangeFromJson("[]"));
}

TEST_F(JournalTest, AddsUpByPrefix) {
  auto journal = Create();
  Must(journal->Commit(Step("e1/a", 1), nullptr));
  Must(journal->Commit(Step("e1/b", 2), nullptr));
  Must(journal->Commit(Step("e10/a", 4), nullptr));
  EXPECT_EQ(TotalOf(Must(journal->UsageBelow("e1/"))).cost_usd, 3);
  EXPECT_EQ(TotalOf(Must(journal->UsageBelow("e10/"))).calls, 1);
  EXPECT_EQ(TotalOf(Must(journal->UsageBelow(""))).cost_usd, 7);
}

TEST_F(JournalTest, KeepsWhoAskedWhomAndWhatTheGuardSaved) {
  auto journal = Create();
  StepRow judged = Step("e0/learn/align/r0/k1", 0.5);
  judged.role = "judge";
  judged.model = "small-2";
  judged.cached_tokens = 11;
  judged.reasoning_tokens = 12;
  judged.estimated_calls = 1;
  judged.stopped_answers = 1;
  judged.saved_tokens = 900;
  Must(journal->Commit(judged, nullptr));
  Must(journal->Commit(Step("e0/a"), nullptr));
  StepRow judged_too = judged;
  judged_too.key = "e0/learn/align/r0/k2";
  judged_too.model = "small-3";
  Must(journal->Commit(judged_too, nullptr));
  journal.reset();
  const UsageByRole usage = Must(Must(Journal::OpenForReading(folder_))->UsageBelow("e0/"));
  ASSERT_EQ(usage.size(), 2u);
  const Usage& judge = usage.at(ModelRole::kJudge);
  EXPECT_EQ(judge.calls, 2);
  EXPECT_EQ(judge.cost_usd, 1);
  EXPECT_EQ(judge.cached_tokens, 22);
  EXPECT_EQ(judge.reasoning_tokens, 24);
  EXPECT_EQ(judge.estimated_calls, 2);
  EXPECT_EQ(judge.stopped_answers, 2);
  EXPECT_EQ(judge.saved_tokens, 1800);
  EXPECT_THAT(judge.models, ElementsAre("small-2", "small-3"));
  EXPECT_EQ(usage.at(ModelRole::kAuthor).calls, 1);
}

// A journal of before the columns that say who asked: read as it is, given them when it goes on.
TEST_F(JournalTest, OpensJournalsThatDoNotSayWhoAsked) {
  auto journal = Create();
  StepRow merged = Step("e0/b0/learn/merge", 2);
  merged.kind = "merge";
  Must(journal->Commit(merged, nullptr));
  Must(journal->Commit(Step("e0/b0/softmax/s0/i0/generate", 1), nullptr));
  journal.reset();
  {
    SQLite::Database db(folder_ + "/run.db", SQLite::OPEN_READWRITE);
    for (const char* column : {"role", "model", "cached_tokens", "reasoning_tokens",
                               "estimated_calls", "stopped_answers", "saved_tokens"}) {
      db.exec(std::string("ALTER TABLE step DROP COLUMN ") + column);
    }
  }
  const auto expect_usage = [](const Journal& read) {
    const UsageByRole usage = Must(read.UsageBelow(""));
    EXPECT_EQ(usage.at(ModelRole::kMerger).cost_usd, 2);
    EXPECT_EQ(usage.at(ModelRole::kAuthor).cost_usd, 1);
    EXPECT_EQ(Must(read.Steps()).size(), 2u);
  };
  expect_usage(*Must(Journal::OpenForReading(folder_)));
  journal = Must(Journal::Open(folder_));
  expect_usage(*journal);
  StepRow later = Step("e1/a", 4);
  later.role = "judge";
  Must(journal->Commit(later, nullptr));
  EXPECT_EQ(Must(journal->UsageBelow("e1/")).at(ModelRole::kJudge).cost_usd, 4);
  EXPECT_TRUE(Must(journal->Find("e0/b0/learn/merge", "in")));
}

TEST(StepKey, NumbersOrderByValue) {
  std::vector<std::string> keys = {"e0/b10/x", "e0/b2/x", "e0/b2/x/s0/i10", "e0/b2/x/s0/i9",
                                   "e0/b2"};
  std::sort(keys.begin(), keys.end(),
            [](const std::string& a, const std::string& b) { return StepKeyLess(a, b); });
  EXPECT_THAT(keys, ElementsAre("e0/b2", "e0/b2/x", "e0/b2/x/s0/i9", "e0/b2/x/s0/i10", "e0/b10/x"));
  EXPECT_FALSE(StepKeyLess("e1", "e1"));
}

}  // namespace
}  // namespace kw
