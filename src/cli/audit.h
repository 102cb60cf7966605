// What the two forms of `kwright audit` share: kernels that someone called right, judged again.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "kw/base.h"
#include "kw/eval/worker.h"

namespace kw::cli {

// The comment lines on top of a kernel's file: `// task: NAME`, then of a corpus' kernel
// `// control: ...` or `// fault: ...` (docs/formats/corpus.md). What is not there is empty.
struct KernelLabel {
  std::string task;
  std::string kind;   // control | fault
  std::string about;  // what kind of control, which fault
};
KernelLabel LabelOf(std::string_view source);

struct CertifiedKernel {
  std::string name;  // its file below the folder, or the step of a run
  eval::Task task;
  std::string source;
  KernelLabel label;
  std::string note;  // what a reader should know besides, or ""
};
struct CertifiedKernels {
  std::vector<CertifiedKernel> kernels;
  std::vector<Error> refused;  // of files that cannot be judged; each names its file
};
// All .cu files below a folder, sorted. A file's task is what its first line says, else the name of
// the folder that holds it where that is a task's, else `otherwise` (a task's name or folder).
[[nodiscard]] Result<CertifiedKernels> KernelsOfFolder(const std::string& folder,
                                                       const std::string& otherwise,
                                                       const eval::TaskLibrary& tasks);
// What a run of kwright saw pass, each kernel once.
[[nodiscard]] Result<CertifiedKernels> KernelsOfRun(const std::string& folder,
                                                    const eval::TaskLibrary& tasks);

struct JudgedKernel {
  eval::Verdict verdict;
  std::optional<eval::Evaluator::ReplayOutcome>
      replay;  // where it was asked for, of a failing case

  // Judged, and not right. What the judge could not run is neither right nor wrong.
  bool wrong() const;
  bool same_verdict_again() const;  // with a replay: the same bytes, status and reason
};
struct AuditJudging {
  eval::EvaluateOptions options;
  int workers = 1;
  bool replay = false;
  std::function<void()> judged = {};  // after each kernel, from any thread; may be empty
};
// In the order of the kernels.
[[nodiscard]] Result<std::vector<JudgedKernel>> JudgeKernels(
    const std::vector<CertifiedKernel>& kernels, eval::Evaluator& evaluator,
    const AuditJudging& judging);

// How many judge at once, where nobody said.
int DefaultWorkers();

// Whether a file is an experiment with an [audit] table.
bool IsAuditExperiment(const std::string& path);
// Judges a corpus as such a file says, and prints its table. What is given overrides the file.
struct AuditOverrides {
  std::vector<std::string> devices;
  std::optional<uint64_t> seed;
  std::string effort;  // "": as the file says
  int workers = 0;     // 0: as the file says
  bool json = false, fresh = false;
};
int PrintAuditTable(const std::string& path, const AuditOverrides& overrides);

}  // namespace kw::cli
