// task.toml: see docs/formats/task.md for its keys.
#include <algorithm>
#include <cmath>
#include <set>

#include "fmt/core.h"
#include "kw/base/json.h"
#include "kw/base/text.h"
#include "parse.h"

namespace kw::eval {
namespace {

const std::vector<std::string> kLibraries = {"cublas", "cublaslt", "cudnn",    "cufft",
                                             "curand", "cusolver", "cusparse", "cutlass"};

tl::unexpected<Error> WrongKey(std::string_view where, std::string_view what,
                               ErrorCode code = ErrorCode::kInvalid) {
  return Fail(code, fmt::format("{}: {}", where, what));
}

// A table, or nullptr where there is none.
Result<const Json*> Table(ObjectReader& reader, const std::string& key) {
  const Json* const table = reader.Find(key);
  if (table != nullptr && !table->is_object()) {
    return WrongKey(fmt::format("task.toml: {}", key), "must be a table");
  }
  return table;
}

Result<void> ReadAxis(const Json& json, const std::string& where, Axis& axis) {
  if (!json.is_object()) return WrongKey(where, "must be a table");
  ObjectReader reader(json, where);
  KW_ASSIGN(axis.sizes, reader.Optional<std::vector<int64_t>>("sizes", {}));
  KW_TRY(reader.RejectUnknown());
  if (!axis.is_var) return WrongKey(where, "a const axis has one size, the definition's");
  if (reader.Has("sizes") && axis.sizes.empty()) return WrongKey(where + ".sizes", "is empty");
  if (axis.sizes.size() > kMaxFuzzSizes) {
    return WrongKey(where + ".sizes",
                    fmt::format("holds {} sizes; at most {}", axis.sizes.size(), kMaxFuzzSizes));
  }
  std::set<int64_t> seen;
  for (const int64_t size : axis.sizes) {
    if (size < 1 || size > kMaxAxisSize) {
      return WrongKey(where + ".sizes", fmt::format("{} is not 1 to {}", size, kMaxAxisSize));
    }
    if (!seen.insert(size).second) {
      return WrongKey(where + ".sizes", fmt::format("{} is there twice", size));
    }
  }
  return {};
}

Result<void> ReadRange(ObjectReader& reader, Tensor& input) {
  const std::string where = reader.where() + ".range";
  KW_ASSIGN(const auto bounds, reader.Required<std::vector<double>>("range"));
  if (bounds.size() != 2) return WrongKey(where, "must be two numbers: [lowest, highest]");
  KW_TRY(CheckValue(input.dtype, bounds[0], where));
  KW_TRY(CheckValue(input.dtype, bounds[1], where));
  if (!(bounds[0] < bounds[1])) return WrongKey(where, "the first must be less than the second");
  input.range = {bounds[0], bounds[1]};
  return {};
}

Result<void> ReadValues(const Json& json, const std::string& where, Tensor& input) {
  if (!input.is_scalar) return WrongKey(where, "only a scalar is drawn from values");
  if (!json.is_array() || json.empty()) return WrongKey(where, "must be a list that is not empty");
  for (const Json& value : json) {
    const bool is_bool = value.is_boolean() && input.dtype == DType::kBool;
    if (!is_bool && !value.is_number()) return WrongKey(where, "must be a list of numbers");
    const double number = is_bool ? (value.get<bool>() ? 1.0 : 0.0) : value.get<double>();
    KW_TRY(CheckValue(input.dtype, number, where));
    input.values.push_back(number);
  }
  return {};
}

Result<std::string> RequiredAxis(ObjectReader& reader, const std::string& key, const Task& task,
                                 std::string_view kind) {
  const std::string where = reader.where() + "." + key;
  if (!reader.Has(key)) return WrongKey(where, fmt::format("is needed with kind = \"{}\"", kind));
  KW_ASSIGN(std::string axis, reader.Required<std::string>(key));
  if (task.FindAxis(axis) == nullptr) {
    return WrongKey(where, UnknownName("axis", axis, AxisNames(task)));
  }
  return axis;
}

// kind = "index", "indptr" and "permutation": integers that mean places.
Result<void> ReadPlaces(ObjectReader& reader, const std::string& kind, const Task& task,
                        Tensor& input) {
  if (input.is_scalar)
    return WrongKey(reader.where(), fmt::format("a scalar cannot be an {}", kind));
  if (IsFloat(input.dtype) || input.dtype == DType::kBool) {
    return WrongKey(reader.where(), fmt::format("kind = \"{}\" needs an integer dtype, not {}",
                                                kind, DTypeName(input.dtype)));
  }
  if (kind == "indptr") {
    input.kind = InputKind::kIndptr;
    KW_ASSIGN(input.indptr_total, RequiredAxis(reader, "total", task, kind));
    if (input.shape.size() != 1) return WrongKey(reader.where(), "an indptr has one axis");
    return {};
  }
  input.kind = kind == "index" ? InputKind::kIndex : InputKind::kPermutation;
  KW_ASSIGN(input.index_of, RequiredAxis(reader, "of", task, kind));
  if (input.kind == InputKind::kPermutation &&
      (input.shape.empty() || input.shape.back() != input.index_of)) {
    return WrongKey(reader.where() + ".of", "a permutation's last axis must be the axis permuted");
  }
  return {};
}

Result<void> ReadKind(ObjectReader& reader, const Task& task, Tensor& input) {
  KW_ASSIGN(const std::string kind, reader.Required<std::string>("kind"));
  if (kind == "positive") {
    if (input.is_scalar || input.dtype == DType::kBool) {
      return WrongKey(reader.where() + ".kind", "positive is for tensors of numbers");
    }
    input.kind = InputKind::kPositive;
    return {};
  }
  const std::vector<std::string> known = {"positive", "index", "indptr", "permutation"};
  if (std::find(known.begin(), known.end(), kind) == known.end()) {
    return WrongKey(reader.where() + ".kind", UnknownName("kind", kind, known));
  }
  return ReadPlaces(reader, kind, task, input);
}

Result<void> CheckInput(const ObjectReader& reader, const Tensor& input) {
  const std::string& where = reader.where();
  const bool is_place = input.kind != InputKind::kAny && input.kind != InputKind::kPositive;
  if (input.range && !input.values.empty())
    return WrongKey(where, "give range or values, not both");
  if (input.range && is_place) return WrongKey(where + ".range", "its kind gives the range");
  if (input.range && input.kind == InputKind::kPositive && input.range->first < 0) {
    return WrongKey(where + ".range", "starts below 0, and kind is \"positive\"");
  }
  if (input.unique && input.kind != InputKind::kIndex) {
    return WrongKey(where + ".unique", "is for kind = \"index\"");
  }
  if (reader.Has("of") && input.index_of.empty()) {
    return WrongKey(where + ".of", "is for kind = \"index\" and \"permutation\"");
  }
  if (reader.Has("total") && input.indptr_total.empty()) {
    return WrongKey(where + ".total", "is for kind = \"indptr\"");
  }
  return {};
}

Result<void> ReadInput(const Json& json, const std::string& where, const Task& task,
                       Tensor& input) {
  if (!json.is_object()) return WrongKey(where, "must be a table");
  ObjectReader reader(json, where);
  if (reader.Has("range")) KW_TRY(ReadRange(reader, input));
  if (const Json* values = reader.Find("values")) {
    KW_TRY(ReadValues(*values, where + ".values", input));
  }
  if (reader.Has("kind")) KW_TRY(ReadKind(reader, task, input));
  KW_ASSIGN(input.unique, reader.Optional<bool>("unique", false));
  for (const char* key : {"range", "values", "kind", "of", "total"}) reader.Find(key);
  KW_TRY(reader.RejectUnknown());
  return CheckInput(reader, input);
}

Result<void> ReadOutput(const Json& json, const std::string& where, Task& task, Tensor& output) {
  if (!json.is_object()) return WrongKey(where, "must be a table");
  ObjectReader reader(json, where);
  KW_ASSIGN(output.selects, reader.Optional<std::string>("selects", ""));
  KW_TRY(reader.RejectUnknown());
  if (!reader.Has("selects")) return {};
  const Tensor* const input = FindTensor(task.inputs, output.selects);
  if (input == nullptr || input->is_scalar) {
    return WrongKey(where + ".selects",
                    UnknownName("input tensor", output.selects, InputNames(task)));
  }
  if (IsFloat(output.dtype) || output.dtype == DType::kBool) {
    return WrongKey(where + ".selects", "an output that selects must have an integer dtype");
  }
  return {};
}

bool HasOutputOf(const Task& task, DType dtype) {
  return std::any_of(task.outputs.begin(), task.outputs.end(),
                     [&](const Tensor& output) { return output.dtype == dtype; });
}

// One table of tolerances: [tolerance] without "relative", or [tolerance.relative].
Result<void> ReadTolerances(const Json& json, const std::string& where, bool relative, Task& task) {
  for (const auto& [name, value] : json.items()) {
    if (!relative && name == "relative") continue;
    const std::string key = where + "." + name;
    const std::optional<DType> dtype = DTypeFromName(name);
    if (!dtype) {
      std::vector<std::string> known = {"relative"};
      for (const Tensor& output : task.outputs) known.emplace_back(DTypeName(output.dtype));
      return WrongKey(where, UnknownName("dtype", name, known));
    }
    if (!IsFloat(*dtype)) return WrongKey(key, "integer and bool outputs are exact");
    if (!HasOutputOf(task, *dtype)) return WrongKey(key, "no output has this dtype");
    if (!value.is_number()) return WrongKey(key, "must be a number");
    const double number = value.get<double>();
    if (!std::isfinite(number) || number <= 0) {
      return WrongKey(key, fmt::format("{} is no tolerance: it must be more than 0", number));
    }
    if (relative && number >= 1) {
      return WrongKey(key,
                      fmt::format("{} accepts any result, zero too: it must be below 1", number));
    }
    (relative ? task.tolerance[*dtype].relative : task.tolerance[*dtype].absolute) = number;
  }
  return {};
}

Result<void> ReadTolerance(const Json& json, Task& task) {
  KW_TRY(ReadTolerances(json, "task.toml: tolerance", /*relative=*/false, task));
  if (!json.contains("relative")) return {};
  if (!json["relative"].is_object())
    return WrongKey("task.toml: tolerance.relative", "must be a table");
  return ReadTolerances(json["relative"], "task.toml: tolerance.relative", /*relative=*/true, task);
}

Result<void> ReadCost(const Json& json, Task& task) {
  ObjectReader reader(json, "task.toml: cost");
  KW_ASSIGN(task.cost_flops, reader.Optional<std::string>("flops", ""));
  KW_ASSIGN(task.cost_bytes, reader.Optional<std::string>("bytes", ""));
  KW_TRY(reader.RejectUnknown());
  for (const auto& [key, cost] :
       {std::pair{"flops", &task.cost_flops}, {"bytes", &task.cost_bytes}}) {
    if (!reader.Has(key)) continue;
    if (Result<void> checked = CheckExpression(*cost, AxisNames(task)); !checked) {
      return WrongKey(fmt::format("task.toml: cost.{}", key), checked.error().message,
                      checked.error().code);
    }
  }
  return {};
}

Result<void> ReadAllow(const Json& json, Task& task) {
  ObjectReader reader(json, "task.toml: allow");
  KW_ASSIGN(task.allowed_libraries, reader.Optional<std::vector<std::string>>("libraries", {}));
  KW_ASSIGN(task.half_accumulators, reader.Optional<bool>("half_accumulators", false));
  KW_TRY(reader.RejectUnknown());
  const auto is_half = [](const Tensor& tensor) {
    return IsFloat(tensor.dtype) && DTypeBytes(tensor.dtype) == 2;
  };
  if (task.half_accumulators && std::none_of(task.outputs.begin(), task.outputs.end(), is_half) &&
      std::none_of(task.inputs.begin(), task.inputs.end(), is_half)) {
    return WrongKey("task.toml: allow.half_accumulators",
                    "no input and no output is float16 or bfloat16");
  }
  for (const std::string& library : task.allowed_libraries) {
    if (std::find(kLibraries.begin(), kLibraries.end(), library) == kLibraries.end()) {
      return WrongKey("task.toml: allow.libraries", UnknownName("library", library, kLibraries));
    }
  }
  return {};
}

Result<void> ReadGroups(const Json& json, Task& task) {
  const std::vector<std::string> known = {std::string(kTinyGroup), std::string(kLargestGroup),
                                          std::string(kNonfiniteGroup)};
  ObjectReader reader(json, "task.toml: groups");
  KW_ASSIGN(task.groups, reader.Optional<std::vector<std::string>>("also", {}));
  KW_TRY(reader.RejectUnknown());
  for (size_t i = 0; i < task.groups.size(); ++i) {
    const auto group = task.groups.begin() + static_cast<std::ptrdiff_t>(i);
    if (std::find(known.begin(), known.end(), *group) == known.end()) {
      return WrongKey("task.toml: groups.also", UnknownName("value group", *group, known));
    }
    if (std::find(task.groups.begin(), group, *group) != group) {
      return WrongKey("task.toml: groups.also", fmt::format("'{}' is there twice", *group));
    }
  }
  return {};
}

Result<void> ReadTensorTables(ObjectReader& reader, Task& task) {
  KW_ASSIGN(const Json* inputs, Table(reader, "inputs"));
  if (inputs != nullptr) {
    for (const auto& [name, value] : inputs->items()) {
      Tensor* const input = FindTensor(task.inputs, name);
      if (input == nullptr) {
        return WrongKey("task.toml: inputs", UnknownName("input", name, InputNames(task)));
      }
      KW_TRY(ReadInput(value, "task.toml: inputs." + name, task, *input));
    }
  }
  KW_ASSIGN(const Json* outputs, Table(reader, "outputs"));
  if (outputs == nullptr) return {};
  for (const auto& [name, value] : outputs->items()) {
    Tensor* const output = FindTensor(task.outputs, name);
    if (output == nullptr) {
      std::vector<std::string> known;
      for (const Tensor& candidate : task.outputs) known.push_back(candidate.name);
      return WrongKey("task.toml: outputs", UnknownName("output", name, known));
    }
    KW_TRY(ReadOutput(value, "task.toml: outputs." + name, task, *output));
  }
  return {};
}

Result<void> ReadAxes(const Json& json, Task& task) {
  for (const auto& [name, value] : json.items()) {
    if (task.FindAxis(name) == nullptr) {
      return WrongKey("task.toml: axes", UnknownName("axis", name, AxisNames(task)));
    }
    for (Axis& axis : task.axes) {
      if (axis.name == name) KW_TRY(ReadAxis(value, "task.toml: axes." + name, axis));
    }
  }
  return {};
}

}  // namespace

Result<void> ReadSettings(std::string_view text, Task& task) {
  KW_ASSIGN(const Json json, ParseToml(text, "task.toml"));
  ObjectReader reader(json, "task.toml");
  KW_ASSIGN(const Json* axes, Table(reader, "axes"));
  if (axes != nullptr) KW_TRY(ReadAxes(*axes, task));
  KW_TRY(ReadTensorTables(reader, task));
  KW_ASSIGN(const Json* tolerance, Table(reader, "tolerance"));
  if (tolerance != nullptr) KW_TRY(ReadTolerance(*tolerance, task));
  KW_ASSIGN(const Json* determinism, Table(reader, "determinism"));
  if (determinism != nullptr) {
    ObjectReader inner(*determinism, "task.toml: determinism");
    KW_ASSIGN(task.bitwise, inner.Optional<bool>("bitwise", false));
    KW_TRY(inner.RejectUnknown());
  }
  KW_ASSIGN(const Json* groups, Table(reader, "groups"));
  if (groups != nullptr) KW_TRY(ReadGroups(*groups, task));
  KW_ASSIGN(const Json* cost, Table(reader, "cost"));
  if (cost != nullptr) KW_TRY(ReadCost(*cost, task));
  KW_ASSIGN(const Json* allow, Table(reader, "allow"));
  if (allow != nullptr) KW_TRY(ReadAllow(*allow, task));
  return reader.RejectUnknown();
}

}  // namespace kw::eval
