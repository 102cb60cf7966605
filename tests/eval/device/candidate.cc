#include "candidate.h"

#include <dirent.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>

#include "kw/base/file.h"
#include "kw/base/hash.h"
#include "kw/base/process.h"
#include "kw/base/text.h"

namespace kw::eval {

bool HaveNvcc() { return !FindProgram("nvcc").empty(); }

std::string ObjectOfSource(const std::string& source, const std::string& more_flags) {
  const std::string folder = std::string(KW_BINARY_DIR) + "/test-objects";
  EXPECT_TRUE(MakeDirectories(folder));
  const std::string stem = folder + "/" + ContentHash(source + "\n" + more_flags);
  const std::string object = stem + ".so";
  if (FileExists(object)) return object;
  const std::string own = stem + "." + std::to_string(getpid());
  EXPECT_TRUE(WriteFileAtomic(own + ".cu", source));
  ProcessSpec spec{
      .argv = {"nvcc", "-shared", "-Xcompiler", "-fPIC", "-cudart", "shared", "-lineinfo",
               "-gencode", "arch=compute_80,code=compute_80", own + ".cu", "-o", own + ".so"},
      .inherit_environment = true};
  if (!more_flags.empty()) spec.argv.push_back(more_flags);
  auto built = RunProcess(spec);
  EXPECT_TRUE(built && built->ok()) << (built ? built->err : built.error().ToString());
  EXPECT_EQ(std::rename((own + ".so").c_str(), object.c_str()), 0);
  unlink((own + ".cu").c_str());
  return object;
}

std::string ObjectOf(const std::string& name) {
  auto source =
      ReadFile(std::string(KW_SOURCE_DIR) + "/tests/eval/device/candidates/" + name + ".cu");
  EXPECT_TRUE(source) << name;
  return source ? ObjectOfSource(*source) : "";
}

DeviceSheet TestSheet() {
  DeviceSheet sheet;
  sheet.name = "test";
  sheet.title = "Test device";
  sheet.memory_bytes = 80LL << 30;
  sheet.l2_bytes = 40 << 20;
  return sheet;
}

std::unique_ptr<Device> TestDevice() {
  EmulatorDeviceConfig config;
  config.sheet = TestSheet();
  config.programs = KW_BINARY_DIR;
  config.guest_memory_bytes = 512 << 20;
  return MakeEmulatorDevice(std::move(config));
}

std::vector<Parameter> ModeParameters() {
  using Role = Parameter::Role;
  return {{Role::kInput, "x", DType::kFloat32, "const float*"},
          {Role::kOutput, "y", DType::kFloat32, "float*"},
          {Role::kAxis, "n", DType::kInt64, "int64_t"},
          {Role::kAxis, "mode", DType::kInt64, "int64_t"},
          {Role::kStream, "stream", DType::kInt64, "cudaStream_t"}};
}

CallRequest ModeCall(int64_t mode, int64_t n) {
  std::vector<float> x(static_cast<size_t>(n));
  for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i) - 3.5f;
  CallRequest request;
  std::vector<Parameter> parameters = ModeParameters();
  parameters.pop_back();
  for (const Parameter& parameter : parameters) request.arguments.push_back({parameter});
  request.arguments[0].bytes.assign(reinterpret_cast<const char*>(x.data()), x.size() * 4);
  request.arguments[1].output_bytes = x.size() * 4;
  request.arguments[2].integer = n;
  request.arguments[3].integer = mode;
  request.seed = 11;
  request.lane_instruction_budget = 50'000'000;
  request.host_cpu_ms = 500;
  request.wall_ms = 20'000;
  return request;
}

std::vector<float> Floats(const std::string& bytes) {
  std::vector<float> values(bytes.size() / 4);
  std::memcpy(values.data(), bytes.data(), values.size() * 4);
  return values;
}

int OpenDescriptors() {
  int count = 0;
  DIR* folder = opendir("/proc/self/fd");
  while (readdir(folder) != nullptr) ++count;
  closedir(folder);
  return count;
}

std::vector<int> Children() {
  std::vector<int> children;
  DIR* folder = opendir("/proc");
  while (dirent* entry = readdir(folder)) {
    std::ifstream status("/proc/" + std::string(entry->d_name) + "/stat");
    std::string pid, name, state;
    int parent = 0;
    if (status >> pid >> name >> state >> parent && parent == getpid()) {
      children.push_back(std::stoi(pid));
    }
  }
  closedir(folder);
  return children;
}

}  // namespace kw::eval
