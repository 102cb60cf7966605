#include <algorithm>
#include <cmath>

#include "kw/eval/timing.h"

namespace kw::eval {
namespace {

constexpr double kMargin = 0.9;

// The rate of the fastest unit that gives float32 results within a tolerance. Products split into
// three tf32 ones are as exact as float32 (Markidis et al. 2018, Ootomo and Yokota 2022).
double Float32Tflops(const Task& task, const DeviceSheet& sheet) {
  double tolerance = 0;
  if (const auto it = task.tolerance.find(DType::kFloat32); it != task.tolerance.end()) {
    tolerance = std::max(it->second.absolute, it->second.relative);
  }
  if (tolerance >= 4e-3) return std::max(sheet.fp32_tflops, sheet.tensor_fp16_tflops);
  if (tolerance >= 4e-4) return std::max(sheet.fp32_tflops, sheet.tensor_tf32_tflops);
  return std::max(sheet.fp32_tflops, sheet.tensor_tf32_tflops / 3);
}

double Tflops(DType dtype, const Task& task, const DeviceSheet& sheet) {
  const double half = std::max(sheet.fp16_tflops, sheet.tensor_fp16_tflops);
  switch (dtype) {
    case DType::kFloat64:
      // The tensor cores of A100, H100 and B200 double the rate of float64.
      return sheet.fp64_tflops * (sheet.sm == 80 || sheet.sm == 90 ? 2 : 1);
    case DType::kFloat32:
      return Float32Tflops(task, sheet);
    case DType::kFloat16:
    case DType::kBFloat16:
      return half;
    case DType::kFloat8E4M3:
    case DType::kFloat8E5M2:
      return half * (sheet.sm >= 89 ? 2 : 1);
    default:
      return half * 2;
  }
}

}  // namespace

Result<std::optional<double>> RooflineUs(const Task& task, const DeviceSheet& sheet,
                                         const std::map<std::string, int64_t>& axes) {
  double us = 0;
  if (!task.cost_bytes.empty()) {
    KW_ASSIGN(const double bytes, EvaluateExpression(task.cost_bytes, axes));
    const bool in_l2 = bytes <= static_cast<double>(sheet.l2_bytes);
    const double gbps = in_l2 ? std::max(sheet.l2_gbps, sheet.dram_gbps) : sheet.dram_gbps;
    if (gbps > 0) us = std::max(us, bytes / (gbps * 1e3));
  }
  if (!task.cost_flops.empty()) {
    KW_ASSIGN(const double flops, EvaluateExpression(task.cost_flops, axes));
    double tflops = 0;
    for (const Tensor& input : task.inputs) {
      if (!input.is_scalar) tflops = std::max(tflops, Tflops(input.dtype, task, sheet));
    }
    for (const Tensor& output : task.outputs) {
      if (tflops == 0) tflops = Tflops(output.dtype, task, sheet);
    }
    if (tflops > 0) us = std::max(us, flops / (tflops * 1e6));
  }
  if (!std::isfinite(us) || us < 0) {
    return Fail(ErrorCode::kInvalid,
                "task.toml: [cost] gives no finite positive number for task " + task.name);
  }
  if (us == 0) return std::optional<double>();
  return std::optional<double>(us * kMargin);
}

}  // namespace kw::eval
