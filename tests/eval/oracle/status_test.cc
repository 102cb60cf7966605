#include <gtest/gtest.h>

#include <set>

#include "kw/eval/oracle.h"

namespace kw::eval {
namespace {

TEST(Status, NamesGoBothWays) {
  std::set<std::string_view> names;
  for (const Status status :
       {Status::kPassed, Status::kIncorrectShape, Status::kIncorrectDtype,
        Status::kIncorrectNumerical, Status::kRuntimeError, Status::kCompileError, Status::kTimeout,
        Status::kMalformed, Status::kRejected, Status::kUnsupported}) {
    EXPECT_EQ(StatusFromName(StatusName(status)), status);
    names.insert(StatusName(status));
  }
  EXPECT_EQ(names.size(), 10u);
  EXPECT_FALSE(StatusFromName("passed"));
}

TEST(Effort, NamesGoBothWaysAndCostMore) {
  for (const Effort effort : {Effort::kQuick, Effort::kStandard, Effort::kDeep}) {
    EXPECT_EQ(EffortFromName(EffortName(effort)), effort);
  }
  EXPECT_FALSE(EffortFromName("lazy"));
  EXPECT_LT(CaseCount(Effort::kQuick), CaseCount(Effort::kStandard));
  EXPECT_LT(CaseCount(Effort::kStandard), CaseCount(Effort::kDeep));
}

}  // namespace
}  // namespace kw::eval
