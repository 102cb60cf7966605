// Candidates for tests: compiled by nvcc as the build room does, kept in the build folder.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "kw/eval/device.h"

namespace kw::eval {

bool HaveNvcc();
// The object of tests/eval/device/candidates/NAME.cu, built when it is not there yet.
std::string ObjectOf(const std::string& name);
// The object of a source text.
std::string ObjectOfSource(const std::string& source, const std::string& more_flags = "");

DeviceSheet TestSheet();
std::unique_ptr<Device> TestDevice();

// run(const float* x, float* y, int64_t n, int64_t mode, cudaStream_t)
std::vector<Parameter> ModeParameters();
CallRequest ModeCall(int64_t mode, int64_t n = 1000);
std::vector<float> Floats(const std::string& bytes);

// Of this process: open descriptors, and child processes (zombies too).
int OpenDescriptors();
std::vector<int> Children();

}  // namespace kw::eval
