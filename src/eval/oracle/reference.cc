#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <list>
#include <mutex>

#include "expected_cache.h"
#include "kw/base/clock.h"
#include "kw/base/file.h"
#include "kw/base/process.h"
#include "kw/eval/oracle.h"
#include "reference_process.h"
#include "value_draw.h"
#include "value_types.h"

namespace kw::eval {
namespace {

constexpr size_t kMaxProcesses = 4;
constexpr int kMoves = 4;               // of the inputs, to see how sensitive a case is
constexpr int64_t kLongMicros = 3'000;  // a file costs less than what took longer

template <class T>
std::string BytesOf(const std::vector<T>& values) {
  return std::string(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
}

template <class T>
std::vector<T> ValuesOf(std::string_view bytes) {
  std::vector<T> values(bytes.size() / sizeof(T));
  std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

// Every value moved by up to a unit in the last place of float32: what arithmetic in float32 may
// do to it, whatever dtype it is stored in.
void Move(const Tensor& tensor, const Case& c, int move, std::vector<double>& values) {
  BitDraw bits(c.seed, fmt::format("move/{}/{}", move, tensor.name));
  const double step = tensor.dtype == DType::kFloat64 ? 0x1p-52 : 0x1p-23;
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] += values[i] * step * (2 * UniformFromBits(bits.At(i)) - 1);
    if (tensor.range) values[i] = std::clamp(values[i], tensor.range->first, tensor.range->second);
  }
}

// With the inputs as they are, or moved.
Result<std::vector<ReferenceArgument>> MakeArguments(const Task& task, const Case& c,
                                                     const CaseInputs& inputs,
                                                     std::optional<int> move) {
  using Kind = ReferenceArgument::Kind;
  KW_ASSIGN(const auto axes, task.AllAxes(c.axes));
  std::vector<ReferenceArgument> arguments;
  for (size_t i = 0; i < task.inputs.size(); ++i) {
    const Tensor& tensor = task.inputs[i];
    ReferenceArgument& argument = arguments.emplace_back();
    argument.name = tensor.name;
    if (tensor.is_scalar) {
      const double value = RoundedTo(tensor.dtype, c.scalars.at(tensor.name));
      argument.kind = IsFloat(tensor.dtype)          ? Kind::kReal
                      : tensor.dtype == DType::kBool ? Kind::kBool
                                                     : Kind::kInteger;
      argument.real = value;
      argument.integer = static_cast<int64_t>(value);
      continue;
    }
    argument.kind = IsFloat(tensor.dtype) ? Kind::kDoubles : Kind::kIntegers;
    if (IsFloat(tensor.dtype)) {
      std::vector<double> values = WidenFloats(tensor.dtype, inputs.tensors[i]);
      if (move) Move(tensor, c, *move, values);
      argument.bytes = BytesOf(values);
    } else {
      argument.bytes = BytesOf(WidenIntegers(tensor.dtype, inputs.tensors[i]));
    }
    argument.count = argument.bytes.size() / 8;
  }
  for (const Tensor& tensor : task.outputs) {
    KW_ASSIGN(const int64_t count, ElementCount(tensor, axes));
    ReferenceArgument& argument = arguments.emplace_back();
    argument.name = tensor.name;
    argument.kind = IsFloat(tensor.dtype) ? Kind::kOutputDoubles : Kind::kOutputIntegers;
    argument.count = static_cast<uint64_t>(count);
  }
  for (const Axis& axis : task.axes) {
    if (!axis.is_var) continue;
    ReferenceArgument& argument = arguments.emplace_back();
    argument.name = axis.name;
    argument.kind = Kind::kInteger;
    argument.integer = axes.at(axis.name);
  }
  return arguments;
}

Expected SplitOutputs(const Task& task, const std::vector<ReferenceArgument>& arguments,
                      std::string_view bytes) {
  Expected expected;
  size_t output = 0;
  for (const ReferenceArgument& argument : arguments) {
    if (!argument.is_output()) continue;
    const std::string_view part = bytes.substr(0, argument.count * 8);
    bytes.remove_prefix(part.size());
    const bool is_float = IsFloat(task.outputs[output++].dtype);
    expected.floats.push_back(is_float ? ValuesOf<double>(part) : std::vector<double>());
    expected.integers.push_back(is_float ? std::vector<int64_t>() : ValuesOf<int64_t>(part));
  }
  return expected;
}

double MeanMagnitude(const std::vector<double>& values) {
  double sum = 0;
  int64_t count = 0;
  for (const double value : values) {
    if (!std::isfinite(value)) continue;
    sum += std::fabs(value);
    ++count;
  }
  return count == 0 ? 0 : sum / static_cast<double>(count);
}

class ProcessReference : public Reference {
 public:
  ProcessReference(Builder& builder, ReferenceConfig config)
      : builder_(builder),
        config_(std::move(config)),
        cache_(config_.cache_bytes),
        files_(config_.folder, config_.folder_bytes) {
    IgnoreBrokenPipes();
  }

  Result<std::shared_ptr<const Expected>> Evaluate(const Task& task, const Case& c) override {
    if (auto found = cache_.Find(CaseKey(task, c))) return found;
    KW_ASSIGN(const CaseInputs inputs, GenerateInputs(task, c));
    return EvaluateCase(task, c, inputs);
  }

  Result<std::shared_ptr<const Expected>> EvaluateCase(const Task& task, const Case& c,
                                                       const CaseInputs& inputs) override {
    const std::string key = CaseKey(task, c);
    if (auto found = cache_.Find(key)) return found;
    Result<Expected> computed = FindOrCompute(task, c, inputs);
    if (!computed) {
      return Fail(std::move(computed).error().While(fmt::format("task '{}'", task.name)));
    }
    if (c.group == "x3") KW_TRY(MeasureScale(task, c, *computed));
    auto expected = std::make_shared<const Expected>(*std::move(computed));
    cache_.Store(key, expected);
    return expected;
  }

  Result<Expected> EvaluateOn(const Task& task, const Case& c, const CaseInputs& inputs) override {
    return Compute(task, c, inputs, std::nullopt);
  }

  Result<std::vector<std::vector<double>>> Sensitivity(const Task& task, const Case& c) override {
    KW_ASSIGN(const std::shared_ptr<const Expected> expected, Evaluate(task, c));
    KW_ASSIGN(const CaseInputs inputs, GenerateInputs(task, c));
    return SensitivityOn(task, c, inputs, *expected);
  }

  Result<std::vector<std::vector<double>>> SensitivityOn(const Task& task, const Case& c,
                                                         const CaseInputs& inputs,
                                                         const Expected& expected) override {
    std::vector<std::vector<double>> sensitivity(expected.floats.size());
    for (int move = 0; move < kMoves; ++move) {
      KW_ASSIGN(const Expected moved, Compute(task, c, inputs, move));
      for (size_t output = 0; output < sensitivity.size(); ++output) {
        const std::vector<double>& before = expected.floats[output];
        sensitivity[output].resize(before.size());
        for (size_t i = 0; i < before.size(); ++i) {
          const double change = std::fabs(moved.floats[output][i] - before[i]);
          if (change > sensitivity[output][i] && std::isfinite(change)) {
            sensitivity[output][i] = change;
          }
        }
      }
    }
    return sensitivity;
  }

 private:
  // Tolerances are stated for values of the "original" group. Where larger inputs make larger
  // outputs, rounding errors grow with them, and the absolute part must too.
  Result<void> MeasureScale(const Task& task, Case c, Expected& expected) {
    c.group = "original";
    KW_ASSIGN(const std::shared_ptr<const Expected> original, Evaluate(task, c));
    for (size_t i = 0; i < expected.floats.size(); ++i) {
      const double before = MeanMagnitude(original->floats[i]);
      const double now = MeanMagnitude(expected.floats[i]);
      const double scale = before > 0 ? std::clamp(now / before, 1.0, 100.0) : 1.0;
      expected.absolute_scale.push_back(scale);
    }
    return {};
  }

  Result<Expected> FindOrCompute(const Task& task, const Case& c, const CaseInputs& inputs) {
    const std::string key = ExpectedFileKey(task, c, inputs);
    if (std::optional<Expected> found = files_.Find(key)) return *std::move(found);
    const int64_t start = SystemClock().MonotonicMicros();
    KW_ASSIGN(Expected computed, Compute(task, c, inputs, std::nullopt));
    if (SystemClock().MonotonicMicros() - start > kLongMicros) files_.Store(key, computed);
    return computed;
  }

  struct Entry {
    std::string hash;
    std::mutex mutex;
    std::unique_ptr<ReferenceProcess> process;
  };

  Result<Expected> Compute(const Task& task, const Case& c, const CaseInputs& inputs,
                           std::optional<int> move) {
    if (task.reference_cpp.empty()) {
      return Fail(ErrorCode::kUnavailable,
                  "it has no reference.cpp, and Python references need the Python worker");
    }
    KW_ASSIGN(const std::vector<ReferenceArgument> arguments, MakeArguments(task, c, inputs, move));
    std::shared_ptr<Entry> entry = EntryFor(task.hash);
    std::lock_guard lock(entry->mutex);
    if (!entry->process) {
      KW_ASSIGN(entry->process, StartProcess(task));
    }
    Result<std::string> outputs = entry->process->Call(arguments);
    if (!outputs) {
      entry->process.reset();
      return FaultOf(c, std::move(outputs).error());
    }
    return SplitOutputs(task, arguments, *outputs);
  }

  static Result<Expected> FaultOf(const Case& c, Error error) {
    if (error.code != ErrorCode::kInvalid) return Fail(std::move(error));
    std::string axes;
    for (const auto& [axis, size] : c.axes) {
      axes += fmt::format("{}{}={}", axes.empty() ? "" : ", ", axis, size);
    }
    return Fail(ErrorCode::kInvalid,
                fmt::format("reference.cpp: {} (case {}: {})", error.message, c.id, axes));
  }

  Result<std::unique_ptr<ReferenceProcess>> StartProcess(const Task& task) {
    KW_ASSIGN(const BuildOutcome built, builder_.BuildReference(task.reference_cpp));
    if (!built.ok) {
      return Fail(built.environmental ? ErrorCode::kTimeout : ErrorCode::kInvalid,
                  "reference.cpp does not compile:\n" + built.feedback);
    }
    const std::string folder = config_.programs.empty() ? ProgramDirectory() : config_.programs;
    const std::string program = folder + "/kwright-reference";
    if (FindProgram(program).empty()) {
      return Fail(ErrorCode::kUnavailable, fmt::format("the program '{}' is not there", program));
    }
    Result<std::unique_ptr<ReferenceProcess>> started =
        ReferenceProcess::Start(program, built.object_path, config_.memory_bytes);
    if (!started && started.error().code == ErrorCode::kInvalid) {
      return Fail(ErrorCode::kInvalid, "reference.cpp: " + started.error().message);
    }
    return started;
  }

  // One process a task, the latest few kept.
  std::shared_ptr<Entry> EntryFor(const std::string& hash) {
    std::lock_guard lock(mutex_);
    for (auto at = entries_.begin(); at != entries_.end(); ++at) {
      if ((*at)->hash != hash) continue;
      entries_.splice(entries_.begin(), entries_, at);
      return entries_.front();
    }
    entries_.push_front(std::make_shared<Entry>());
    entries_.front()->hash = hash;
    if (entries_.size() > kMaxProcesses) entries_.pop_back();
    return entries_.front();
  }

  Builder& builder_;
  ReferenceConfig config_;
  ExpectedCache cache_;
  ExpectedFiles files_;
  std::mutex mutex_;
  std::list<std::shared_ptr<Entry>> entries_;
};

}  // namespace

std::unique_ptr<Reference> MakeReference(Builder& builder, ReferenceConfig config) {
  return std::make_unique<ProcessReference>(builder, std::move(config));
}

}  // namespace kw::eval
