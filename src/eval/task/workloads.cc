#include <cmath>
#include <set>

#include "fmt/core.h"
#include "kw/base/json.h"
#include "kw/base/text.h"
#include "parse.h"

namespace kw::eval {
namespace {

tl::unexpected<Error> Wrong(std::string_view where, std::string_view what,
                            ErrorCode code = ErrorCode::kInvalid) {
  return Fail(code, fmt::format("{}: {}", where, what));
}

// A stored tensor's path may not lead out of the folder that it is looked for in.
bool StaysInside(std::string_view path) {
  if (path.empty() || path[0] == '/' || path.find('\0') != std::string_view::npos) return false;
  for (const std::string_view part : Split(path, '/')) {
    if (part == "..") return false;
  }
  return true;
}

Result<void> ReadAxes(const Json& json, const std::string& where, const Task& task,
                      Workload& workload) {
  if (!json.is_object()) return Wrong(where, "must be an object");
  for (const auto& [name, size] : json.items()) {
    if (task.FindAxis(name) == nullptr) {
      return Wrong(where, UnknownName("axis", name, AxisNames(task)));
    }
    if (!size.is_number_integer() ||
        (size.is_number_unsigned() && size.get<uint64_t>() > uint64_t{1} << 62)) {
      return Wrong(where + "." + name, fmt::format("must be an integer, 1 to {}", kMaxAxisSize));
    }
    workload.axes[name] = size.get<int64_t>();
  }
  const auto all = task.AllAxes(workload.axes);
  if (!all) return Wrong(where, all.error().message, all.error().code);
  for (const Axis& axis : task.axes) {
    if (!axis.is_var) workload.axes.erase(axis.name);
  }
  return {};
}

Result<double> ScalarValue(const Json& json, const Tensor& input, const std::string& where) {
  const auto value = json.find("value");
  if (value == json.end()) return Wrong(where, "a scalar needs a value");
  double number = 0;
  if (value->is_boolean()) {
    if (input.dtype != DType::kBool) return Wrong(where, "true or false, but the dtype is no bool");
    number = value->get<bool>() ? 1 : 0;
  } else if (value->is_number()) {
    number = value->get<double>();
  } else {
    return Wrong(where, "a scalar's value must be a number");
  }
  KW_TRY(CheckValue(input.dtype, number, where));
  return number;
}

Result<void> ReadSource(const Json& json, const std::string& where, const Tensor& input,
                        Workload& workload) {
  if (!json.is_object() || !json.contains("type") || !json["type"].is_string()) {
    return Wrong(where, "must be an object with a \"type\"");
  }
  const auto& type = json["type"].get_ref<const std::string&>();
  if (type == "random") return {};
  if (type == "scalar") {
    if (!input.is_scalar) return Wrong(where, "a scalar value for an input that is a tensor");
    KW_ASSIGN(workload.scalars[input.name], ScalarValue(json, input, where + ".value"));
    return {};
  }
  if (type != "safetensors") {
    return Wrong(where, UnknownName("type of input", type, {"random", "scalar", "safetensors"}));
  }
  if (input.is_scalar) return Wrong(where, "a stored tensor for an input that is a scalar");
  Workload::Stored stored;
  for (auto [key, target] : {std::pair{"path", &stored.path}, {"tensor_key", &stored.tensor_key}}) {
    if (!json.contains(key) || !json[key].is_string() || json[key].empty()) {
      return Wrong(where + "." + key, "must be a text that is not empty");
    }
    *target = json[key].get<std::string>();
  }
  if (!StaysInside(stored.path)) {
    return Wrong(where + ".path", "must be relative, and stay inside its folder");
  }
  workload.stored[input.name] = std::move(stored);
  return {};
}

Result<void> ReadSources(const Json& json, const std::string& where, Task& task,
                         Workload& workload) {
  if (!json.is_object()) return Wrong(where, "must be an object");
  for (const auto& [name, source] : json.items()) {
    const Tensor* const input = FindTensor(task.inputs, name);
    if (input == nullptr) return Wrong(where, UnknownName("input", name, InputNames(task)));
    KW_TRY(ReadSource(source, where + "." + name, *input, workload));
  }
  return {};
}

// The shape as a whole: constraints, sizes of tensors, costs.
Result<void> CheckShape(const Task& task, const Workload& workload, const std::string& where) {
  KW_ASSIGN(const auto axes, task.AllAxes(workload.axes));
  for (const std::string& constraint : task.constraints) {
    if (IsValueConstraint(task, constraint)) continue;
    const Result<double> holds = EvaluateExpression(constraint, axes);
    if (!holds) return Wrong(where, holds.error().message, holds.error().code);
    if (*holds != 0) continue;
    return Wrong(where, fmt::format("the sizes do not satisfy the definition's constraint '{}'",
                                    constraint));
  }
  for (const auto* tensors : {&task.inputs, &task.outputs}) {
    for (const Tensor& tensor : *tensors) {
      const Result<int64_t> count = ElementCount(tensor, axes);
      if (!count) return Wrong(where, count.error().message, count.error().code);
    }
  }
  for (const auto& [key, cost] :
       {std::pair{"cost.flops", &task.cost_flops}, {"cost.bytes", &task.cost_bytes}}) {
    if (cost->empty()) continue;
    const Result<double> value = EvaluateExpression(*cost, axes);
    if (!value) {
      return Wrong(where, fmt::format("task.toml: {}: {}", key, value.error().message),
                   value.error().code);
    }
    if (*value < 0) return Wrong(where, fmt::format("task.toml: {} is {} here", key, *value));
  }
  return {};
}

Result<Workload> ReadWorkload(std::string_view line, const std::string& file_line, Task& task) {
  KW_ASSIGN(const Json json, ParseJson(line, file_line));
  if (!json.is_object()) return Wrong(file_line, "must be an object");
  // A Trace that carries a workload only, or the workload itself.
  const bool is_trace = json.contains("workload");
  std::string where = file_line;
  if (is_trace) {
    where += ": workload";
    const auto definition = json.find("definition");
    if (definition == json.end() || *definition != task.name) {
      return Wrong(file_line + ": definition", fmt::format("must be \"{}\"", task.name));
    }
    for (const char* key : {"solution", "evaluation"}) {
      if (json.contains(key) && !json[key].is_null()) {
        return Wrong(file_line + ": " + key, "must be null: this is the trace of a solution");
      }
    }
  }
  const Json& body = is_trace ? json["workload"] : json;
  if (!body.is_object()) return Wrong(where, "must be an object");
  Workload workload;
  if (!body.contains("uuid") || !body["uuid"].is_string() ||
      body["uuid"].get_ref<const std::string&>().empty()) {
    return Wrong(where + ".uuid", "must be a text that is not empty");
  }
  workload.uuid = body["uuid"].get<std::string>();
  if (!body.contains("axes")) return Wrong(where + ".axes", "is missing");
  KW_TRY(ReadAxes(body["axes"], where + ".axes", task, workload));
  if (body.contains("inputs")) {
    KW_TRY(ReadSources(body["inputs"], where + ".inputs", task, workload));
  }
  KW_TRY(CheckShape(task, workload, where + ".axes"));
  return workload;
}

}  // namespace

Result<void> ReadWorkloads(std::string_view text, Task& task) {
  std::set<std::string> uuids;
  size_t number = 0;
  for (const std::string_view line : Lines(text)) {
    ++number;
    if (Trim(line).empty()) continue;
    const std::string file_line = fmt::format("workloads.jsonl: line {}", number);
    if (task.workloads.size() == kMaxWorkloads) {
      return Wrong(file_line, fmt::format("more than {} workloads", kMaxWorkloads),
                   ErrorCode::kLimit);
    }
    KW_ASSIGN(Workload workload, ReadWorkload(line, file_line, task));
    if (!uuids.insert(workload.uuid).second) {
      return Wrong(file_line, fmt::format("uuid '{}' is there twice", workload.uuid));
    }
    task.workloads.push_back(std::move(workload));
  }
  if (task.workloads.empty()) {
    return Fail(ErrorCode::kInvalid, "workloads.jsonl: holds no workload");
  }
  return {};
}

}  // namespace kw::eval
