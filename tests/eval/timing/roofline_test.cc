#include <gtest/gtest.h>

#include "eval/timing/device_sheets.h"
#include "kw/eval/timing.h"

namespace kw::eval {
namespace {

Task Rowwise(const std::string& flops, const std::string& bytes, DType dtype = DType::kFloat32) {
  Task task;
  task.name = "t";
  task.cost_flops = flops;
  task.cost_bytes = bytes;
  Tensor x;
  x.name = "x";
  x.dtype = dtype;
  x.shape = {"n"};
  task.inputs = {x};
  task.outputs = {x};
  task.tolerance[DType::kFloat32] = {1e-5, 1e-5};
  return task;
}

double Us(const Task& task, int64_t n) { return **RooflineUs(task, A100(), {{"n", n}}); }

TEST(Roofline, IsNothingWithoutACost) {
  EXPECT_FALSE(RooflineUs(Rowwise("", ""), A100(), {{"n", 1}})->has_value());
}

TEST(Roofline, TakesDramBeyondL2AndL2WithinIt) {
  const Task task = Rowwise("", "8*n");
  EXPECT_NEAR(Us(task, 1 << 28), 0.9 * 8.0 * (1 << 28) / 2039e3, 1e-6);
  EXPECT_NEAR(Us(task, 1 << 20), 0.9 * 8.0 * (1 << 20) / 5120e3, 1e-9);
}

TEST(Roofline, TakesTheLargerOfTrafficAndArithmetic) {
  EXPECT_GT(Us(Rowwise("1e6*n", "8*n"), 1 << 20), Us(Rowwise("5*n", "8*n"), 1 << 20));
  EXPECT_EQ(Us(Rowwise("5*n", "8*n"), 1 << 20), Us(Rowwise("", "8*n"), 1 << 20));
}

TEST(Roofline, AdmitsTheUnitThatThePrecisionAdmits) {
  Task exact = Rowwise("n", ""), loose = exact, looser = exact;
  loose.tolerance[DType::kFloat32] = {1e-3, 0};
  looser.tolerance[DType::kFloat32] = {0, 1e-2};
  const double flops = 1e9;
  EXPECT_NEAR(Us(exact, 1'000'000'000), 0.9 * flops / 52e6, 1e-6);
  EXPECT_NEAR(Us(loose, 1'000'000'000), 0.9 * flops / 156e6, 1e-6);
  EXPECT_NEAR(Us(looser, 1'000'000'000), 0.9 * flops / 312e6, 1e-6);
  EXPECT_NEAR(Us(Rowwise("n", "", DType::kFloat16), 1'000'000'000), 0.9 * flops / 312e6, 1e-6);
}

TEST(Roofline, RefusesACostThatIsNoNumber) {
  EXPECT_FALSE(RooflineUs(Rowwise("n/0", ""), A100(), {{"n", 4}}));
  EXPECT_FALSE(RooflineUs(Rowwise("nonsense*n", ""), A100(), {{"n", 4}}));
  EXPECT_FALSE(RooflineUs(Rowwise("0-n", "0-n"), A100(), {{"n", 4}})->has_value());
}

}  // namespace
}  // namespace kw::eval
