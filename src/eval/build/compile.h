// Builds without a cache, each in a scratch folder of its own, within its limits.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "build_run.h"
#include "candidate_build.h"
#include "kw/eval/build.h"
#include "steps.h"
#include "toolchain.h"

namespace kw::eval {

class Compiler {
 public:
  Compiler(Toolchain toolchain, BuilderConfig config)
      : toolchain_(std::move(toolchain)), config_(std::move(config)) {}

  Result<Compiled> Candidate(const std::string& source, const BuildTarget& target);
  Result<Compiled> Reference(const std::string& source);
  // What of `target` and of this class decides an object: part of its key in the cache.
  std::vector<std::string> CandidateFlags(const BuildTarget& target) const;
  std::vector<std::string> ReferenceFlags() const;
  const Toolchain& toolchain() const { return toolchain_; }

 private:
  // The target's libraries that are there, each a file and a folder of headers.
  std::vector<LibraryFiles> LibrariesOf(const BuildTarget& target) const;
  // nvcc's steps for these flags; nothing when they are not as expected.
  Result<std::optional<StepPlan>> PlanFor(const std::vector<std::string>& flags, BuildRun& run);

  Toolchain toolchain_;
  BuilderConfig config_;
  std::mutex mutex_;
  std::map<std::vector<std::string>, std::optional<StepPlan>> plans_;
};

}  // namespace kw::eval
