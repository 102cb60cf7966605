// No right kernel may fail: ordinary float32 implementations of the native tasks, computed here on
// the CPU, pass the plans of many seeds; and each of them fails once a fault is put into it.
#include <gtest/gtest.h>

#include <cmath>

#include "eval/oracle/fake_task.h"
#include "kw/base/file.h"
#include "kw/eval/oracle.h"
#include "src/eval/oracle/value_types.h"

namespace kw::eval {
namespace {

using Floats = std::vector<float>;
// Inputs (widened to float), axes and scalars in the order of the prototype -> the output.
struct Arguments {
  std::vector<Floats> inputs;
  std::vector<int64_t> axes;
  std::vector<float> scalars;
};
using Kernel = std::function<Floats(const Arguments&)>;

Floats SoftmaxRow(const float* x, int64_t cols) {
  float largest = -INFINITY, sum = 0;
  for (int64_t i = 0; i < cols; ++i) largest = std::max(largest, x[i]);
  Floats y(static_cast<size_t>(cols));
  for (int64_t i = 0; i < cols; ++i) {
    y[static_cast<size_t>(i)] = std::exp2((x[i] - largest) * 1.44269504f);
    sum += y[static_cast<size_t>(i)];
  }
  for (float& value : y) value /= sum;
  return y;
}

Floats OnlineSoftmaxRow(const float* x, int64_t cols) {
  float largest = -INFINITY, sum = 0;
  for (int64_t i = 0; i < cols; ++i) {
    const float next = std::max(largest, x[i]);
    sum = sum * std::exp(largest - next) + std::exp(x[i] - next);
    largest = next;
  }
  Floats y(static_cast<size_t>(cols));
  for (int64_t i = 0; i < cols; ++i) y[static_cast<size_t>(i)] = std::exp(x[i] - largest) / sum;
  return y;
}

Kernel ByRow(std::function<Floats(const float*, int64_t)> row) {
  return [row](const Arguments& arguments) {
    Floats y;
    for (int64_t i = 0; i < arguments.axes[0]; ++i) {
      const Floats part =
          row(arguments.inputs[0].data() + i * arguments.axes[1], arguments.axes[1]);
      y.insert(y.end(), part.begin(), part.end());
    }
    return y;
  };
}

Floats SumRow(const float* x, int64_t cols) {
  float sum = 0;
  for (int64_t i = 0; i < cols; ++i) sum += x[i];
  return {sum};
}

// The mean first: E[x * x] - mean * mean cancels where a row hardly varies, and is no right kernel.
Floats LayerNorm(const Arguments& arguments) {
  const int64_t rows = arguments.axes[0], cols = arguments.axes[1];
  const auto n = static_cast<float>(cols);
  Floats y;
  for (int64_t row = 0; row < rows; ++row) {
    const float* x = arguments.inputs[0].data() + row * cols;
    const float mean = SumRow(x, cols)[0] / n;
    float variance = 0;
    for (int64_t i = 0; i < cols; ++i) variance += (x[i] - mean) * (x[i] - mean);
    const float scale = 1.0f / std::sqrt(variance / n + 1e-5f);
    for (int64_t i = 0; i < cols; ++i) {
      const auto at = static_cast<size_t>(i);
      y.push_back((x[i] - mean) * scale * arguments.inputs[1][at] + arguments.inputs[2][at]);
    }
  }
  return y;
}

Floats RmsNorm(const Arguments& arguments) {
  const int64_t rows = arguments.axes[0], cols = arguments.axes[1];
  Floats y;
  for (int64_t row = 0; row < rows; ++row) {
    const float* x = arguments.inputs[0].data() + row * cols;
    float squares = 0;
    for (int64_t i = 0; i < cols; ++i) squares += x[i] * x[i];
    const float scale = 1.0f / std::sqrt(squares / static_cast<float>(cols) + 1e-6f);
    for (int64_t i = 0; i < cols; ++i) {
      y.push_back(x[i] * scale * arguments.inputs[1][static_cast<size_t>(i)]);
    }
  }
  return y;
}

Floats MatMul(const Arguments& arguments, bool fused) {
  const int64_t m = arguments.axes[0], n = arguments.axes[1], k = arguments.axes[2];
  const float* a = arguments.inputs[0].data();
  const float* b = arguments.inputs[1].data();
  Floats c;
  for (int64_t row = 0; row < m; ++row) {
    for (int64_t col = 0; col < n; ++col) {
      float sum = 0;
      for (int64_t i = 0; i < k; ++i) {
        const float x = a[row * k + i], y = b[i * n + col];
        sum = fused ? std::fma(x, y, sum) : sum + x * y;
      }
      c.push_back(sum);
    }
  }
  return c;
}

Kernel ByElement(std::function<float(float, const Arguments&)> element) {
  return [element](const Arguments& arguments) {
    Floats y;
    for (const float x : arguments.inputs[0]) y.push_back(element(x, arguments));
    return y;
  };
}

float Silu(float x) { return x / (1.0f + std::exp(-x)); }

Floats SiluAndMul(const Arguments& arguments) {
  const int64_t rows = arguments.axes[0], cols = arguments.axes[1];
  Floats y;
  for (int64_t row = 0; row < rows; ++row) {
    const float* x = arguments.inputs[0].data() + row * 2 * cols;
    for (int64_t i = 0; i < cols; ++i) y.push_back(Silu(x[i]) * x[cols + i]);
  }
  return y;
}

class CpuSession : public Session {
 public:
  CpuSession(const Task& task, Kernel kernel) : task_(task), kernel_(std::move(kernel)) {}

  Result<CallOutcome> Call(const CallRequest& request) override {
    Arguments arguments;
    for (const CallArgument& argument : request.arguments) {
      const Parameter& parameter = argument.parameter;
      if (parameter.role == Parameter::Role::kInput) {
        const auto wide = WidenFloats(parameter.dtype, argument.bytes);
        arguments.inputs.emplace_back(wide.begin(), wide.end());
      } else if (parameter.role == Parameter::Role::kScalar) {
        arguments.scalars.push_back(static_cast<float>(argument.real));
      } else if (parameter.role == Parameter::Role::kAxis) {
        arguments.axes.push_back(argument.integer);
      }
    }
    Floats y = kernel_(arguments);
    if (fault && !y.empty()) fault(y);
    CallOutcome outcome;
    outcome.outputs.emplace_back();
    for (const float value : y) AppendRounded(task_.outputs[0].dtype, value, outcome.outputs[0]);
    outcome.output_written = {true};
    return outcome;
  }

  std::function<void(Floats&)> fault;

 private:
  const Task& task_;
  Kernel kernel_;
};

struct Honest {
  const char* label;
  const char* task;
  Kernel kernel;
};

std::vector<Honest> HonestKernels() {
  return {
      {"softmax", "softmax", ByRow(SoftmaxRow)},
      {"online_softmax", "softmax", ByRow(OnlineSoftmaxRow)},
      {"softmax_fp16", "softmax_fp16", ByRow(SoftmaxRow)},
      {"row_sum", "row_sum", ByRow(SumRow)},
      {"layernorm", "layernorm", LayerNorm},
      {"rmsnorm", "rmsnorm", RmsNorm},
      {"rmsnorm_fp16", "rmsnorm_fp16", RmsNorm},
      {"matmul", "matmul", [](const Arguments& a) { return MatMul(a, false); }},
      {"matmul_fma", "matmul", [](const Arguments& a) { return MatMul(a, true); }},
      {"matmul_fp16", "matmul_fp16", [](const Arguments& a) { return MatMul(a, true); }},
      {"silu_and_mul", "silu_and_mul", SiluAndMul},
      {"gelu", "gelu", ByElement([](float x, const Arguments&) {
         return 0.5f * x * (1.0f + std::erf(x * 0.70710678f));
       })},
      {"leaky_relu", "leaky_relu",
       ByElement([](float x, const Arguments& a) { return x > 0 ? x : x * a.scalars[0]; })},
  };
}

class HonestKernelsTest : public testing::TestWithParam<Honest> {
 protected:
  // One reference for all: what it compiled and computed serves every test.
  static void SetUpTestSuite() {
    folder_ = new ScratchDirectory(*ScratchDirectory::Make("honest"));
    builder_ = new Builder(*Builder::Make({.cache = folder_->path()}));
    reference_ = MakeReference(*builder_, {.programs = KW_BINARY_DIR}).release();
  }
  static void TearDownTestSuite() {
    delete reference_;
    delete builder_;
    delete folder_;
  }
  OracleReport Run(CpuSession& session, uint64_t seed, int count) {
    const auto cases = PlanCases(task_, FuzzSeed(seed, task_), count);
    EXPECT_TRUE(cases);
    const auto report = RunOracle(task_, *cases, session, *reference_, {});
    EXPECT_TRUE(report) << (report ? "" : report.error().ToString());
    return report ? *report : OracleReport{};
  }

  static inline ScratchDirectory* folder_ = nullptr;
  static inline Builder* builder_ = nullptr;
  static inline Reference* reference_ = nullptr;
  Task task_ = *TaskLibrary::Open(KW_SOURCE_DIR "/data/tasks")->Load(GetParam().task);
};

TEST_P(HonestKernelsTest, PassesForManySeeds) {
  CpuSession session(task_, GetParam().kernel);
  for (uint64_t seed = 0; seed < 60; ++seed) {
    const OracleReport report = Run(session, seed, 24);
    EXPECT_TRUE(report.ok) << "seed " << seed << ": " << report.feedback;
  }
}

TEST_P(HonestKernelsTest, FailsWithAWrongLastElement) {
  CpuSession session(task_, GetParam().kernel);
  session.fault = [](Floats& y) { y.back() = y.back() * 1.02f + 0.02f; };
  EXPECT_FALSE(Run(session, 0, 8).ok);
}

TEST_P(HonestKernelsTest, FailsWhenOneElementIsNotComputed) {
  CpuSession session(task_, GetParam().kernel);
  session.fault = [](Floats& y) { y[y.size() / 2] = NAN; };
  EXPECT_FALSE(Run(session, 0, 8).ok);
}

INSTANTIATE_TEST_SUITE_P(Native, HonestKernelsTest, testing::ValuesIn(HonestKernels()),
                         [](const auto& info) { return std::string(info.param.label); });

}  // namespace
}  // namespace kw::eval
