// Legal kernels are not flagged: every native task's baseline runs clean at a small odd shape.
#include <gtest/gtest.h>

#include <filesystem>

#include "candidate.h"
#include "kw/base/file.h"
#include "kw/eval/task.h"

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

// Ones of a float type; indices are zero.
std::string Ones(DType dtype, int64_t count) {
  std::string bytes(static_cast<size_t>(count * DTypeBytes(dtype)), '\0');
  for (int64_t i = 0; i < count; ++i) {
    const float single = 1.0f;
    const double twofold = 1.0;
    const uint16_t half = 0x3c00, brain = 0x3f80;
    char* to = bytes.data() + i * DTypeBytes(dtype);
    if (dtype == DType::kFloat32) std::memcpy(to, &single, 4);
    if (dtype == DType::kFloat64) std::memcpy(to, &twofold, 8);
    if (dtype == DType::kFloat16) std::memcpy(to, &half, 2);
    if (dtype == DType::kBFloat16) std::memcpy(to, &brain, 2);
  }
  return bytes;
}

Result<CallRequest> SmallCall(const Task& task) {
  std::map<std::string, int64_t> var;
  for (const Axis& axis : task.axes) {
    if (axis.is_var) var[axis.name] = 33;
  }
  KW_ASSIGN(auto axes, task.AllAxes(var));
  CallRequest request;
  for (const Parameter& parameter : CandidateParameters(task)) {
    CallArgument argument{parameter};
    for (const auto* tensors : {&task.inputs, &task.outputs}) {
      for (const Tensor& tensor : *tensors) {
        if (tensor.name != parameter.name) continue;
        KW_ASSIGN(int64_t count, ElementCount(tensor, axes));
        if (parameter.role == Parameter::Role::kInput) argument.bytes = Ones(tensor.dtype, count);
        argument.output_bytes = static_cast<uint64_t>(count * DTypeBytes(tensor.dtype));
      }
    }
    if (parameter.role == Parameter::Role::kStream) continue;
    if (parameter.role == Parameter::Role::kAxis) argument.integer = axes.at(parameter.name);
    if (parameter.role == Parameter::Role::kScalar) argument.real = 0.5;
    request.arguments.push_back(std::move(argument));
  }
  return request;
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
