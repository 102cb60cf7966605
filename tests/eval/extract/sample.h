// Tasks and sources that the suites of this folder share.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "kw/eval/extract.h"

namespace kw::eval {

inline Task NativeTask(const std::string& path) {
  Result<Task> task = LoadTask(std::string(KW_SOURCE_DIR) + "/data/tasks/" + path);
  EXPECT_TRUE(task) << task.error().ToString();
  return task ? *std::move(task) : Task{};
}

// run(const float* x, float* y, int64_t rows, int64_t cols, cudaStream_t stream)
inline const Task& Softmax() {
  static const Task task = NativeTask("softmax/softmax");
  return task;
}

inline constexpr char kKernel[] =
    "#include <cstdint>\n"
    "__global__ void k(const float* x, float* y, int64_t n) {\n"
    "  int64_t i = blockIdx.x * (int64_t)blockDim.x + threadIdx.x;\n"
    "  if (i < n) { y[i] = x[i]; }\n"
    "}\n";

inline constexpr char kRun[] =
    "extern \"C\" void run(const float* x, float* y, int64_t rows, int64_t cols,\n"
    "                    cudaStream_t stream) {\n"
    "  k<<<(rows * cols + 255) / 256, 256, 0, stream>>>(x, y, rows * cols);\n"
    "}\n";

inline std::string Good() { return std::string(kKernel) + kRun; }

inline std::string Fenced(const std::string& source, const std::string& info = "cuda") {
  return "```" + info + "\n" + source + "```\n";
}

}  // namespace kw::eval
