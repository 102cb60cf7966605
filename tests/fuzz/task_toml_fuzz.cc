// Any task.toml loads to settings that hold together, or is refused.
#include <cmath>
#include <cstdint>
#include <map>
#include <string>

#include "kw/base/error.h"
#include "kw/eval/task.h"

namespace {

const std::map<std::string, std::string>& Files() {
  static const std::map<std::string, std::string> files = {
      {"definition.json", R"({"name": "a", "op_type": "a",
          "axes": {"rows": {"type": "var"}, "cols": {"type": "const", "value": 4}},
          "inputs": {"x": {"shape": ["rows", "cols"], "dtype": "float16"},
                     "index": {"shape": ["rows"], "dtype": "int32"},
                     "scale": {"shape": null, "dtype": "float32"}},
          "outputs": {"y": {"shape": ["rows"], "dtype": "float32"},
                      "where": {"shape": ["rows"], "dtype": "int64"}},
          "reference": "def run(x, index, scale):\n  return x, index\n"})"},
      {"workloads.jsonl", R"({"uuid": "a", "axes": {"rows": 8}, "inputs": {}})"},
      {"baseline.cu", "// none\n"},
  };
  return files;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::map<std::string, std::string> files = Files();
  files["task.toml"] = std::string(reinterpret_cast<const char*>(data), size);
  const auto task = kw::eval::LoadTaskFiles(files, "fuzz");
  if (!task) {
    KW_CHECK(!task.error().message.empty(), "a refusal says why");
    return 0;
  }
  KW_CHECK(task->tolerance.size() == 1, "the one float output has a tolerance");
  for (const auto& [dtype, tolerance] : task->tolerance) {
    KW_CHECK(tolerance.absolute > 0 || tolerance.relative > 0, "that accepts something");
    KW_CHECK(std::isfinite(tolerance.absolute) && tolerance.relative < 1, "and not everything");
  }
  for (const auto& input : task->inputs) {
    if (input.range) KW_CHECK(input.range->first < input.range->second, "a range is one");
    for (const double value : input.values) KW_CHECK(std::isfinite(value), "values are numbers");
  }
  for (const auto& axis : task->axes) {
    for (const int64_t size_of_axis : axis.sizes) KW_CHECK(size_of_axis >= 1, "sizes are positive");
  }
  return 0;
}
