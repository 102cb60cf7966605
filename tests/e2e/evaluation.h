// Evaluators over real processes, for the end-to-end suites: programs of this build, caches kept
// between runs (objects and baselines only: every verdict is judged).
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <memory>
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
