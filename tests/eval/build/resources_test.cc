#include "src/eval/build/resources.h"

#include <gtest/gtest.h>

namespace kw::eval {
namespace {

TEST(ParsePtxasResources, ReadsEveryKernel) {
  const auto kernels = ParsePtxasResources(
      "ptxas info    : 0 bytes gmem\n"
      "ptxas info    : Compiling entry function '_Z1kPf' for 'sm_80'\n"
      "ptxas info    : Function properties for _Z6helperf\n"
      "    96 bytes stack frame, 4 bytes spill stores, 4 bytes spill loads\n"
      "ptxas info    : Function properties for _Z1kPf\n"
      "    16 bytes stack frame, 8 bytes spill stores, 12 bytes spill loads\n"
      "ptxas info    : Used 40 registers, used 1 barriers, 512 bytes smem, 376 bytes cmem[0]\n"
      "ptxas info    : Compile time = 1.564 ms\n"
      "ptxas info    : Compiling entry function '_Z1gPf' for 'sm_80'\n"
      "ptxas info    : Function properties for _Z1gPf\n"
      "    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads\n"
      "ptxas info    : Used 10 registers, used 0 barriers, 376 bytes cmem[0]\n");
  ASSERT_EQ(kernels.size(), 2u);
  EXPECT_EQ(kernels[0].kernel, "_Z1kPf");
  EXPECT_EQ(kernels[0].registers, 40);
  EXPECT_EQ(kernels[0].stack_bytes, 16);
  EXPECT_EQ(kernels[0].spill_bytes, 20);
  EXPECT_EQ(kernels[0].static_shared_bytes, 512);
  EXPECT_EQ(kernels[1].registers, 10);
  EXPECT_EQ(kernels[1].static_shared_bytes, 0);
}

TEST(ParsePtxasResources, ReadsNothingFromOtherText) {
  EXPECT_TRUE(ParsePtxasResources("ptxas fatal : no\n: Used 4 registers\n").empty());
}

}  // namespace
}  // namespace kw::eval
