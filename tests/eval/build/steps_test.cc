#include "src/eval/build/steps.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kw::eval {
namespace {

using testing::Contains;
using testing::Not;

constexpr char kDryRun[] = R"(#$ _SPACE_=
#$ CICC_PATH=/opt/cuda/bin/../nvvm/bin
#$ PATH=/opt/cuda/bin:/usr/bin
#$ gcc -E -x c++ "-I/opt/cuda/include"   "kernel.cu" -o "kernel.cpp4.ii"
#$ cudafe++ --orig_src_path_name "/tmp/x/kernel.cu" --gen_module_id_file --module_id_file_name "kernel.module_id" "kernel.cpp4.ii"
#$ gcc -E -D__CUDA_ARCH__=800 "kernel.cu" -o "kernel.cpp1.ii"
#$ "$CICC_PATH/cicc" --module_id_file_name "kernel.module_id" "kernel.cpp1.ii" -o "kernel.ptx"
#$ fatbinary --cmdline=" --generate-line-info " --embedded-fatbin="kernel.fatbin.c"
#$ rm kernel.fatbin
#$ gcc -c -x c++ "kernel.cudafe1.cpp" -o "kernel.o"
)";

TEST(ParseDryRun, SplitsTheHalves) {
  const auto plan = ParseDryRun(kDryRun);
  ASSERT_TRUE(plan);
  ASSERT_EQ(plan->host.size(), 2u);
  ASSERT_EQ(plan->device.size(), 3u);
  EXPECT_EQ(plan->device[1][0], "/opt/cuda/bin/../nvvm/bin/cicc");
  EXPECT_EQ(plan->device[2][1], "--cmdline= --generate-line-info ");
  EXPECT_EQ(plan->object.back(), "kernel.o");
  EXPECT_THAT(plan->environment, Contains("PATH=/opt/cuda/bin:/usr/bin"));
}

TEST(ParseDryRun, MakesTheHalvesIndependentOfEachOtherAndOfThePlace) {
  const auto plan = ParseDryRun(kDryRun);
  ASSERT_TRUE(plan);
  EXPECT_THAT(plan->host[1], Not(Contains("--gen_module_id_file")));
  EXPECT_THAT(plan->host[1], Not(Contains("/tmp/x/kernel.cu")));
  EXPECT_THAT(plan->host[1], Contains("kernel.cu"));
}

TEST(ParseDryRun, RefusesWhatItDoesNotKnow) {
  const std::string text = kDryRun;
  EXPECT_FALSE(ParseDryRun(""));
  EXPECT_FALSE(ParseDryRun(text + "#$ nvlink \"kernel.o\"\n"));
  EXPECT_FALSE(ParseDryRun(text + "#$ gcc -c other.cpp | tee log\n"));
  std::string without_cicc = text;
  without_cicc.replace(without_cicc.find("/cicc"), 5, "/next");
  EXPECT_FALSE(ParseDryRun(without_cicc));
  std::string unknown_variable = text;
  unknown_variable.replace(unknown_variable.find("$CICC"), 5, "$DICC");
  EXPECT_FALSE(ParseDryRun(unknown_variable));
}

}  // namespace
}  // namespace kw::eval
