// The steps of one build: they share a scratch folder, an allowance of CPU time and a deadline.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "diagnostics.h"
#include "kw/base/confine.h"
#include "kw/base/file.h"
#include "kw/eval/build.h"
#include "steps.h"
#include "toolchain.h"

namespace kw::eval {

struct Compiled {
  BuildOutcome outcome;  // without object_hash and object_path
  std::string object;    // bytes, when ok
};
Compiled Refused(std::string reason, std::string feedback);

// How one step ended.
struct Step {
  enum class End { kOk, kFailed, kCpu, kWall, kMemory, kFileSize, kKilled, kDisk };
  End end = End::kOk;
  std::string output;
  bool ok() const { return end == End::kOk; }
};

// Steps may run on two threads at once.
class BuildRun {
 public:
  // Besides what any step may read, steps read the folders `also_readable`.
  static Result<std::unique_ptr<BuildRun>> Start(
      const Toolchain& toolchain, const BuilderConfig& config,
      const std::vector<std::string>& also_readable = {});
  BuildRun(const Toolchain& toolchain, const BuilderConfig& config, ScratchDirectory scratch,
           std::string folder, const std::vector<std::string>& also_readable);

  // Files of the scratch folder, which is every step's working directory.
  const std::string& folder() const { return folder_; }
  Result<void> Write(std::string_view name, std::string_view content) const;
  Result<std::string> Read(std::string_view name) const;
  // Takes the place of the variables of the same names.
  void AddEnvironment(const std::vector<std::string>& added);

  Result<Step> Execute(StepCommand command);
  // Whether the kernel keeps steps from other files; else what a preprocessor wrote is looked
  // through, and a step that took in another file has failed.
  bool confines_files() const { return confinement_->confines_files(); }
  // The outcome of a step that failed; nothing when `diagnostics` of an ordinary failure is empty.
  Result<std::optional<Compiled>> Explain(const Step& step, const std::string& source,
                                          const std::vector<Diagnostic>& diagnostics,
                                          std::string_view source_name) const;

 private:
  std::optional<std::string> TookIn(const StepCommand& command) const;
  std::string Resolved(const std::string& program) const;

  const BuilderConfig& config_;
  ScratchDirectory scratch_;
  std::string folder_;
  std::vector<std::string> environment_, readable_;
  std::shared_ptr<const Confinement> confinement_;
  std::atomic<int64_t> cpu_left_us_;
  int64_t deadline_us_;
};

}  // namespace kw::eval
