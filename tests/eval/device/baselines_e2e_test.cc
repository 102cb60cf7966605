// Legal kernels are not flagged: every native task's baseline runs clean at a small odd shape.
#include <gtest/gtest.h>

#include <filesystem>

#include "candidate.h"
#include "kw/base/file.h"
#include "kw/eval/oracle.h"

namespace kw::eval {
namespace {

std::vector<std::string> TaskFolders() {
  std::vector<std::string> folders;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(std::string(KW_SOURCE_DIR) + "/data/tasks")) {
    if (entry.path().filename() == "baseline.cu") folders.push_back(entry.path().parent_path());
  }
  std::sort(folders.begin(), folders.end());
  return folders;
}

// A small shape that the task's constraints admit, with inputs that it may get.
Result<CallRequest> SmallCall(const Task& task) {
  const std::vector<Case> cases = EnduranceCases(task, 3);
  if (cases.empty()) return Fail(ErrorCode::kInvalid, "no small shape");
  KW_ASSIGN(const CaseInputs inputs, GenerateInputs(task, cases[0]));
  return MakeCall(task, cases[0], inputs);
}

class Baselines : public testing::TestWithParam<std::string> {};

TEST_P(Baselines, RunClean) {
  if (!HaveNvcc()) GTEST_SKIP() << "no nvcc on this machine";
  auto task = LoadTask(GetParam());
  ASSERT_TRUE(task) << task.error().ToString();
  auto request = SmallCall(*task);
  ASSERT_TRUE(request) << request.error().ToString();
  auto device = TestDevice();
  auto opened = device->Open({ObjectOfSource(task->baseline_cu), CandidateParameters(*task), 3});
  ASSERT_TRUE(opened) << opened.error().ToString();
  ASSERT_TRUE(opened->session) << opened->message;
  for (int call = 0; call < 2; ++call) {
    auto done = opened->session->Call(*request);
    ASSERT_TRUE(done) << done.error().ToString();
    EXPECT_EQ(done->status, CallOutcome::Status::kOk) << done->message;
    EXPECT_TRUE(done->hazards.empty()) << done->hazards[0].text;
    EXPECT_EQ(done->output_written, std::vector<bool>(task->outputs.size(), true));
    EXPECT_FALSE(done->result_from_host);
    EXPECT_EQ(done->message, "");
  }
}

std::string TaskName(const testing::TestParamInfo<std::string>& info) {
  std::string name = std::filesystem::path(info.param).filename();
  for (char& c : name) {
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  }
  return name;
}
INSTANTIATE_TEST_SUITE_P(Native, Baselines, testing::ValuesIn(TaskFolders()), TaskName);

}  // namespace
}  // namespace kw::eval
