// The tensors of one call as .npy files (format 1.0 of numpy/lib/format.py's description).
#include <fmt/format.h>

#include <cstring>

#include "kw/base/file.h"
#include "kw/base/text.h"
#include "kw/eval/oracle.h"
#include "value_types.h"

namespace kw::eval {
namespace {

// numpy's name of a dtype, or "" where it has none.
std::string_view NumpyType(DType dtype) {
  switch (dtype) {
    case DType::kFloat64:
      return "<f8";
    case DType::kFloat32:
      return "<f4";
    case DType::kFloat16:
      return "<f2";
    case DType::kInt64:
      return "<i8";
    case DType::kInt32:
      return "<i4";
    case DType::kInt16:
      return "<i2";
    case DType::kInt8:
      return "|i1";
    case DType::kUInt8:
      return "|u1";
    case DType::kBool:
      return "|b1";
    case DType::kBFloat16:
    case DType::kFloat8E4M3:
    case DType::kFloat8E5M2:
      return "";
  }
  return "";
}

std::string Npy(std::string_view type, const std::vector<int64_t>& shape, std::string_view bytes) {
  std::string sizes;
  for (const int64_t size : shape) sizes += fmt::format("{},", size);
  std::string header =
      fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}), }}", type, sizes);
  constexpr size_t kPrefix = 10, kAlignment = 64;
  header.append(kAlignment - (kPrefix + header.size() + 1) % kAlignment, ' ');
  header += '\n';
  std::string file("\x93NUMPY\x01\x00", 8);
  file += static_cast<char>(header.size() & 0xff);
  file += static_cast<char>(header.size() >> 8);
  return file + header + std::string(bytes);
}

template <class T>
std::string_view RawBytes(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

// A tensor as it is; what numpy has no type for is widened to float32, which holds it exactly.
std::string TensorNpy(DType dtype, const std::vector<int64_t>& shape, std::string_view bytes) {
  const std::string_view type = NumpyType(dtype);
  if (!type.empty()) return Npy(type, shape, bytes);
  std::vector<float> widened;
  for (const double value : WidenFloats(dtype, bytes)) {
    widened.push_back(static_cast<float>(value));
  }
  return Npy("<f4", shape, RawBytes(widened));
}

class Dumper {
 public:
  Dumper(const Task& task, const Case& c, std::string folder)
      : task_(task), case_(c), folder_(std::move(folder)) {}

  Result<void> Run(const CaseInputs& inputs, const CallOutcome& outcome, Reference& reference) {
    KW_TRY(MakeDirectories(folder_));
    KW_ASSIGN(axes_, task_.AllAxes(case_.axes));
    for (size_t i = 0; i < task_.inputs.size(); ++i) {
      const Tensor& input = task_.inputs[i];
      std::string bytes = inputs.tensors[i];
      if (input.is_scalar) AppendRounded(input.dtype, case_.scalars.at(input.name), bytes);
      KW_TRY(Write("input", input, TensorNpy(input.dtype, ShapeOf(input), bytes)));
    }
    KW_ASSIGN(const auto expected, reference.Evaluate(task_, case_));
    for (size_t i = 0; i < task_.outputs.size(); ++i) {
      const bool came = i < outcome.outputs.size() && !outcome.outputs[i].empty();
      KW_TRY(WriteOutput(i, *expected, came ? &outcome.outputs[i] : nullptr));
    }
    return {};
  }

 private:
  std::vector<int64_t> ShapeOf(const Tensor& tensor) const {
    std::vector<int64_t> shape;
    for (const std::string& axis : tensor.shape) shape.push_back(axes_.at(axis));
    return shape;
  }
  Result<void> Write(std::string_view what, const Tensor& tensor, const std::string& npy) const {
    return WriteFileAtomic(fmt::format("{}/{}_{}.npy", folder_, what, tensor.name), npy);
  }

  Result<void> WriteOutput(size_t i, const Expected& expected, const std::string* got) const {
    const Tensor& output = task_.outputs[i];
    const std::vector<int64_t> shape = ShapeOf(output);
    if (got != nullptr) KW_TRY(Write("output", output, TensorNpy(output.dtype, shape, *got)));
    const auto write = [&](std::string_view type, const auto& wanted, auto widen) -> Result<void> {
      KW_TRY(Write("expected", output, Npy(type, shape, RawBytes(wanted))));
      if (got == nullptr) return {};
      auto error = widen(output.dtype, *got);
      for (size_t k = 0; k < error.size(); ++k) error[k] -= wanted[k];
      return Write("error", output, Npy(type, shape, RawBytes(error)));
    };
    return IsFloat(output.dtype) ? write("<f8", expected.floats[i], WidenFloats)
                                 : write("<i8", expected.integers[i], WidenIntegers);
  }

  const Task& task_;
  const Case& case_;
  const std::string folder_;
  std::map<std::string, int64_t> axes_;
};

}  // namespace

Result<void> DumpCall(const Task& task, const Case& c, const CaseInputs& inputs,
                      const CallOutcome& outcome, Reference& reference, const std::string& folder) {
  return Dumper(task, c, folder).Run(inputs, outcome, reference);
}

}  // namespace kw::eval
