// task: what is asked of a kernel: the task folder, loaded and checked.
//
// A task folder (docs/formats/task.md) holds definition.json (a FlashInfer-Trace Definition),
// workloads.jsonl, reference.cpp (the fp64 oracle), task.toml (what the oracle may try and how it
// judges) and baseline.cu. Task folders are untrusted: every fault is an Error that names file
// and field, at load time.
//
//   KW_ASSIGN(TaskLibrary library, TaskLibrary::Open(home + "/data/tasks"));
//   KW_ASSIGN(Task task, library.Load("softmax"));        // or LoadTask("path/to/folder")
//   std::string line = Prototype(task);                   // extern "C" void run(const float* x,
//   ...
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kw/base/error.h"

namespace kw::eval {

enum class DType {
  kFloat64,
  kFloat32,
  kFloat16,
  kBFloat16,
  kFloat8E4M3,
  kFloat8E5M2,
  kInt64,
  kInt32,
  kInt16,
  kInt8,
  kUInt8,
  kBool,
};
std::string_view DTypeName(DType dtype);  // FlashInfer-Trace: "float8_e4m3fn", ...
std::optional<DType> DTypeFromName(std::string_view name);
int DTypeBytes(DType dtype);
bool IsFloat(DType dtype);
std::string_view DeviceTypeName(DType dtype);  // "__half", "float", "int64_t", ...
std::string_view ScalarTypeName(DType dtype);  // by value: float for half, ...

struct Axis {
  std::string name;
  bool is_var = false;
  int64_t value = 0;           // const axes
  std::vector<int64_t> sizes;  // var axes: task.toml's sizes; empty: the oracle's boundaries
  std::string description;
};

// How an input's values are drawn.
enum class InputKind { kAny, kPositive, kIndex, kIndptr, kPermutation };

struct Tensor {
  std::string name;
  DType dtype = DType::kFloat32;
  bool is_scalar = false;
  std::vector<std::string> shape;  // axis names, row-major; empty with is_scalar or for rank 0
  std::string description;
  // From task.toml, inputs only:
  InputKind kind = InputKind::kAny;
  std::string index_of;      // kIndex: values in [0, axis); kPermutation: of this axis
  std::string indptr_total;  // kIndptr: the axis that the last element equals
  bool unique = false;
  std::optional<std::pair<double, double>> range;  // hard domain
  std::vector<double> values;                      // scalars: drawn from these
  std::string selects;  // outputs: judged by the value selected in this input
};

struct Tolerance {
  double absolute = 0, relative = 0;  // |got - ref| <= max(absolute + relative*|ref|, 1 ulp)
};

// One timed shape. An input without a source is random.
struct Workload {
  std::string uuid;
  std::map<std::string, int64_t> axes;    // var axes
  std::map<std::string, double> scalars;  // inputs of type scalar
  struct Stored {
    std::string path, tensor_key;
  };
  std::map<std::string, Stored> stored;  // safetensors
};

// Groups of values that inputs are drawn in only where the task says that they are legal: subnormal
// numbers, the dtype's largest finite ones, NaN and infinities.
inline constexpr std::string_view kTinyGroup = "tiny", kLargestGroup = "largest",
                                  kNonfiniteGroup = "nonfinite";

struct Task {
  std::string name, op_type, description, folder;
  std::vector<std::string> tags, constraints;
  std::vector<Axis> axes;               // Definition order
  std::vector<Tensor> inputs, outputs;  // Definition order
  std::vector<Workload> workloads;
  std::map<DType, Tolerance> tolerance;  // per output dtype; every float output has one
  bool bitwise = false;                  // [determinism]
  std::vector<std::string> groups;       // [groups] also: of kOptionalGroups
  std::string cost_flops, cost_bytes;    // expressions over the axes; may be empty
  std::vector<std::string> allowed_libraries;
  bool half_accumulators = false;             // [allow]: sums in a 16-bit float are right too
  std::string reference_python;               // the Definition's `reference`
  std::string reference_cpp;                  // text of reference.cpp, "" when the task has none
  std::string baseline_cu;                    // text of baseline.cu
  std::map<int, std::string> baseline_by_sm;  // 90 -> text of baseline.sm90.cu
  std::string definition_json;                // unchanged bytes
  std::map<std::string, std::string> files;   // every file that counts, by name: unchanged bytes
  std::string hash;                           // of everything that decides a verdict

  const Axis* FindAxis(std::string_view axis) const;
  // Sizes of all axes, var and const, for given var sizes. kInvalid names what is missing.
  Result<std::map<std::string, int64_t>> AllAxes(const std::map<std::string, int64_t>& var) const;
  // What [cost] flops comes to at these sizes of all axes; 0 where it says nothing of them.
  double StatedFlops(const std::map<std::string, int64_t>& all_axes) const;
  // Baseline for a compute capability: the variant of the highest sm not above it, else the plain.
  const std::string& BaselineFor(int sm) const;
};

// One parameter of `run` (design 4.2) or of `reference` (4.1): the same order in both, but that
// `reference` has no stream.
struct Parameter {
  enum class Role { kInput, kScalar, kOutput, kAxis, kStream };
  Role role;
  std::string name;
  DType dtype = DType::kInt64;
  std::string type;  // as spelled in the prototype: "const float*", "int64_t", "cudaStream_t"
};
// A name that is a C++ keyword or taken already gets a trailing '_'.
std::vector<Parameter> CandidateParameters(const Task& task);
std::vector<Parameter> ReferenceParameters(const Task& task);
std::string Prototype(const Task& task);           // extern "C" void run(...)
std::string ReferencePrototype(const Task& task);  // extern "C" void reference(...)

// Elements of a tensor at the given sizes of all axes (1 for a scalar); kLimit beyond 2^40.
Result<int64_t> ElementCount(const Tensor& tensor, const std::map<std::string, int64_t>& axes);

// Of all inputs and outputs together.
Result<int64_t> TotalElements(const Task& task, const std::map<std::string, int64_t>& axes);

// An arithmetic or logical expression over axes: numbers, names, + - * / // % **, comparisons,
// and, or, not, parentheses, min, max (the Python subset that constraints and costs use).
// kParse: not such an expression; kInvalid: an unknown name, division by zero, no finite result.
Result<double> EvaluateExpression(std::string_view expression,
                                  const std::map<std::string, int64_t>& axes);
// All constraints of the task hold at these sizes. A constraint that names an input is about
// values, not about sizes: it is kept, and not evaluated here.
Result<bool> SatisfiesConstraints(const Task& task, const std::map<std::string, int64_t>& axes);

// Tolerance of a float dtype for which task.toml has none (docs/formats/task.md says why these).
Tolerance DefaultTolerance(DType dtype);

// Loads and validates one folder.
[[nodiscard]] Result<Task> LoadTask(const std::string& folder);
// The same from memory: file name -> bytes, as in Task::files (a task that came over a wire).
// Unknown names are ignored; `folder` is where stored tensors are looked for.
[[nodiscard]] Result<Task> LoadTaskFiles(const std::map<std::string, std::string>& files,
                                         const std::string& folder);

// The tasks below a root: ROOT/OP_TYPE/NAME/. Names are unique.
class TaskLibrary {
 public:
  static Result<TaskLibrary> Open(const std::string& root);
  std::vector<std::string> Names() const;  // sorted
  // `name_or_folder`: a name in the library, or a path to a task folder (it holds a '/', or is a
  // directory with a definition.json). kNotFound names the nearest.
  Result<Task> Load(const std::string& name_or_folder) const;

 private:
  std::map<std::string, std::string> folders_;
};

}  // namespace kw::eval
