#include "calibrate_source.h"

#include <fmt/format.h>

#include <algorithm>

#include "kw/base/file.h"
#include "kw/base/hash.h"
#include "kw/base/text.h"

namespace kw::eval {
namespace {

// What a reference may use of the standard library has to be seen before `double` is replaced: its
// own list, and this one for what it gets by way of others.
constexpr std::string_view kHeaders[] = {"algorithm", "array",   "cfloat",  "climits", "cmath",
                                         "cstddef",   "cstdint", "cstdlib", "cstring", "functional",
                                         "limits",    "numeric", "utility", "vector"};
// Elsewhere than a reference's own, so that no line of it is quoted for a message about another.
constexpr std::string_view kSourceName = "the task's reference.cpp";

const Tensor* First16Bit(const std::vector<Tensor>& tensors) {
  for (const Tensor& tensor : tensors) {
    if (IsFloat(tensor.dtype) && DTypeBytes(tensor.dtype) == 2) return &tensor;
  }
  return nullptr;
}

bool WorksInDouble(const Task& task) {
  return std::any_of(task.outputs.begin(), task.outputs.end(),
                     [](const Tensor& output) { return output.dtype == DType::kFloat64; });
}

// "#include <...>" lines of a source.
std::string IncludesOf(std::string_view source) {
  std::string includes;
  for (const std::string_view line : Lines(source)) {
    std::string_view rest = Trim(line);
    if (!rest.starts_with('#')) continue;
    rest = Trim(rest.substr(1));
    if (rest.starts_with("include")) includes += fmt::format("#{}\n", rest);
  }
  return includes;
}

// The number of a tensor's elements as an expression over the parameters of `reference`.
std::string CountText(const Task& task, const Tensor& tensor,
                      const std::map<std::string, std::string>& axis_names) {
  std::string text = "int64_t{1}";
  for (const std::string& name : tensor.shape) {
    const Axis* axis = task.FindAxis(name);
    text +=
        axis->is_var ? " * " + axis_names.at(name) : fmt::format(" * int64_t{{{}}}", axis->value);
  }
  return text;
}

// What a wrapper is written from: the parameters of `reference`, with their tensors' sizes.
struct WrappedArgument {
  Parameter parameter;
  bool is_float = false;
  std::string count;  // of a tensor's elements
};
std::vector<WrappedArgument> WrappedArguments(const Task& task) {
  std::vector<WrappedArgument> arguments;
  std::map<std::string, std::string> axis_names;
  std::vector<const Tensor*> tensors;
  for (const Tensor& input : task.inputs) tensors.push_back(&input);
  for (const Tensor& output : task.outputs) tensors.push_back(&output);
  std::vector<std::string> axes;
  for (const Axis& axis : task.axes) {
    if (axis.is_var) axes.push_back(axis.name);
  }
  size_t axis = 0;
  const std::vector<Parameter> parameters = ReferenceParameters(task);
  for (const Parameter& parameter : parameters) {
    if (parameter.role == Parameter::Role::kAxis) axis_names[axes[axis++]] = parameter.name;
  }
  for (size_t i = 0; i < parameters.size(); ++i) {
    WrappedArgument& argument = arguments.emplace_back();
    argument.parameter = parameters[i];
    if (i >= tensors.size()) continue;
    argument.is_float = IsFloat(tensors[i]->dtype);
    argument.count = CountText(task, *tensors[i], axis_names);
  }
  return arguments;
}

std::string PrototypeText(const std::vector<WrappedArgument>& arguments) {
  std::vector<std::string> parameters;
  for (const WrappedArgument& argument : arguments) {
    parameters.push_back(argument.parameter.type + " " + argument.parameter.name);
  }
  return fmt::format("extern \"C\" void reference({})", Join(parameters, ", "));
}

Task WithVariantAxis(const Task& task, std::string_view kind) {
  Task variant = task;
  variant.hash += fmt::format("/{}", kind);
  Axis axis;
  axis.name = kVariantAxis;
  axis.is_var = true;
  variant.axes.push_back(axis);
  return variant;
}

std::string OrderName(CalibrationMember::Order order) {
  switch (order) {
    case CalibrationMember::Order::kSequential:
      return "kSequential";
    case CalibrationMember::Order::kPairwise:
      return "kPairwise";
    case CalibrationMember::Order::kKahan:
      return "kKahan";
  }
  return "";
}

std::string MemberText(const CalibrationMember& member) {
  std::string narrow = "0, 0, 0";
  if (member.narrow == DType::kFloat16) narrow = "10, -14, 65504";
  if (member.narrow == DType::kBFloat16) narrow = "7, -126, 0x1.fep127";
  return fmt::format("      {{kw_calibration::Order::{}, {}, {}, {}, {}, {}}},\n",
                     OrderName(member.order), member.fused, member.math_ulps, member.fast, narrow,
                     member.narrow_factors);
}

// Converts at the boundary: the oracle's buffers hold doubles, the reference takes numbers. The
// argument at `overflows` is not the reference's: it takes how many there were.
std::string MemberWrapper(const std::vector<WrappedArgument>& arguments, size_t overflows,
                          const std::vector<CalibrationMember>& members) {
  std::string before, call, after;
  const std::string& variant = arguments.back().parameter.name;
  for (size_t i = 0; i + 1 < arguments.size(); ++i) {
    const auto& [parameter, is_float, count] = arguments[i];
    if (i == overflows) {
      before += "  kw_calibration::overflows = 0;\n";
      after += fmt::format("  *{} = kw_calibration::overflows;\n", parameter.name);
      continue;
    }
    std::string passed = parameter.name;
    const std::string copy = fmt::format("kw_calibration_{}", i);
    if (is_float && parameter.role == Parameter::Role::kInput) {
      before += fmt::format("  std::vector<kw_calibration::Number> {}({}, {} + {});\n", copy,
                            parameter.name, parameter.name, count);
      passed = copy + ".data()";
    } else if (is_float && parameter.role == Parameter::Role::kOutput) {
      before += fmt::format(
          "  std::vector<kw_calibration::Number> {}(static_cast<size_t>({}),\n"
          "      std::numeric_limits<kw_calibration::Number>::quiet_NaN());\n",
          copy, count);
      after += fmt::format("  for (const kw_calibration::Number& x : {}) *{}++ = x.Read();\n", copy,
                           parameter.name);
      passed = copy + ".data()";
    }
    call += (call.empty() ? "" : ", ") + passed;
  }
  std::string table;
  for (const CalibrationMember& member : members) table += MemberText(member);
  return fmt::format(
      "{} {{\n  static const kw_calibration::Member members[] = {{\n{}  }};\n"
      "  kw_calibration::member = members[{} - 1];\n{}  kw_calibration_reference({});\n{}}}\n",
      PrototypeText(arguments), table, variant, before, call, after);
}

std::string FilledWrapper(const std::vector<WrappedArgument>& arguments) {
  std::string fill, call;
  for (size_t i = 0; i + 1 < arguments.size(); ++i) {
    const auto& [parameter, is_float, count] = arguments[i];
    call += (call.empty() ? "" : ", ") + parameter.name;
    if (parameter.role != Parameter::Role::kOutput) continue;
    fill += fmt::format("    for (int64_t i = 0; i < {}; ++i) {}[i] = {};\n", count, parameter.name,
                        is_float ? "1234567.0" : "1234567");
  }
  return fmt::format("{} {{\n  if ({} != 1) {{\n{}  }}\n  kw_calibration_reference({});\n}}\n",
                     PrototypeText(arguments), arguments.back().parameter.name, fill, call);
}

CalibrationMember MemberOf(std::string name, CalibrationMember::Order order, bool fused) {
  CalibrationMember member;
  member.name = std::move(name);
  member.order = order;
  member.fused = fused;
  return member;
}

}  // namespace

Result<Alternatives> ReadAlternatives(const Task& task) {
  constexpr std::string_view kPrefix = "alternative_", kSuffix = ".cpp";
  constexpr size_t kMost = 8, kLongestName = 10;
  Alternatives found;
  if (!IsDirectory(task.folder)) return found;
  KW_ASSIGN(const std::vector<std::string> files, ListDirectory(task.folder));
  for (const std::string& file : files) {
    if (!file.starts_with(kPrefix) || !file.ends_with(kSuffix)) continue;
    const auto fault = [&](const std::string& what) {
      return Fail(ErrorCode::kInvalid, fmt::format("{}/{}: {}", task.folder, file, what));
    };
    const std::string name =
        file.substr(kPrefix.size(), file.size() - kPrefix.size() - kSuffix.size());
    if (name.empty() || name.size() > kLongestName) {
      return fault(
          fmt::format("alternative_NAME.cpp has a NAME of 1 to {} characters", kLongestName));
    }
    KW_ASSIGN(found[name], ReadFile(task.folder + "/" + file, 4 << 20));
    if (Trim(found[name]).empty()) return fault("is empty");
    if (found.size() > kMost) return fault(fmt::format("at most {} alternatives", kMost));
  }
  return found;
}

std::vector<CalibrationMember> MembersOf(const Task& task, const Alternatives& alternatives) {
  using Order = CalibrationMember::Order;
  constexpr int kMathUlps = 2;  // what CUDA's library states for most functions
  std::vector<CalibrationMember> members = {
      MemberOf("seq", Order::kSequential, false),    MemberOf("seq+fma", Order::kSequential, true),
      MemberOf("pair", Order::kPairwise, false),     MemberOf("pair+fma", Order::kPairwise, true),
      MemberOf("kahan", Order::kKahan, false),       MemberOf("kahan+fma", Order::kKahan, true),
      MemberOf("math2ulp", Order::kSequential, true)};
  members.back().math_ulps = kMathUlps;
  members.push_back(MemberOf("fast", Order::kSequential, true));
  members.back().math_ulps = kMathUlps;
  members.back().fast = true;
  if (const Tensor* operand = First16Bit(task.inputs); operand != nullptr) {
    members.push_back(MemberOf("mma", Order::kSequential, true));
    members.back().narrow = operand->dtype;
    members.back().narrow_factors = true;
  }
  const Tensor* narrow = First16Bit(task.outputs);
  if (narrow == nullptr) narrow = First16Bit(task.inputs);
  if (narrow != nullptr) {
    CalibrationMember half = MemberOf("half", Order::kSequential, false);
    half.narrow = narrow->dtype;
    half.counts = task.half_accumulators;
    members.push_back(std::move(half));
  }
  for (const auto& [name, source] : alternatives) {
    members.push_back(MemberOf(name, Order::kSequential, true));
    members.back().math_ulps = kMathUlps;
    members.back().source = source;
  }
  return members;
}

Task AlternativeTask(const Task& task, const std::string& source) {
  Task other = task;
  if (source.empty()) return other;
  other.hash += "/" + ContentHash(source);
  other.reference_cpp = source;
  return other;
}

Task MemberTask(const Task& reference_task, const std::string& alternative,
                const std::vector<CalibrationMember>& members) {
  const Task task = AlternativeTask(reference_task, alternative);
  Task variant = WithVariantAxis(task, "members");
  Tensor overflowed;
  overflowed.name = "kwright_overflows";
  overflowed.dtype = DType::kInt64;
  variant.outputs.push_back(overflowed);
  std::string source;
  for (const std::string_view header : kHeaders) source += fmt::format("#include <{}>\n", header);
  source += IncludesOf(task.reference_cpp);
  if (WorksInDouble(task)) source += "#define KW_CALIBRATE_DOUBLE\n";
  source += kCalibrateNumberText;
  source += fmt::format(
      "#define double kw_calibration::Number\n#define reference kw_calibration_reference\n"
      "#line 1 \"{}\"\n{}\n#undef double\n#undef reference\n#line 1 \"the ensemble\"\n",
      kSourceName, task.reference_cpp);
  const size_t overflows = variant.inputs.size() + variant.outputs.size() - 1;
  variant.reference_cpp = source + MemberWrapper(WrappedArguments(variant), overflows, members);
  return variant;
}

Task FilledTask(const Task& task) {
  Task variant = WithVariantAxis(task, "filled");
  variant.reference_cpp = fmt::format(
      "#include <cstdint>\n{}#define reference kw_calibration_reference\n#line 1 \"{}\"\n{}\n"
      "#undef reference\n",
      IncludesOf(task.reference_cpp), kSourceName, task.reference_cpp);
  variant.reference_cpp += FilledWrapper(WrappedArguments(variant));
  return variant;
}

Case VariantCase(Case c, size_t variant) {
  c.axes[kVariantAxis] = static_cast<int64_t>(variant) + 1;  // no axis has size 0
  return c;
}

}  // namespace kw::eval
