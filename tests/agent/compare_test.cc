#include <gtest/gtest.h>

#include "agent/fakes.h"
#include "src/agent/chronicle.h"

namespace kw {
namespace {

eval::Verdict PassedAt(double speedup, const std::string& kind = "modelled") {
  eval::Verdict verdict;
  verdict.status = eval::Status::kPassed;
  verdict.speedup = speedup;
  verdict.timing_kind = kind;
  return verdict;
}

eval::Verdict Measured(double us, double p5, double p95) {
  eval::Verdict verdict = PassedAt(10 / us, "measured");
  eval::WorkloadTime time{.uuid = "w", .time = {us, p5, p95, ""}};
  time.baseline_us = 10;
  verdict.workloads = {time};
  return verdict;
}

eval::Verdict Failed(const std::string& stage) {
  eval::Verdict verdict;
  verdict.status = eval::Status::kIncorrectNumerical;
  verdict.stage = stage;
  return verdict;
}

TEST(Compare, CorrectBeatsIncorrect) {
  EXPECT_EQ(CompareVerdicts(PassedAt(0.1), Failed("oracle")), 1);
  EXPECT_EQ(CompareVerdicts(Failed("oracle"), PassedAt(0.1)), -1);
  EXPECT_EQ(CompareVerdicts(Failed("timing"), Failed("build")), 0);
}

TEST(Compare, SpeedupsWithinFivePercentTie) {
  EXPECT_EQ(CompareVerdicts(PassedAt(1.05), PassedAt(1.0)), 0);
  EXPECT_EQ(CompareVerdicts(PassedAt(1.06), PassedAt(1.0)), 1);
  EXPECT_EQ(CompareVerdicts(PassedAt(1.0), PassedAt(1.06)), -1);
}

TEST(Compare, DisjointIntervalsDecideMeasuredTies) {
  EXPECT_EQ(CompareVerdicts(Measured(9.8, 9.7, 9.9), Measured(10, 9.95, 10.1)), 1);
  EXPECT_EQ(CompareVerdicts(Measured(10, 9.95, 10.1), Measured(9.8, 9.7, 9.9)), -1);
  EXPECT_EQ(CompareVerdicts(Measured(9.8, 9.5, 10.1), Measured(10, 9.7, 10.3)), 0);
}

std::vector<const AttemptRecord*> Pointers(const std::vector<AttemptRecord>& attempts) {
  std::vector<const AttemptRecord*> pointers;
  for (const AttemptRecord& attempt : attempts) pointers.push_back(&attempt);
  return pointers;
}

AttemptRecord Attempt(const std::string& task, eval::Verdict verdict) {
  AttemptRecord record;
  record.task = task;
  record.verdict = std::move(verdict);
  return record;
}

TEST(Best, PrefersCorrectThenFastThenFirst) {
  std::vector<AttemptRecord> attempts = {Attempt("t", Failed("build")), Attempt("t", PassedAt(1.2)),
                                         Attempt("t", PassedAt(1.23)), Attempt("t", PassedAt(0.9))};
  EXPECT_EQ(BestOf(Pointers(attempts)), 1u);
  attempts = {Attempt("t", Failed("build")), Attempt("t", Failed("oracle")),
              Attempt("t", Failed("oracle"))};
  EXPECT_EQ(BestOf(Pointers(attempts)), 1u);
}

TEST(Best, CheckedInFullComesBeforeCheckedInPart) {
  eval::Verdict sampled = PassedAt(5);
  sampled.workloads = {{.uuid = "w", .checked = "sampled"}};
  std::vector<AttemptRecord> attempts = {Attempt("t", sampled), Attempt("t", PassedAt(1.1))};
  EXPECT_EQ(BestOf(Pointers(attempts)), 1u);
}

TEST(Epoch, CountsWhatWasJudged) {
  eval::Verdict unsupported = Failed("oracle"), environmental = Failed("oracle");
  unsupported.status = eval::Status::kUnsupported;
  environmental.environmental = true;
  std::vector<AttemptRecord> attempts = {
      Attempt("a", Failed("oracle")), Attempt("a", PassedAt(2)), Attempt("b", PassedAt(0.5)),
      Attempt("c", Failed("build")),  Attempt("d", unsupported), Attempt("d", environmental)};
  EpochRecord record = SummariseEpoch(1, Pointers(attempts));
  EXPECT_EQ(record.tasks, 3);
  EXPECT_EQ(record.correct, 2);
  EXPECT_EQ(record.fast_1, 1);
  EXPECT_EQ(record.attempts, 4);
  EXPECT_EQ(record.attempts_correct, 2);
  EXPECT_DOUBLE_EQ(record.speedup, 1.0);
}

}  // namespace
}  // namespace kw
