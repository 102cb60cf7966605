#include "src/eval/check/launch_expression.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "src/eval/check/launch_program.h"

namespace kw::eval {
namespace {

using Contents = LaunchArgument::Contents;

LaunchExpression Parsed(const std::string& text) {
  auto launch = ParseLaunch(text);
  EXPECT_TRUE(launch) << launch.error().message;
  return launch.value_or(LaunchExpression{});
}

std::string Refusal(const std::string& text) {
  const auto launch = ParseLaunch(text);
  EXPECT_FALSE(launch) << text;
  return launch ? "" : launch.error().message;
}

TEST(LaunchExpression, ReadsAWholeLaunch) {
  const LaunchExpression launch = Parsed(
      "ops::scale<float, 4><<<dim3(4, 2), 2*128, 1024>>>(f32[16*64], out f16[3], u8[5]=7, i32 -5, "
      "f64 0.5, bool true)");
  EXPECT_EQ(launch.kernel, "ops::scale<float, 4>");
  EXPECT_EQ(launch.grid.x, 4u);
  EXPECT_EQ(launch.grid.y, 2u);
  EXPECT_EQ(launch.grid.z, 1u);
  EXPECT_EQ(launch.block.x, 256u);
  EXPECT_EQ(launch.dynamic_shared, 1024u);
  ASSERT_EQ(launch.arguments.size(), 6u);
  EXPECT_EQ(launch.arguments[0].contents, Contents::kRandom);
  EXPECT_EQ(launch.arguments[0].count, 1024u);
  EXPECT_EQ(launch.arguments[1].contents, Contents::kUninitialised);
  EXPECT_EQ(launch.arguments[1].type->cpp, "__half");
  EXPECT_EQ(launch.arguments[2].contents, Contents::kFilled);
  EXPECT_EQ(launch.arguments[2].integer, 7u);
  EXPECT_EQ(static_cast<int64_t>(launch.arguments[3].integer), -5);
  EXPECT_EQ(launch.arguments[4].real, 0.5);
  EXPECT_EQ(launch.arguments[5].integer, 1u);
}

TEST(LaunchExpression, TakesAKernelWithoutArguments) {
  EXPECT_TRUE(Parsed("k<<<1,1>>>()").arguments.empty());
}

TEST(LaunchExpression, IsTheSameAfterFormatting) {
  for (const char* text :
       {"k<<<1, 32>>>()", "k<vec<int>><<<(1,2,3), 4>>>(f32[7]=-0.25, i64 -9223372036854775808)",
        "a::b<<<1,1,48>>>(u64 18446744073709551615, f64 nan, f32 inf, bf16[2], out bool[3])"}) {
    const std::string once = FormatLaunch(Parsed(text));
    EXPECT_EQ(FormatLaunch(Parsed(once)), once);
  }
}

TEST(LaunchExpression, SaysWhatIsWrongAndWhere) {
  const struct {
    const char* text;
    const char* expected;
  } kCases[] = {
      {"", "column 1: expected the name of a kernel, found the end"},
      {"<<<1, 1>>>()", "column 1: expected the name of a kernel, found '<'"},
      {"k(f32 1)", "column 2: expected the launch configuration, <<<grid, block>>>, found '('"},
      {"k<<<4>>>()", "column 6: expected ',' and the block behind the grid, found '>'"},
      {"k<<<(1,2,3,4), 1>>>()", "column 12: the grid has at most three dimensions"},
      {"k<<<1, x>>>()", "column 8: expected the block, a whole number, found 'x'"},
      {"k<<<1, 99999999999>>>()", "column 8: the block is more than 4294967295"},
      {"k<<<1, 1>>>(f33[4])", "column 13: unknown type 'f33' (did you mean 'f32'?)"},
      {"k<<<1, 1>>>(f32[0])", "column 17: a buffer needs at least one element"},
      {"k<<<1, 1>>>(f32[4)", "column 18: expected ']' behind the number of elements, found ')'"},
      {"k<<<1, 1>>>(i8 200)", "column 16: '200' is no value of i8"},
      {"k<<<1, 1>>>(u8 -1)", "column 16: '-1' is no value of u8"},
      {"k<<<1, 1>>>(i32)", "column 16: expected a value of i32, or [elements], found ')'"},
      {"k<<<1, 1>>>(out f32[4]=1)", "column 23: what is out is not initialised"},
      {"k<<<1, 1>>>(out f32 1)", "column 21: expected '[': what is out is a buffer, found '1'"},
      {"k<<<1, 1>>>(i32 1", "column 18: expected ',' or ')' behind an argument, found the end"},
      {"k<<<1, 1>>>() k", "column 15: expected nothing more behind the launch, found 'k'"},
      {"k<float; 4><<<1, 1>>>()", "column 8: expected '>' behind the template arguments"},
      {"k<<<1, 1>>>(f64[999999999999])", "the number of elements is more than 536870912"},
  };
  for (const auto& [text, expected] : kCases) {
    EXPECT_NE(Refusal(text).find(expected), std::string::npos) << Refusal(text);
  }
  EXPECT_NE(Refusal("k<<<1,\n1>>>()").find("column 7: no printable"), std::string::npos);
}

TEST(LaunchExpression, ShowsThePlace) {
  EXPECT_EQ(Refusal("k<<<4>>>()"),
            "a launch, column 6: expected ',' and the block behind the grid, found '>'\n"
            "  k<<<4>>>()\n"
            "       ^");
}

TEST(LaunchProgram, NamesItsBuffersAsTheUserDoes) {
  const auto launches = {Parsed("a<<<1, 1>>>(i32 1, f32[4])"), Parsed("b<<<1, 1>>>(out i8[2])")};
  EXPECT_EQ(LaunchBuffers(launches),
            (std::vector<std::string>{"argument 2 of launch 1, f32[4]",
                                      "argument 1 of launch 2, out i8[2]"}));
  const std::string program = LaunchProgram(launches);
  EXPECT_NE(program.find("#line 1 \"launch 2\""), std::string::npos);
  EXPECT_NE(program.find("b<<<dim3(1, 1, 1), dim3(1, 1, 1), 0>>>(kwright_argument_1);"),
            std::string::npos);
}

}  // namespace
}  // namespace kw::eval
