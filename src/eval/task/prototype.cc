#include <algorithm>
#include <array>
#include <set>

#include "fmt/core.h"
#include "kw/base/text.h"
#include "parse.h"

namespace kw::eval {
namespace {

// Words that cannot name a parameter in C++17 or CUDA, and the function's own name.
constexpr auto kReserved = std::to_array<std::string_view>({
    "alignas",
    "alignof",
    "and",
    "and_eq",
    "asm",
    "auto",
    "bitand",
    "bitor",
    "bool",
    "break",
    "case",
    "catch",
    "char",
    "char16_t",
    "char32_t",
    "class",
    "compl",
    "const",
    "const_cast",
    "constexpr",
    "continue",
    "decltype",
    "default",
    "delete",
    "do",
    "double",
    "dynamic_cast",
    "else",
    "enum",
    "explicit",
    "export",
    "extern",
    "false",
    "float",
    "for",
    "friend",
    "goto",
    "if",
    "inline",
    "int",
    "int16_t",
    "int32_t",
    "int64_t",
    "int8_t",
    "long",
    "mutable",
    "namespace",
    "new",
    "noexcept",
    "not",
    "not_eq",
    "nullptr",
    "operator",
    "or",
    "or_eq",
    "private",
    "protected",
    "public",
    "reference",
    "register",
    "reinterpret_cast",
    "return",
    "run",
    "short",
    "signed",
    "sizeof",
    "static",
    "static_assert",
    "static_cast",
    "struct",
    "switch",
    "template",
    "this",
    "thread_local",
    "throw",
    "true",
    "try",
    "typedef",
    "typeid",
    "typename",
    "uint8_t",
    "union",
    "unsigned",
    "using",
    "virtual",
    "void",
    "volatile",
    "wchar_t",
    "while",
    "xor",
    "xor_eq",
});

// What a dtype is called on the two sides.
struct Spelling {
  std::string (*pointee)(DType);
  std::string (*value)(DType);
};

std::string HostType(DType dtype) { return IsFloat(dtype) ? "double" : "int64_t"; }
std::string HostScalar(DType dtype) {
  if (dtype == DType::kBool) return "bool";
  return HostType(dtype);
}
constexpr Spelling kCandidate = {[](DType dtype) { return std::string(DeviceTypeName(dtype)); },
                                 [](DType dtype) { return std::string(ScalarTypeName(dtype)); }};
constexpr Spelling kReference = {HostType, HostScalar};

class ParameterList {
 public:
  void Add(Parameter::Role role, const std::string& name, DType dtype, std::string type) {
    std::string unique = name;
    while (std::find(kReserved.begin(), kReserved.end(), unique) != kReserved.end() ||
           !taken_.insert(unique).second) {
      unique += '_';
    }
    parameters_.push_back({role, std::move(unique), dtype, std::move(type)});
  }
  std::vector<Parameter> Take() { return std::move(parameters_); }

 private:
  std::set<std::string> taken_;
  std::vector<Parameter> parameters_;
};

void AddAll(const Task& task, const Spelling& spelling, ParameterList& list) {
  using Role = Parameter::Role;
  for (const Tensor& input : task.inputs) {
    if (input.is_scalar) {
      list.Add(Role::kScalar, input.name, input.dtype, spelling.value(input.dtype));
    } else {
      list.Add(Role::kInput, input.name, input.dtype,
               "const " + spelling.pointee(input.dtype) + "*");
    }
  }
  for (const Tensor& output : task.outputs) {
    list.Add(Role::kOutput, output.name, output.dtype, spelling.pointee(output.dtype) + "*");
  }
  for (const Axis& axis : task.axes) {
    if (axis.is_var) list.Add(Role::kAxis, axis.name, DType::kInt64, "int64_t");
  }
}

std::string Declaration(std::string_view function, const std::vector<Parameter>& parameters) {
  std::vector<std::string> spelled;
  for (const Parameter& parameter : parameters) {
    spelled.push_back(parameter.type + " " + parameter.name);
  }
  return fmt::format("extern \"C\" void {}({})", function, Join(spelled, ", "));
}

}  // namespace

std::vector<Parameter> CandidateParameters(const Task& task) {
  ParameterList list;
  AddAll(task, kCandidate, list);
  list.Add(Parameter::Role::kStream, "stream", DType::kInt64, "cudaStream_t");
  return list.Take();
}

std::vector<Parameter> ReferenceParameters(const Task& task) {
  ParameterList list;
  AddAll(task, kReference, list);
  return list.Take();
}

std::string Prototype(const Task& task) { return Declaration("run", CandidateParameters(task)); }

std::string ReferencePrototype(const Task& task) {
  return Declaration("reference", ReferenceParameters(task));
}

}  // namespace kw::eval
