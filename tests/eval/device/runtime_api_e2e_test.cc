// The runtime calls of candidates/runtime_api.cu: a guest that exits with N found its Nth
// expectation broken.
#include <gtest/gtest.h>

#include "candidate.h"

namespace kw::eval {
namespace {

class RuntimeApi : public testing::TestWithParam<int> {};

TEST_P(RuntimeApi, AnswersAsCudaDoes) {
  if (!HaveNvcc()) GTEST_SKIP() << "no nvcc on this machine";
  auto device = TestDevice();
  auto opened = device->Open({ObjectOf("runtime_api"), ModeParameters(), 7});
  ASSERT_TRUE(opened) << opened.error().ToString();
  ASSERT_TRUE(opened->session) << opened->message;
  auto done = opened->session->Call(ModeCall(GetParam(), 100));
  ASSERT_TRUE(done) << done.error().ToString();
  // Refusals were asked for; a session that is refused something still does the rest.
  EXPECT_TRUE(done->status == CallOutcome::Status::kOk ||
              done->status == CallOutcome::Status::kLaunchFailed)
      << done->message;
  ASSERT_EQ(done->outputs.size(), 1u);
  EXPECT_EQ(Floats(done->outputs[0])[99], 95.5f);
}

std::string AreaName(const testing::TestParamInfo<int>& info) {
  const char* names[] = {"Device", "Memory", "Symbols", "Streams", "Functions"};
  return names[info.param];
}
INSTANTIATE_TEST_SUITE_P(Areas, RuntimeApi, testing::Range(0, 5), AreaName);

}  // namespace
}  // namespace kw::eval
