// Verdicts on disk, by what they depend on. Several processes may share one cache.
#pragma once

#include <optional>
#include <string>

#include "kw/eval/worker.h"

namespace kw::eval {

class VerdictCache {
 public:
  explicit VerdictCache(std::string folder) : folder_(std::move(folder)) {}

  static std::string Key(const Task& task, const std::string& candidate_hash,
                         const BuildOutcome& built, const DeviceSheet& sheet,
                         const EvaluateOptions& options);
  // Nothing when it is not there or cannot be read.
  std::optional<Verdict> Find(const std::string& key) const;
  // An environmental verdict is never kept. A failure to write is only a warning.
  void Store(const std::string& key, const Verdict& verdict) const;

 private:
  std::string PathOf(const std::string& key) const;
  std::string folder_;
};

}  // namespace kw::eval
