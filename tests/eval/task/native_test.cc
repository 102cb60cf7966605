// The native tasks: each reference against values worked out by hand or by another formula.
#include <cmath>
#include <cstdint>
#include <functional>
#include <vector>

#include "kw/base/random.h"
#include "sample.h"

#define reference reference_softmax
#include "data/tasks/softmax/softmax/reference.cpp"
#undef reference
#define reference reference_softmax_fp16
#include "data/tasks/softmax/softmax_fp16/reference.cpp"
#undef reference
#define reference reference_rmsnorm
#include "data/tasks/rmsnorm/rmsnorm/reference.cpp"
#undef reference
#define reference reference_rmsnorm_fp16
#include "data/tasks/rmsnorm/rmsnorm_fp16/reference.cpp"
#undef reference
#define reference reference_layernorm
#include "data/tasks/layernorm/layernorm/reference.cpp"
#undef reference
#define reference reference_gelu
#include "data/tasks/gelu/gelu/reference.cpp"
#undef reference
#define reference reference_silu_and_mul
#include "data/tasks/silu_and_mul/silu_and_mul/reference.cpp"
#undef reference
#define reference reference_matmul
#include "data/tasks/gemm/matmul/reference.cpp"
#undef reference
#define reference reference_matmul_fp16
#include "data/tasks/gemm/matmul_fp16/reference.cpp"
#undef reference
#define reference reference_row_sum
#include "data/tasks/row_sum/row_sum/reference.cpp"
#undef reference
#define reference reference_leaky_relu
#include "data/tasks/leaky_relu/leaky_relu/reference.cpp"
#undef reference

namespace kw::eval {
namespace {

using Values = std::vector<double>;

// Spread over [-2, 2], never the same twice, no pattern by rows or columns.
Values Spread(int64_t count, int salt) {
  Values values;
  for (int64_t i = 0; i < count; ++i) {
    values.push_back(2 * std::sin(static_cast<double>(i * 37 + salt) * 0.7 + salt));
  }
  return values;
}

constexpr int64_t kRows = 3, kCols = 5;

void ExpectNear(const Values& got, const Values& wanted, double bound = 1e-14) {
  ASSERT_EQ(got.size(), wanted.size());
  for (size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], wanted[i], bound) << i;
}

using RowFunction = void (*)(const double*, double*, int64_t, int64_t);

TEST(NativeReference, SoftmaxOfEqualLogitsIsUniform) {
  for (const RowFunction run : {reference_softmax, reference_softmax_fp16}) {
    const Values x = {7, 7, 7, 7};
    Values y(4);
    run(x.data(), y.data(), 2, 2);
    ExpectNear(y, {0.5, 0.5, 0.5, 0.5});
  }
}

TEST(NativeReference, SoftmaxIsTheLogisticFunctionOfTheDifference) {
  const Values x = {0, std::log(3.0), 1000, 1000 + std::log(4.0), -5, -5000};
  for (const RowFunction run : {reference_softmax, reference_softmax_fp16}) {
    Values y(6);
    run(x.data(), y.data(), 3, 2);
    ExpectNear(y, {0.25, 0.75, 0.2, 0.8, 1, 0}, 1e-12);
  }
}

TEST(NativeReference, RmsnormOfThreeAndFour) {
  // The mean of 9 and 16 is 12.5.
  const Values x = {3, 4, -3, 4}, weight = {1, 10};
  const double scale = 1 / std::sqrt(12.5 + 1e-6);
  for (const auto run : {reference_rmsnorm, reference_rmsnorm_fp16}) {
    Values y(4);
    run(x.data(), weight.data(), y.data(), 2, 2);
    ExpectNear(y, {3 * scale, 40 * scale, -3 * scale, 40 * scale});
  }
}

TEST(NativeReference, RmsnormOfZerosIsZero) {
  const Values x(4, 0), weight(4, 1);
  Values y(4, 7);
  reference_rmsnorm(x.data(), weight.data(), y.data(), 1, 4);
  ExpectNear(y, {0, 0, 0, 0});
}

TEST(NativeReference, LayernormOfOneToFour) {
  // Mean 2.5, variance 1.25 over four, not three.
  const Values x = {1, 2, 3, 4}, weight = {1, 1, 2, 2}, bias = {0, 10, 0, 10};
  const double scale = 1 / std::sqrt(1.25 + 1e-5);
  Values y(4);
  reference_layernorm(x.data(), weight.data(), bias.data(), y.data(), 1, 4);
  ExpectNear(y, {-1.5 * scale, -0.5 * scale + 10, 2 * 0.5 * scale, 2 * 1.5 * scale + 10});
}

TEST(NativeReference, LayernormOfAConstantRowIsTheBias) {
  const Values x(6, 4.25), weight = {1, 2, 3}, bias = {-1, 0, 1};
  Values y(6);
  reference_layernorm(x.data(), weight.data(), bias.data(), y.data(), 2, 3);
  ExpectNear(y, {-1, 0, 1, -1, 0, 1});
}

TEST(NativeReference, GeluIsXTimesTheNormalDistribution) {
  // Values of the normal distribution from tables: Phi(1), Phi(-1), Phi(2), Phi(-3).
  const Values x = {0, 1, -1, 2, -3, -40, 40};
  Values y(7);
  reference_gelu(x.data(), y.data(), 7);
  ExpectNear(y,
             {0, 0.841344746068543, -0.158655253931457, 2 * 0.977249868051821,
              -3 * 0.001349898031630, 0, 40},
             1e-12);
}

TEST(NativeReference, SiluAndMulTakesGateThenUp) {
  // Rows of 2 * cols: gates 0 and ln 3, ups 5 and 8; silu(ln 3) = 0.75 ln 3.
  const double ln3 = std::log(3.0);
  const Values x = {0, ln3, 5, 8, -ln3, 0, 4, 9};
  Values y(4);
  reference_silu_and_mul(x.data(), y.data(), 2, 2);
  ExpectNear(y, {0, 6 * ln3, -ln3, 0});
}

TEST(NativeReference, MatmulOfTwoByThree) {
  const Values a = {1, 2, 3, 4, 5, 6}, b = {7, 8, 9, 10, 11, 12};
  for (const auto run : {reference_matmul, reference_matmul_fp16}) {
    Values c(4, -1);
    run(a.data(), b.data(), c.data(), 2, 2, 3);
    ExpectNear(c, {58, 64, 139, 154});
  }
}

TEST(NativeReference, MatmulAgreesWithADotProductPerElement) {
  const int64_t m = 5, n = 7, k = 11;
  const Values a = Spread(m * k, 1), b = Spread(k * n, 2);
  Values c(static_cast<size_t>(m * n)), wanted;
  reference_matmul(a.data(), b.data(), c.data(), m, n, k);
  for (int64_t i = 0; i < m * n; ++i) {
    double sum = 0;
    for (int64_t l = k; l-- > 0;) sum += a[i / n * k + l] * b[l * n + i % n];
    wanted.push_back(sum);
  }
  ExpectNear(c, wanted, 1e-13);
}

TEST(NativeReference, RowSumOfWholeNumbers) {
  const Values x = {1, 2, 3, -4, 5, 6};
  Values y(2);
  reference_row_sum(x.data(), y.data(), 2, 3);
  ExpectNear(y, {6, 7});
}

TEST(NativeReference, LeakyReluKeepsWhatIsNotNegative) {
  const Values x = {-2, -0.5, 0, 3};
  Values y(4);
  reference_leaky_relu(x.data(), 0.25, y.data(), 4);
  ExpectNear(y, {-0.5, -0.125, 0, 3});
}

TEST(NativeReference, Float16TasksHaveTheSameMathematics) {
  const Values x = Spread(kRows * kCols, 3), weight = Spread(kCols, 4);
  Values a(kRows * kCols), b(kRows * kCols);
  reference_softmax(x.data(), a.data(), kRows, kCols);
  reference_softmax_fp16(x.data(), b.data(), kRows, kCols);
  EXPECT_EQ(a, b);
  reference_rmsnorm(x.data(), weight.data(), a.data(), kRows, kCols);
  reference_rmsnorm_fp16(x.data(), weight.data(), b.data(), kRows, kCols);
  EXPECT_EQ(a, b);
}

TEST(NativeTasks, AreTheOnesThatTheProgramPromises) {
  const Result<TaskLibrary> library = TaskLibrary::Open(std::string(KW_SOURCE_DIR) + "/data/tasks");
  ASSERT_TRUE(library) << library.error().ToString();
  const std::vector<std::string> promised = {
      "gelu",    "layernorm",    "leaky_relu", "matmul",       "matmul_fp16", "rmsnorm",
      "row_sum", "rmsnorm_fp16", "softmax",    "silu_and_mul", "softmax_fp16"};
  const std::vector<std::string> names = library->Names();
  for (const std::string& name : promised) {
    EXPECT_NE(std::find(names.begin(), names.end(), name), names.end()) << name;
  }
  for (const std::string& name : names) {
    const Result<Task> task = library->Load(name);
    ASSERT_TRUE(task) << task.error().ToString();
    const DType dtype = name.ends_with("_fp16")   ? DType::kFloat16
                        : name.ends_with("_bf16") ? DType::kBFloat16
                                                  : DType::kFloat32;
    EXPECT_EQ(task->inputs[0].dtype, dtype) << name;
    EXPECT_FALSE(task->reference_cpp.empty()) << name;
    EXPECT_FALSE(task->cost_flops.empty()) << name;
    EXPECT_FALSE(task->cost_bytes.empty()) << name;
    EXPECT_GE(task->workloads.size(), 2u) << name;
    for (const Axis& axis : task->axes) {
      EXPECT_EQ(axis.is_var, !axis.sizes.empty()) << name << " " << axis.name;
    }
  }
}

// An emulator must run a baseline over the workloads in well under a second.
TEST(NativeTasks, WorkloadsAreSmallEnoughToEmulate) {
  const Result<TaskLibrary> library = TaskLibrary::Open(std::string(KW_SOURCE_DIR) + "/data/tasks");
  ASSERT_TRUE(library);
  for (const std::string& name : library->Names()) {
    const Result<Task> task = library->Load(name);
    ASSERT_TRUE(task);
    for (const Workload& workload : task->workloads) {
      const auto axes = task->AllAxes(workload.axes);
      ASSERT_TRUE(axes);
      for (const Tensor& tensor : task->inputs) {
        EXPECT_LE(ElementCount(tensor, *axes).value(), 1100000) << name;
      }
      EXPECT_LE(EvaluateExpression(task->cost_flops, *axes).value(), 40e6) << name;
    }
  }
}

}  // namespace
}  // namespace kw::eval
