// A small task folder in memory, and ways to break it.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "kw/eval/task.h"

namespace kw::eval {

using Files = std::map<std::string, std::string>;

// Two var axes and a const one; a tensor, an index, a scalar; a float and an integer output.
inline Files Sample() {
  return {
      {"definition.json", R"({
  "name": "pick", "op_type": "gather", "description": "Picks rows.", "tags": ["native"],
  "axes": {"rows": {"type": "var", "description": "Rows."},
           "picked": {"type": "var"},
           "cols": {"type": "const", "value": 4}},
  "inputs": {"x": {"shape": ["rows", "cols"], "dtype": "float32"},
             "index": {"shape": ["picked"], "dtype": "int32"},
             "scale": {"shape": null, "dtype": "float32"}},
  "outputs": {"y": {"shape": ["picked", "cols"], "dtype": "float32"},
              "where": {"shape": ["picked"], "dtype": "int64"}},
  "reference": "import torch\n\ndef run(x, index, scale):\n    return x[index] * scale, index\n",
  "constraints": ["picked <= rows"],
  "future_key": {"kept": true}
})"},
      {"workloads.jsonl",
       R"({"definition": "pick", "workload": {"uuid": "a", "axes": {"rows": 8, "picked": 2}, )"
       R"("inputs": {"x": {"type": "random"}, "index": {"type": "safetensors", )"
       R"("path": "./blobs/i.safetensors", "tensor_key": "i"}, )"
       R"("scale": {"type": "scalar", "value": 2}}}, "solution": null, "evaluation": null})"
       "\n\n"
       R"({"uuid": "b", "axes": {"rows": 3, "picked": 3, "cols": 4}, "inputs": {}})"
       "\n"},
      {"task.toml", R"(
[axes.rows]
sizes = [1, 31, 32, 33]
[inputs.index]
kind = "index"
of = "rows"
unique = true
[inputs.scale]
values = [0.5, 2]
[inputs.x]
range = [-4, 4.0]
[outputs.where]
selects = "x"
[tolerance]
float32 = 1e-4
[tolerance.relative]
float32 = 1e-5
[determinism]
bitwise = true
[groups]
also = ["tiny", "nonfinite"]
[cost]
flops = "picked*cols"
bytes = "4*(rows + 2*picked)*cols"
[allow]
libraries = ["cublas"]
)"},
      {"reference.cpp", "extern \"C\" void reference() {}\n"},
      {"baseline.cu", "// plain\n"},
      {"baseline.sm90.cu", "// sm90\n"},
      {"baseline.sm100.cu", "// sm100\n"},
      {"README.md", "not part of the task\n"},
  };
}

inline Files With(const std::string& file, const std::string& from, const std::string& to) {
  Files files = Sample();
  const size_t at = files[file].find(from);
  EXPECT_NE(at, std::string::npos) << from;
  if (at != std::string::npos) files[file].replace(at, from.size(), to);
  return files;
}

inline Files WithFile(const std::string& file, const std::string& text) {
  Files files = Sample();
  files[file] = text;
  return files;
}

// "" when the folder loads, else the whole error.
inline std::string LoadError(const Files& files) {
  const Result<Task> task = LoadTaskFiles(files, "folder");
  return task ? "" : task.error().ToString();
}

inline Task Loaded(const Files& files) {
  Result<Task> task = LoadTaskFiles(files, "folder");
  EXPECT_TRUE(task) << task.error().ToString();
  return task ? *std::move(task) : Task{};
}

// The error holds each part.
inline void ExpectError(const Files& files, const std::vector<std::string>& parts) {
  const std::string error = LoadError(files);
  EXPECT_FALSE(error.empty()) << "loads, but should say " << parts[0];
  for (const std::string& part : parts) {
    EXPECT_NE(error.find(part), std::string::npos) << part << " is not in: " << error;
  }
}

}  // namespace kw::eval
