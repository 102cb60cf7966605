// Evaluators over real processes, for the end-to-end suites: programs of this build, caches kept
// between runs (objects and baselines only: every verdict is judged).
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kw/base/file.h"
#include "kw/base/process.h"
#include "kw/base/text.h"
#include "kw/eval/worker.h"

namespace kw::eval {

inline std::string E2eCache() { return std::string(KW_BINARY_DIR) + "/e2e-cache"; }

inline EvaluatorConfig E2eConfig() {
  EvaluatorConfig config;
  config.home = KW_SOURCE_DIR;
  config.cache = E2eCache();
  config.workers = 1;
  config.use_verdict_cache = false;
  return config;
}

inline Result<Task> NativeTask(const std::string& name) {
  KW_ASSIGN(const TaskLibrary library,
            TaskLibrary::Open(std::string(KW_SOURCE_DIR) + "/data/tasks"));
  return library.Load(name);
}

// A native task with one of its files changed. `path` is as in data/tasks: "gemm/matmul".
inline Result<Task> ChangedTask(const std::string& path, const std::string& file,
                                const std::function<std::string(const std::string&)>& change) {
  const ScratchDirectory folder = *ScratchDirectory::Make("changed-task");
  const std::string from = std::string(KW_SOURCE_DIR) + "/data/tasks/" + path + "/";
  for (const char* name :
       {"definition.json", "workloads.jsonl", "task.toml", "reference.cpp", "baseline.cu"}) {
    KW_ASSIGN(const std::string text, ReadFile(from + name));
    KW_TRY(WriteFileAtomic(folder.path() + "/" + name, file == name ? change(text) : text));
  }
  return LoadTask(folder.path());
}

// A verdict on a candidate, judged as it comes to a fresh evaluator; status and, where a second
// word is given, reason must be as expected. Nothing when there was none.
inline std::optional<Verdict> JudgeExpecting(const Task& task, const std::string& source,
                                             const std::vector<std::string>& expected) {
  const auto evaluator = MakeEvaluator(E2eConfig());
  EXPECT_TRUE(evaluator) << evaluator.error().ToString();
  if (!evaluator) return std::nullopt;
  const auto verdict = (*evaluator)->Evaluate(task, source, {.seed = 1});
  EXPECT_TRUE(verdict) << verdict.error().ToString();
  if (!verdict) return std::nullopt;
  const std::string json = VerdictToJson(*verdict);
  EXPECT_EQ(StatusName(verdict->status), expected[0]) << json;
  if (expected.size() > 1) {
    EXPECT_EQ(verdict->reason, expected[1]) << json;
  }
  EXPECT_FALSE(verdict->environmental) << json;
  return *verdict;
}

// All .cu files below a folder of tests/e2e, as paths relative to it.
inline std::vector<std::string> Kernels(const std::string& folder) {
  const std::string root = std::string(KW_SOURCE_DIR) + "/tests/e2e/" + folder;
  std::vector<std::string> found;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    if (entry.path().extension() == ".cu") {
      found.push_back(entry.path().lexically_relative(root).string());
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

// "softmax/warp_shuffle.cu" -> "softmax_warp_shuffle", as gtest wants names.
inline std::string TestName(std::string path) {
  if (path.ends_with(".cu")) path.resize(path.size() - 3);
  for (char& c : path) {
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  }
  return path;
}

// The words after "// KEY: " in the first line.
inline std::vector<std::string> FirstLineWords(const std::string& source, std::string_view key) {
  const std::string start = "// " + std::string(key) + ": ";
  const std::string_view line = Lines(source).front();
  EXPECT_TRUE(line.starts_with(start)) << line;
  std::vector<std::string> words;
  for (const std::string_view word : Split(line.substr(start.size()), ' '))
    words.emplace_back(word);
  return words;
}

}  // namespace kw::eval
