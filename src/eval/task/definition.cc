#include <set>

#include "fmt/core.h"
#include "kw/base/json.h"
#include "kw/base/text.h"
#include "parse.h"

namespace kw::eval {
namespace {

constexpr std::string_view kFile = "definition.json";
constexpr size_t kMaxAxes = 32;
constexpr size_t kMaxTensors = 64;
constexpr size_t kMaxRank = 8;

tl::unexpected<Error> Wrong(std::string_view where, std::string_view what,
                            ErrorCode code = ErrorCode::kInvalid) {
  return Fail(code, fmt::format("{}: {}: {}", kFile, where, what));
}

// A JSON parser keeps one of two equal keys without a word.
Result<void> RefuseDuplicateKeys(std::string_view text) {
  std::vector<std::set<std::string>> open;
  std::string duplicate;
  const Json::parser_callback_t callback = [&](int, Json::parse_event_t event, Json& value) {
    if (event == Json::parse_event_t::object_start) open.emplace_back();
    if (event == Json::parse_event_t::object_end && !open.empty()) open.pop_back();
    if (event == Json::parse_event_t::key && !open.empty()) {
      std::string key = value.get<std::string>();
      if (!open.back().insert(key).second && duplicate.empty()) duplicate = std::move(key);
    }
    return true;
  };
  const Json ignored = Json::parse(text, callback, /*allow_exceptions=*/false);
  if (!duplicate.empty()) return Wrong(duplicate, "this name is there twice");
  return {};
}

Result<std::string> OptionalText(const Json& json, const std::string& key,
                                 const std::string& where) {
  const auto found = json.find(key);
  if (found == json.end() || found->is_null()) return std::string();
  if (!found->is_string()) return Wrong(where + key, "must be a text");
  return found->get<std::string>();
}

Result<std::string> RequiredText(const Json& json, const std::string& key) {
  if (!json.contains(key)) return Wrong(key, "is missing");
  KW_ASSIGN(std::string text, OptionalText(json, key, ""));
  if (Trim(text).empty()) return Wrong(key, "must be a text that is not empty");
  return text;
}

Result<std::vector<std::string>> OptionalTexts(const Json& json, const std::string& key) {
  std::vector<std::string> texts;
  const auto found = json.find(key);
  if (found == json.end() || found->is_null()) return texts;
  if (!found->is_array()) return Wrong(key, "must be a list of texts");
  for (const Json& text : *found) {
    if (!text.is_string() || Trim(text.get_ref<const std::string&>()).empty()) {
      return Wrong(key, "must be a list of texts that are not empty");
    }
    texts.push_back(text.get<std::string>());
  }
  return texts;
}

Result<const Json*> RequiredObject(const Json& json, const std::string& key) {
  const auto found = json.find(key);
  if (found == json.end()) return Wrong(key, "is missing");
  if (!found->is_object()) return Wrong(key, "must be an object");
  if (found->empty()) return Wrong(key, "is empty");
  return &*found;
}

Result<Axis> ReadAxis(const std::string& name, const Json& json) {
  const std::string where = "axes." + name;
  if (!IsIdentifier(name)) return Wrong(where, "an axis name must be an identifier of C");
  if (!json.is_object()) return Wrong(where, "must be an object");
  Axis axis{.name = name};
  KW_ASSIGN(axis.description, OptionalText(json, "description", where + "."));
  const auto type = json.find("type");
  if (type == json.end() || !type->is_string()) {
    return Wrong(where + ".type", "must be \"const\" or \"var\"");
  }
  const auto& type_name = type->get_ref<const std::string&>();
  if (type_name == "var") {
    axis.is_var = true;
    return axis;
  }
  if (type_name != "const") {
    return Wrong(where + ".type", UnknownName("type of axis", type_name, {"const", "var"}));
  }
  const auto value = json.find("value");
  if (value == json.end() || !value->is_number_integer()) {
    return Wrong(where + ".value", "a const axis needs an integer value");
  }
  const bool fits = value->is_number_unsigned()
                        ? value->get<uint64_t>() <= static_cast<uint64_t>(kMaxAxisSize)
                        : value->get<int64_t>() <= kMaxAxisSize;
  if (!fits || value->get<int64_t>() < 1) {
    return Wrong(where + ".value", fmt::format("must be 1 to {}", kMaxAxisSize));
  }
  axis.value = value->get<int64_t>();
  return axis;
}

Result<DType> ReadDType(const Json& json, const std::string& where) {
  const auto found = json.find("dtype");
  if (found == json.end() || !found->is_string()) return Wrong(where, "must be a text");
  const auto& name = found->get_ref<const std::string&>();
  if (const std::optional<DType> dtype = DTypeFromName(name)) return *dtype;
  if (name == "float4_e2m1") return Wrong(where, "float4_e2m1 is not supported");
  std::vector<std::string> known;
  for (int i = 0; i <= static_cast<int>(DType::kBool); ++i) {
    known.emplace_back(DTypeName(static_cast<DType>(i)));
  }
  return Wrong(where, UnknownName("dtype", name, known));
}

Result<Tensor> ReadTensor(const Task& task, const std::string& where, const std::string& name,
                          const Json& json, bool is_input) {
  if (!IsIdentifier(name)) return Wrong(where, "a tensor name must be an identifier of C");
  if (!json.is_object()) return Wrong(where, "must be an object");
  Tensor tensor{.name = name};
  KW_ASSIGN(tensor.description, OptionalText(json, "description", where + "."));
  KW_ASSIGN(tensor.dtype, ReadDType(json, where + ".dtype"));
  const auto shape = json.find("shape");
  if (shape == json.end()) return Wrong(where + ".shape", "is missing (null for a scalar)");
  if (shape->is_null()) {
    if (!is_input) return Wrong(where + ".shape", "an output cannot be a scalar by value; use []");
    tensor.is_scalar = true;
    return tensor;
  }
  if (!shape->is_array()) return Wrong(where + ".shape", "must be a list of axis names or null");
  if (shape->size() > kMaxRank) {
    return Wrong(where + ".shape", fmt::format("has {} axes; at most {}", shape->size(), kMaxRank));
  }
  for (const Json& axis : *shape) {
    if (!axis.is_string()) return Wrong(where + ".shape", "must be a list of axis names");
    tensor.shape.push_back(axis.get<std::string>());
    if (task.FindAxis(tensor.shape.back()) == nullptr) {
      return Wrong(where + ".shape", UnknownName("axis", tensor.shape.back(), AxisNames(task)));
    }
  }
  return tensor;
}

Result<std::vector<Tensor>> ReadTensors(const Task& task, const Json& json,
                                        const std::string& key) {
  KW_ASSIGN(const Json* tensors, RequiredObject(json, key));
  if (tensors->size() > kMaxTensors) {
    return Wrong(key, fmt::format("there are {}; at most {}", tensors->size(), kMaxTensors),
                 ErrorCode::kLimit);
  }
  std::vector<Tensor> result;
  for (const auto& [name, value] : tensors->items()) {
    KW_ASSIGN(Tensor tensor, ReadTensor(task, key + "." + name, name, value, key == "inputs"));
    result.push_back(std::move(tensor));
  }
  return result;
}

bool HasTopLevelRun(std::string_view python) {
  for (std::string_view line : Lines(python)) {
    if (line.substr(0, 4) != "def ") continue;
    line = Trim(line.substr(4));
    if (line.substr(0, 3) == "run" && Trim(line.substr(3)).substr(0, 1) == "(") return true;
  }
  return false;
}

Result<void> CheckConstraints(const Task& task) {
  for (size_t i = 0; i < task.constraints.size(); ++i) {
    if (IsValueConstraint(task, task.constraints[i])) continue;
    if (Result<void> checked = CheckExpression(task.constraints[i], AxisNames(task)); !checked) {
      return Wrong(fmt::format("constraints[{}]", i), checked.error().message,
                   checked.error().code);
    }
  }
  return {};
}

}  // namespace

Result<void> ReadDefinition(std::string_view text, Task& task) {
  KW_ASSIGN(const Json json, ParseJson(text, kFile));
  if (!json.is_object()) return Fail(ErrorCode::kInvalid, "definition.json: must be an object");
  KW_TRY(RefuseDuplicateKeys(text));
  KW_ASSIGN(task.name, RequiredText(json, "name"));
  KW_ASSIGN(task.op_type, RequiredText(json, "op_type"));
  constexpr std::string_view kNameRule =
      "must be lower-case letters, digits, '_', '.' and '-', at most 128, and not start with '.'";
  if (!IsTaskName(task.name)) return Wrong("name", kNameRule);
  if (!IsTaskName(task.op_type)) return Wrong("op_type", kNameRule);
  KW_ASSIGN(task.description, OptionalText(json, "description", ""));
  KW_ASSIGN(task.tags, OptionalTexts(json, "tags"));
  KW_ASSIGN(task.constraints, OptionalTexts(json, "constraints"));
  KW_ASSIGN(task.reference_python, RequiredText(json, "reference"));
  if (!HasTopLevelRun(task.reference_python)) {
    return Wrong("reference", "must define a function 'run' at the top level of its Python code");
  }

  KW_ASSIGN(const Json* axes, RequiredObject(json, "axes"));
  if (axes->size() > kMaxAxes) {
    return Wrong("axes", fmt::format("there are {}; at most {}", axes->size(), kMaxAxes),
                 ErrorCode::kLimit);
  }
  for (const auto& [name, value] : axes->items()) {
    KW_ASSIGN(Axis axis, ReadAxis(name, value));
    task.axes.push_back(std::move(axis));
  }
  KW_ASSIGN(task.inputs, ReadTensors(task, json, "inputs"));
  KW_ASSIGN(task.outputs, ReadTensors(task, json, "outputs"));
  for (const Tensor& output : task.outputs) {
    if (FindTensor(task.inputs, output.name) != nullptr) {
      return Wrong("outputs." + output.name, "an input has this name too");
    }
  }
  return CheckConstraints(task);
}

}  // namespace kw::eval
