// Along which axes real references can be computed in parts.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kw/base/file.h"
#include "src/eval/oracle/slice.h"

namespace kw::eval {
namespace {

using testing::ElementsAre;

TEST(SeparableAxes, AreThoseAlongWhichTheOutputsAreIndependent) {
  const ScratchDirectory folder = *ScratchDirectory::Make("separable");
  Builder builder = *Builder::Make({.cache = folder.path()});
  const auto reference = MakeReference(builder, {.programs = KW_BINARY_DIR});
  const auto axes = [&](const std::string& path) {
    const auto task = LoadTask(std::string(KW_SOURCE_DIR) + "/data/tasks/" + path);
    EXPECT_TRUE(task) << task.error().ToString();
    const auto names = SeparableAxes(*task, *reference, 5);
    EXPECT_TRUE(names) << names.error().ToString();
    return names.value_or(std::vector<std::string>{});
  };
  EXPECT_THAT(axes("gemm/matmul"), ElementsAre("m", "n"));
  EXPECT_THAT(axes("softmax/softmax"), ElementsAre("rows"));
  EXPECT_THAT(axes("layernorm/layernorm"), ElementsAre("rows"));
  EXPECT_THAT(axes("row_sum/row_sum"), ElementsAre("rows"));
  EXPECT_THAT(axes("gelu/gelu"), ElementsAre("n"));
}

}  // namespace
}  // namespace kw::eval
