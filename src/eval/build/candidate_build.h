// One build of a candidate, in a run that holds kernel.cu and kernel.module_id.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "build_run.h"
#include "steps.h"
#include "toolchain.h"

namespace kw::eval {

struct LibraryFiles {
  std::string object, headers;
};

class CandidateBuild {
 public:
  CandidateBuild(BuildRun& run, const Toolchain& toolchain, const std::string& source,
                 const BuildTarget& target, const std::vector<LibraryFiles>& libraries)
      : run_(run), toolchain_(toolchain), source_(source), target_(target), libraries_(libraries) {}

  // The halves side by side, and ptxas beside the host compiler. Nothing when something happened
  // that nvcc itself should be asked about.
  Result<std::optional<Compiled>> Stepwise(const StepPlan& plan);
  // nvcc as a whole.
  Result<Compiled> Plain(const std::vector<std::string>& flags);

 private:
  // What one of the two halves came to.
  struct Half {
    Step last;  // the step that failed, or the last one
    std::vector<Diagnostic> diagnostics;
    std::string ptxas_output;
  };
  Result<Half> RunHost(const std::vector<StepCommand>& commands);
  Result<Half> RunDevice(const std::vector<StepCommand>& commands);
  Result<Half> CheckPtx(Half half);  // what ptxas says of a device half that is done
  Result<std::optional<Compiled>> ExplainHalves(const Half& host, const Half& device);
  Result<Step> RunPtxas();
  Result<void> RemovePlaceFromPtx();
  std::vector<Diagnostic> PtxasErrors(const std::string& output);
  Result<Step> Link();
  Result<std::optional<Compiled>> Finish(const std::string& ptxas_output);

  BuildRun& run_;
  const Toolchain& toolchain_;
  const std::string& source_;
  const BuildTarget& target_;
  const std::vector<LibraryFiles>& libraries_;
};

// Both, each diagnostic once.
std::vector<Diagnostic> Merged(std::vector<Diagnostic> first,
                               const std::vector<Diagnostic>& second);

}  // namespace kw::eval
