// What library calls are modelled to take, by the counters that stand for them.
#include <gtest/gtest.h>

#include "device_sheets.h"
#include "kw/eval/blas.h"
#include "kw/eval/timing.h"
#include "src/eval/emulator/blas.h"

namespace kw::eval {
namespace {

BlasCall Product(BlasType type, BlasMath math, int64_t m, int64_t n, int64_t k) {
  BlasCall call{.function = "cublasGemmEx", .m = m, .n = n, .k = k, .math = math};
  const auto shape = [&](BlasMatrix& matrix, int64_t rows, int64_t columns) {
    matrix.type = type;
    matrix.rows = rows;
    matrix.columns = columns;
  };
  shape(call.a, m, k);
  shape(call.b, k, n);
  shape(call.c, m, n);
  return call;
}

double BodyUs(const DeviceSheet& sheet, const BlasCall& call) {
  BlasOutcome planned;
  emu::PlanBlas(call, sheet, &planned);
  double bytes = 0;
  for (const BlasMatrix* matrix : {&call.a, &call.b, &call.c}) {
    bytes += static_cast<double>(matrix->rows * matrix->columns) *
             static_cast<double>(BytesOf(matrix->type));
  }
  planned.counters.dram_sectors = static_cast<uint64_t>(bytes / 32);
  const LaunchRecord launch{"cublasGemmEx", planned.grid, planned.block, planned.dynamic_shared,
                            planned.counters};
  return ModelLaunch(sheet, launch, {}).us - sheet.launch_us;
}

double Tflops(const DeviceSheet& sheet, BlasType type, BlasMath math, int64_t size) {
  const auto n = static_cast<double>(size);
  return 2 * n * n * n / BodyUs(sheet, Product(type, math, size, size, size)) / 1e6;
}

TEST(BlasCost, LargeProductsComeNearThePeakOfTheirPipeAndNeverAboveIt) {
  for (const DeviceSheet& sheet : {A100(), T4(), H100()}) {
    const double f32 = Tflops(sheet, BlasType::kF32, BlasMath::kF32, 8192);
    EXPECT_GT(f32, 0.45 * sheet.fp32_tflops) << sheet.name;
    EXPECT_LT(f32, sheet.fp32_tflops) << sheet.name;
    const double f16 = Tflops(sheet, BlasType::kF16, BlasMath::kF32, 8192);
    EXPECT_GT(f16, 0.3 * sheet.tensor_fp16_tflops) << sheet.name;
    EXPECT_LT(f16, sheet.tensor_fp16_tflops) << sheet.name;
    const double f64 = Tflops(sheet, BlasType::kF64, BlasMath::kF64, 8192);
    EXPECT_GT(f64, 0.5 * sheet.fp64_tflops) << sheet.name;
    EXPECT_LT(f64, 2 * sheet.fp64_tflops) << sheet.name;
  }
}

TEST(BlasCost, NarrowerTypesAreFaster) {
  const auto us = [](BlasType type, BlasMath math) {
    return BodyUs(A100(), Product(type, math, 2048, 2048, 2048));
  };
  const double f64 = us(BlasType::kF64, BlasMath::kF64), f32 = us(BlasType::kF32, BlasMath::kF32),
               tf32 = us(BlasType::kF32, BlasMath::kTf32), f16 = us(BlasType::kF16, BlasMath::kF32);
  EXPECT_LT(f16, tf32);
  EXPECT_LT(tf32, f32);
  EXPECT_LE(f32, f64 * 1.2);
  // Where there is no tf32, such a call is one of float32.
  EXPECT_EQ(BodyUs(T4(), Product(BlasType::kF32, BlasMath::kTf32, 512, 512, 512)),
            BodyUs(T4(), Product(BlasType::kF32, BlasMath::kF32, 512, 512, 512)));
}

TEST(BlasCost, MoreWorkTakesLongerAtAnyShape) {
  for (const DeviceSheet& sheet : {A100(), T4()}) {
    double before = 0;
    for (int64_t size = 32; size <= 8192; size *= 2) {
      const double us = BodyUs(sheet, Product(BlasType::kF32, BlasMath::kF32, size, size, size));
      EXPECT_GT(us, before) << sheet.name << " " << size;
      before = us;
    }
  }
}

TEST(BlasCost, AMatrixAndAVectorTakeWhatTheirBytesTake) {
  const double us = BodyUs(A100(), Product(BlasType::kF32, BlasMath::kF32, 8192, 1, 8192));
  EXPECT_NEAR(us, 8192.0 * 8192 * 4 / (2039e3 * 0.92), 0.3 * us);
}

}  // namespace
}  // namespace kw::eval
