// Workloads beyond the emulator's budget: some blocks run at the full shape, and a smaller shape is
// checked as a whole.
#include <gmock/gmock.h>

#include "e2e/evaluation.h"

namespace kw::eval {
namespace {

using testing::HasSubstr;

constexpr std::string_view kPrelude = R"(
#include <cstdint>
#include <cuda_runtime.h>
#define RUN extern "C" void run(const float* a, const float* b, float* c, int64_t m, int64_t n, \
                                int64_t k, cudaStream_t stream)
#define PRODUCT                                                                              \
  int row = blockIdx.y * 16 + threadIdx.y, column = blockIdx.x * 16 + threadIdx.x;           \
  if (row >= m || column >= n) return;                                                       \
  float sum = 0;                                                                             \
  for (int i = 0; i < k; ++i) sum += a[(int64_t)row * k + i] * b[(int64_t)i * n + column];
#define GRID dim3((n + 15) / 16, (m + 15) / 16), dim3(16, 16), 0, stream
)";

class LargeWorkloads : public testing::Test {
 protected:
  // The matmul task with one workload of a thousand million operations.
  void SetUp() override {
    const auto task = ChangedTask("gemm/matmul", "workloads.jsonl", [](const std::string&) {
      return R"({"definition": "matmul", "workload": {"uuid": "large", )"
             R"("axes": {"m": 801, "n": 833, "k": 800}, "inputs": )"
             R"({"a": {"type": "random"}, "b": {"type": "random"}}}, )"
             R"("solution": null, "evaluation": null})"
             "\n";
    });
    ASSERT_TRUE(task) << task.error().ToString();
    task_ = *task;
  }

  Verdict Judge(std::string_view code) {
    const auto evaluator = MakeEvaluator(E2eConfig());
    EXPECT_TRUE(evaluator) << evaluator.error().ToString();
    const auto verdict =
        (*evaluator)->Evaluate(task_, std::string(kPrelude) + std::string(code), {.seed = 3});
    EXPECT_TRUE(verdict) << verdict.error().ToString();
    return verdict.value_or(Verdict{});
  }

  Task task_;
};

TEST_F(LargeWorkloads, AreSampledAndTheVerdictSaysSo) {
  const Verdict verdict = Judge(R"(
__global__ void matmul(const float* a, const float* b, float* c, int m, int n, int k) {
  PRODUCT c[(int64_t)row * n + column] = sum;
}
RUN { matmul<<<GRID>>>(a, b, c, m, n, k); })");
  ASSERT_TRUE(verdict.passed()) << verdict.feedback;
  ASSERT_EQ(verdict.workloads.size(), 1u);
  EXPECT_EQ(verdict.workloads[0].checked, "sampled");
  EXPECT_GT(verdict.workloads[0].speedup, 0);
  EXPECT_LE(verdict.workloads[0].time.p5, verdict.workloads[0].time.us);
  EXPECT_GE(verdict.workloads[0].time.p95, verdict.workloads[0].time.us);
  EXPECT_THAT(verdict.feedback, HasSubstr("checked in part (sampled)"));
}

TEST_F(LargeWorkloads, ShowWhatIsWrongAtTheirShapeAlone) {
  const Verdict verdict = Judge(R"(
__global__ void matmul(const float* a, const float* b, float* c, int m, int n, int k) {
  PRODUCT
  if (n > 820 && column > n - 3) sum *= 1.5f;
  c[(int64_t)row * n + column] = sum;
}
RUN { matmul<<<GRID>>>(a, b, c, m, n, k); })");
  EXPECT_EQ(verdict.status, Status::kIncorrectNumerical) << verdict.feedback;
  EXPECT_EQ(verdict.stage, "timing");
  EXPECT_THAT(verdict.feedback, HasSubstr("n=833"));
}

TEST_F(LargeWorkloads, ShowAccessesBeyondTheEndAtTheirShapeAlone) {
  const Verdict verdict = Judge(R"(
__global__ void matmul(const float* a, const float* b, float* c, int m, int n, int k) {
  PRODUCT
  if (m > 800 && row == m - 1) sum += a[(int64_t)row * k + k + 1];
  c[(int64_t)row * n + column] = sum;
}
RUN { matmul<<<GRID>>>(a, b, c, m, n, k); })");
  EXPECT_EQ(verdict.reason, "out_of_bounds") << verdict.feedback;
}

TEST_F(LargeWorkloads, AreStoodInForWhereLaunchesBuildOnEachOther) {
  const Verdict verdict = Judge(R"(
__global__ void half(const float* a, const float* b, float* c, int m, int n, int k) {
  PRODUCT c[(int64_t)row * n + column] = sum / 2;
}
__global__ void other_half(const float* a, const float* b, float* c, int m, int n, int k) {
  PRODUCT c[(int64_t)row * n + column] += sum / 2;
}
RUN {
  half<<<GRID>>>(a, b, c, m, n, k);
  other_half<<<GRID>>>(a, b, c, m, n, k);
})");
  ASSERT_TRUE(verdict.passed()) << verdict.feedback;
  EXPECT_EQ(verdict.workloads[0].checked, "scaled");
  EXPECT_GT(verdict.workloads[0].time.p95, verdict.workloads[0].time.us * 1.2);
}

TEST_F(LargeWorkloads, GiveTheSameVerdictEachTime) {
  constexpr std::string_view kCode = R"(
__global__ void matmul(const float* a, const float* b, float* c, int m, int n, int k) {
  PRODUCT c[(int64_t)row * n + column] = sum;
}
RUN { matmul<<<GRID>>>(a, b, c, m, n, k); })";
  EXPECT_EQ(VerdictToJson(Judge(kCode)), VerdictToJson(Judge(kCode)));
}

}  // namespace
}  // namespace kw::eval
