// Prompts for the simulated author's tests, in wording of their own: the author must not depend on
// the program's templates.
#pragma once

#include <fmt/format.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "kw/llm.h"

namespace kw::author_test {

inline std::string EffectsFile() {
  return std::string(KW_SOURCE_DIR) + "/data/models/simulated_author.toml";
}

inline std::unique_ptr<ChatModel> Author() {
  auto author = MakeSimulatedAuthor(EffectsFile());
  return author ? std::move(*author) : nullptr;
}

// Complete without waiting: the simulated author answers before Submit returns.
inline ChatAnswer Ask(ChatModel& author, const std::string& prompt, uint64_t seed = 1,
                      double temperature = 0.7) {
  ChatRequest request;
  request.model = "simulated";
  request.messages = {{"user", prompt}};
  request.seed = seed;
  request.temperature = temperature;
  ChatAnswer got;
  author.Submit(request, [&](Result<ChatAnswer> answer) {
    if (answer) got = std::move(*answer);
  });
  return got;
}

struct TaskText {
  std::string name, description, reference, shapes, prototype;
};

inline std::vector<TaskText> AllTasks() {
  const std::string two =
      "(const float* x, float* y, int64_t rows, int64_t cols, cudaStream_t stream)";
  const std::string flat = "(const float* x, float* y, int64_t n, cudaStream_t stream)";
  return {
      {"softmax", "Softmax over each row.", "return torch.softmax(x, dim=1)",
       "- x: float32 of shape [rows, cols]\n- y: float32 of shape [rows, cols]", two},
      {"rmsnorm", "Root mean square normalisation with epsilon 1e-6.",
       "return x * torch.rsqrt(x.pow(2).mean(dim=1, keepdim=True) + 1e-6) * weight",
       "- x: float32 of shape [rows, cols]\n- y: float32 of shape [rows, cols]",
       "(const float* x, const float* weight, float* y, int64_t rows, int64_t cols, "
       "cudaStream_t stream)"},
      {"layernorm", "Layer normalisation of each row.",
       "return torch.nn.functional.layer_norm(x, (x.shape[1],), weight, bias, eps=1e-5)",
       "- x: float32 of shape [rows, cols]\n- y: float32 of shape [rows, cols]",
       "(const float* x, const float* weight, const float* bias, float* y, int64_t rows, "
       "int64_t cols, cudaStream_t stream)"},
      {"row_sum", "The sum of each row.", "return x.sum(dim=1)",
       "- x: float32 of shape [rows, cols]\n- y: float32 of shape [rows]", two},
      {"gelu", "Gaussian error linear unit, exact form.",
       "return torch.nn.functional.gelu(x, approximate=\"none\")",
       "- x: float32 of shape [n]\n- y: float32 of shape [n]", flat},
      {"silu_and_mul", "silu(gate) * up.",
       "gate, up = x[:, 0, :], x[:, 1, :]\n    return torch.nn.functional.silu(gate) * up",
       "- x: float32 of shape [rows, halves, cols]\n- y: float32 of shape [rows, cols]", two},
      {"leaky_relu", "Leaky rectified linear unit.",
       "return torch.nn.functional.leaky_relu(x, negative_slope)",
       "- x: float32 of shape [n]\n- y: float32 of shape [n]",
       "(const float* x, float negative_slope, float* y, int64_t n, cudaStream_t stream)"},
      {"matmul", "Matrix product c = a * b.", "return torch.matmul(a, b)",
       "- a: float32 of shape [m, k]\n- b: float32 of shape [k, n]\n- c: float32 of shape [m, n]",
       "(const float* a, const float* b, float* c, int64_t m, int64_t n, int64_t k, "
       "cudaStream_t stream)"},
  };
}

inline TaskText TaskNamed(const std::string& name) {
  for (TaskText& task : AllTasks()) {
    if (task.name == name) return task;
  }
  return {};
}

// `advice` goes under a heading that says that it is one.
inline std::string KernelPrompt(const TaskText& task, const std::string& advice = "",
                                const std::string& before = "") {
  return fmt::format(
      "Please implement this operation as a CUDA kernel.\n\n# Problem: {}\n{}\n```python\n"
      "import torch\n\ndef run(...):\n    {}\n```\n{}\n\n{}{}\n# Required interface\n"
      "```cuda\nextern \"C\" void run{};\n```\nAnswer with one file in a code fence. Mind the "
      "stream, the braces and races.\n",
      task.name, task.description, task.reference, task.shapes,
      advice.empty() ? "" : "# Lessons\n" + advice + "\n\n",
      before.empty() ? "" : "# Previous attempt\n" + before + "\n\n", task.prototype);
}

// The file in an answer's fence, "" when it is never closed.
inline std::string SourceIn(const std::string& answer) {
  const size_t open = answer.find("```cuda\n");
  if (open == std::string::npos) return "";
  const size_t close = answer.find("\n```", open + 8);
  return close == std::string::npos ? "" : answer.substr(open + 8, close - open - 7);
}

// The share of `seeds` seeds whose answer satisfies `what`. Seeds are fixed: the share is the same
// on every machine and in every run.
inline double Share(ChatModel& author, const std::string& prompt, int seeds,
                    const std::function<bool(const std::string&)>& what) {
  int met = 0;
  for (int seed = 0; seed < seeds; ++seed) {
    met += what(Ask(author, prompt, static_cast<uint64_t>(seed)).content) ? 1 : 0;
  }
  return static_cast<double>(met) / seeds;
}

}  // namespace kw::author_test
