#include <array>
#include <cmath>
#include <string>

#include "fmt/core.h"
#include "parse.h"

namespace kw::eval {
namespace {

struct DTypeTraits {
  DType dtype;
  std::string_view name;
  int bytes;
  bool is_float;
  std::string_view device;
  std::string_view scalar;
  double lowest, highest;  // integers of 64 bits: what a double holds exactly
  Tolerance tolerance;
};

constexpr double kExactInteger = 9007199254740992.0;

// The tolerances are a few units of the dtype's rounding for results of ordinary size; a task with
// long sums states its own.
constexpr std::array<DTypeTraits, 12> kTraits = {{
    {DType::kFloat64,
     "float64",
     8,
     true,
     "double",
     "double",
     -1.7976931348623157e308,
     1.7976931348623157e308,
     {1e-10, 1e-10}},
    {DType::kFloat32,
     "float32",
     4,
     true,
     "float",
     "float",
     -3.4028234663852886e38,
     3.4028234663852886e38,
     {1e-5, 1e-5}},
    {DType::kFloat16, "float16", 2, true, "__half", "float", -65504, 65504, {1e-3, 2e-3}},
    {DType::kBFloat16,
     "bfloat16",
     2,
     true,
     "__nv_bfloat16",
     "float",
     -3.3895313892515355e38,
     3.3895313892515355e38,
     {8e-3, 1.6e-2}},
    {DType::kFloat8E4M3,
     "float8_e4m3fn",
     1,
     true,
     "__nv_fp8_e4m3",
     "float",
     -448,
     448,
     {6.25e-2, 0.125}},
    {DType::kFloat8E5M2,
     "float8_e5m2",
     1,
     true,
     "__nv_fp8_e5m2",
     "float",
     -57344,
     57344,
     {0.125, 0.25}},
    {DType::kInt64, "int64", 8, false, "int64_t", "int64_t", -kExactInteger, kExactInteger, {}},
    {DType::kInt32, "int32", 4, false, "int32_t", "int32_t", -2147483648.0, 2147483647.0, {}},
    {DType::kInt16, "int16", 2, false, "int16_t", "int16_t", -32768, 32767, {}},
    {DType::kInt8, "int8", 1, false, "int8_t", "int8_t", -128, 127, {}},
    {DType::kUInt8, "uint8", 1, false, "uint8_t", "uint8_t", 0, 255, {}},
    {DType::kBool, "bool", 1, false, "bool", "bool", 0, 1, {}},
}};

const DTypeTraits& Traits(DType dtype) {
  const auto index = static_cast<size_t>(dtype);
  KW_CHECK(index < kTraits.size() && kTraits[index].dtype == dtype, "dtype out of its enum");
  return kTraits[index];
}

}  // namespace

std::string_view DTypeName(DType dtype) { return Traits(dtype).name; }
int DTypeBytes(DType dtype) { return Traits(dtype).bytes; }
bool IsFloat(DType dtype) { return Traits(dtype).is_float; }
std::string_view DeviceTypeName(DType dtype) { return Traits(dtype).device; }
std::string_view ScalarTypeName(DType dtype) { return Traits(dtype).scalar; }
Tolerance DefaultTolerance(DType dtype) { return Traits(dtype).tolerance; }
double LowestValue(DType dtype) { return Traits(dtype).lowest; }
double HighestValue(DType dtype) { return Traits(dtype).highest; }

std::optional<DType> DTypeFromName(std::string_view name) {
  // The name that FlashInfer-Trace gave this type before its version 0.1.
  if (name == "float8_e4m3") return DType::kFloat8E4M3;
  for (const DTypeTraits& traits : kTraits) {
    if (traits.name == name) return traits.dtype;
  }
  return std::nullopt;
}

Result<void> CheckValue(DType dtype, double value, std::string_view where) {
  const DTypeTraits& traits = Traits(dtype);
  if (!std::isfinite(value)) {
    return Fail(ErrorCode::kInvalid, fmt::format("{}: {} is not a finite number", where, value));
  }
  if (value < traits.lowest || value > traits.highest) {
    return Fail(ErrorCode::kInvalid,
                fmt::format("{}: {} is beyond {}, which holds {} to {}", where, value, traits.name,
                            traits.lowest, traits.highest));
  }
  if (!traits.is_float && value != std::floor(value)) {
    return Fail(ErrorCode::kInvalid, fmt::format("{}: {} is no integer, and the dtype is {}", where,
                                                 value, traits.name));
  }
  return {};
}

}  // namespace kw::eval
