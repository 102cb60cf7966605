#include <cmath>
#include <string>
#include <vector>

#include "sample.h"

namespace kw::eval {
namespace {

const std::map<std::string, int64_t> kAxes = {{"m", 7}, {"n", 3}, {"big", 1LL << 31}};

struct Case {
  const char* expression;
  double value;  // what Python says
};

TEST(Expression, EvaluatesAsPythonDoes) {
  const std::vector<Case> cases = {
      {"1", 1},
      {" 2.5 ", 2.5},
      {".5", 0.5},
      {"1e3", 1000},
      {"m", 7},
      {"(m)", 7},
      {"1 + 2*3", 7},
      {"(1 + 2)*3", 9},
      {"10 - 4 - 3", 3},
      {"100 / 10 / 5", 2},
      {"7 / 2", 3.5},
      {"7 // 2", 3},
      {"-7 // 2", -4},
      {"7 % 3", 1},
      {"-7 % 3", 2},
      {"7 % -3", -2},
      {"-6 % 3", 0},
      {"2 ** 10", 1024},
      {"2 ** 3 ** 2", 512},
      {"-2 ** 2", -4},
      {"2 ** -1", 0.5},
      {"--3", 3},
      {"+-+3", -3},
      {"2*-3", -6},
      {"min(3, m, 5)", 3},
      {"max(n)", 3},
      {"max(1, min(m, 4)) * 2", 8},
      {"m < n", 0},
      {"m > n", 1},
      {"m >= 7", 1},
      {"m <= 6", 0},
      {"m == 7", 1},
      {"m != 7", 0},
      {"1 < n < m", 1},
      {"1 < m < n", 0},
      {"m > n == 3", 1},
      {"not m == 7", 0},
      {"not not m", 1},
      {"not 0", 1},
      {"m == 7 and n == 3", 1},
      {"m == 7 and n == 4", 0},
      {"0 or 0 or n", 3},
      {"m or 1/0", 7},
      {"0 and 1/0", 0},
      {"n == 3 or m % 0 == 1", 1},
      {"True", 1},
      {"False or n", 3},
      {"True + True", 2},
      {"(m > n) * 4", 4},
      {"m % n == 1 and (m - 1) // n == 2", 1},
      {"big * big", std::pow(2.0, 62)},
      {"m*n + n*m - m", 35},
      {"1 + 1 == 2", 1},
      {"1 == 1 + 1 or 3", 3},
      {"1 and 2", 2},
      {"android", 0},
      {"order", 0},
  };
  for (const Case& one : cases) {
    std::map<std::string, int64_t> axes = kAxes;
    axes["android"] = axes["order"] = 0;
    const Result<double> value = EvaluateExpression(one.expression, axes);
    ASSERT_TRUE(value) << one.expression << ": " << value.error().ToString();
    EXPECT_EQ(*value, one.value) << one.expression;
  }
}

TEST(Expression, RefusesWhatIsNoExpression) {
  for (const char* text :
       {"",      "  ",    "1 +",   "(1",      "1)",   "1 2",  "m n",    "m = 7",         "*m",
        "m **",  "min(",  "min()", "max(1,)", "m[0]", "m.x",  "1 < ",   "not",           "and",
        "m and", "'m'",   "1;2",   "0x10",    "1e",   "1..2", "lambda", "m if n else 1", "m & n",
        "~m",    "m\n+1", "\xff",  "9e999"}) {
    const Result<double> value = EvaluateExpression(text, kAxes);
    ASSERT_FALSE(value) << text << " = " << *value;
    EXPECT_NE(value.error().message.find("'"), std::string::npos) << text;
  }
}

TEST(Expression, NamesTheNearestAxis) {
  const Result<double> value = EvaluateExpression("bigg + 1", kAxes);
  ASSERT_FALSE(value);
  EXPECT_EQ(value.error().code, ErrorCode::kInvalid);
  EXPECT_NE(value.error().message.find("'big'"), std::string::npos) << value.error().message;
}

TEST(Expression, AnUnknownNameIsAnErrorEvenWherePythonWouldNotLook) {
  EXPECT_FALSE(EvaluateExpression("1 or nothing", kAxes));
}

TEST(Expression, RefusesWhatHasNoFiniteValue) {
  for (const char* text :
       {"1/0", "m % 0", "m // (n - 3)", "10 ** 400", "big ** big", "0 ** -1", "(-1) ** 0.5"}) {
    EXPECT_FALSE(EvaluateExpression(text, kAxes)) << text;
  }
}

TEST(Expression, NestingAndLengthAreLimited) {
  EXPECT_TRUE(EvaluateExpression(std::string(20, '(') + "1" + std::string(20, ')'), kAxes));
  EXPECT_FALSE(EvaluateExpression(std::string(2000, '(') + "1" + std::string(2000, ')'), kAxes));
  EXPECT_FALSE(EvaluateExpression(std::string(100000, '('), kAxes));
  EXPECT_TRUE(EvaluateExpression(std::string(4000, '-') + "1", kAxes));
  std::string powers = "1";
  for (int i = 0; i < 1000; ++i) powers += "**1";
  EXPECT_FALSE(EvaluateExpression(powers, kAxes));
}

}  // namespace
}  // namespace kw::eval
