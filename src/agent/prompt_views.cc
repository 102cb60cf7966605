#include "prompt_views.h"

#include <fmt/format.h>

#include "kw/base/hash.h"
#include "kw/base/text.h"

namespace kw {
namespace {

using eval::InputKind;
using eval::Task;
using eval::Tensor;

std::string DomainOf(const Tensor& input) {
  std::vector<std::string> parts;
  if (input.kind == InputKind::kPositive) parts.push_back("positive values");
  if (input.kind == InputKind::kIndex) {
    parts.push_back(fmt::format("indices from 0 up to, not with, {}", input.index_of));
  }
  if (input.kind == InputKind::kIndptr) {
    parts.push_back(
        fmt::format("offsets that begin with 0, never fall, and end with {}", input.indptr_total));
  }
  if (input.kind == InputKind::kPermutation) {
    parts.push_back(fmt::format("a permutation of 0 up to, not with, {}", input.index_of));
  }
  if (input.unique) parts.push_back("no value twice");
  if (input.range) {
    parts.push_back(fmt::format("values in [{}, {}]", input.range->first, input.range->second));
  }
  if (!input.values.empty())
    parts.push_back(fmt::format("one of {}", fmt::join(input.values, ", ")));
  return Join(parts, ", ");
}

std::string AccuracyOf(const Task& task, const Tensor& output) {
  if (!output.selects.empty()) {
    return fmt::format("judged by the values of {} that it selects", output.selects);
  }
  auto tolerance = task.tolerance.find(output.dtype);
  if (!eval::IsFloat(output.dtype) || tolerance == task.tolerance.end()) return "exact";
  if (tolerance->second.relative == 0) {
    return fmt::format("each element within {} of the reference", tolerance->second.absolute);
  }
  return fmt::format("each element within {} + {} * |reference| of the reference",
                     tolerance->second.absolute, tolerance->second.relative);
}

PromptValues TensorView(const Task& task, const Tensor& tensor) {
  PromptValues view;
  view.Text("name", tensor.name)
      .Text("dtype", std::string(eval::DTypeName(tensor.dtype)))
      .Text("shape", Join(tensor.shape, ", "))
      .Text("description", tensor.description)
      .Text("domain", DomainOf(tensor))
      .Text("accuracy", AccuracyOf(task, tensor))
      .Flag("is_scalar", tensor.is_scalar);
  return view;
}

std::vector<PromptValues> TensorViews(const Task& task, const std::vector<Tensor>& tensors) {
  std::vector<PromptValues> views;
  for (const Tensor& tensor : tensors) views.push_back(TensorView(task, tensor));
  return views;
}

std::string ShapeOf(const Task& task, const eval::Workload& workload) {
  std::vector<std::string> parts;
  for (const eval::Axis& axis : task.axes) {
    auto size = workload.axes.find(axis.name);
    if (axis.is_var && size != workload.axes.end()) {
      parts.push_back(fmt::format("{} = {}", axis.name, size->second));
    }
  }
  for (const auto& [name, value] : workload.scalars) {
    parts.push_back(fmt::format("{} = {}", name, value));
  }
  return parts.empty() ? "its constant shape" : Join(parts, ", ");
}

void AddDevice(PromptValues& values, const eval::DeviceSheet& sheet) {
  values.Text("device_title", sheet.title)
      .Text("compute_capability", fmt::format("{}.{}", sheet.sm / 10, sheet.sm % 10))
      .Text("sm_count", fmt::format("{}", sheet.sm_count))
      .Text("clock_ghz", fmt::format("{:.2f}", sheet.clock_ghz))
      .Text("dram_gbps", fmt::format("{:.0f}", sheet.dram_gbps))
      .Text("l2_mib", fmt::format("{:.0f}", static_cast<double>(sheet.l2_bytes) / (1 << 20)))
      .Text("shared_kib", fmt::format("{}", sheet.shared_per_block / 1024))
      .Text("shared_optin_kib", fmt::format("{}", sheet.shared_per_block_optin / 1024))
      .Text("max_threads_per_block", fmt::format("{}", sheet.max_threads_per_block))
      .Text("max_threads_per_sm", fmt::format("{}", sheet.max_threads_per_sm))
      .Text("fp32_tflops", fmt::format("{:.1f}", sheet.fp32_tflops));
}

}  // namespace

PromptValues TaskInBrief(const Task& task) {
  PromptValues values;
  values.Text("name", task.name)
      .Text("op_type", task.op_type)
      .Text("description", ToValidUtf8(Trim(task.description)))
      .Text("prototype", eval::Prototype(task));
  return values;
}

PromptValues TaskView(const Task& task, const eval::DeviceSheet& sheet) {
  PromptValues values = TaskInBrief(task);
  values.Text("reference", ToValidUtf8(Trim(task.reference_python)))
      .List("inputs", TensorViews(task, task.inputs))
      .List("outputs", TensorViews(task, task.outputs))
      .Text("libraries", Join(task.allowed_libraries, ", "));
  std::vector<PromptValues> axes, constraints, workloads;
  for (const eval::Axis& axis : task.axes) {
    axes.emplace_back()
        .Text("name", axis.name)
        .Text("value", fmt::format("{}", axis.value))
        .Text("description", axis.description)
        .Flag("is_const", !axis.is_var);
  }
  for (const std::string& constraint : task.constraints) {
    constraints.emplace_back().Text("text", constraint);
  }
  for (const eval::Workload& workload : task.workloads) {
    workloads.emplace_back().Text("text", ShapeOf(task, workload));
  }
  values.List("axes", std::move(axes))
      .List("constraints", std::move(constraints))
      .List("workloads", std::move(workloads));
  AddDevice(values, sheet);
  return values;
}

void AddLessons(PromptValues& values, const Lessons& lessons) {
  std::vector<PromptValues> items, rules;
  for (const Lesson& lesson : lessons.lessons) {
    if (lessons.rules) {
      rules.emplace_back().Text("text", lesson.content);
    } else {
      items.emplace_back()
          .Text("title", lesson.title)
          .Text("description", lesson.description)
          .Text("content", lesson.content);
    }
  }
  values.List("items", std::move(items)).List("rules", std::move(rules));
}

std::string VerdictLine(const eval::Verdict& verdict) {
  if (verdict.passed()) {
    std::string kind = verdict.timing_kind.empty() ? "" : fmt::format(" ({})", verdict.timing_kind);
    return fmt::format("PASSED, speedup {:.2f} over the baseline{}", verdict.speedup, kind);
  }
  return fmt::format("{} at stage {}", eval::StatusName(verdict.status), verdict.stage);
}

PromptValues AttemptView(const AttemptRecord& attempt, std::string title) {
  PromptValues view;
  view.Text("title", std::move(title))
      .Text("verdict", VerdictLine(attempt.verdict))
      .Text("feedback", ToValidUtf8(Trim(attempt.verdict.feedback)))
      .Text("source", ToValidUtf8(Trim(attempt.source)));
  return view;
}

AttemptRecord BaselineAttempt(const Task& task, const eval::DeviceSheet& sheet) {
  AttemptRecord record;
  record.task = task.name;
  record.step = "baseline";
  record.source = task.BaselineFor(sheet.sm);
  record.verdict.status = eval::Status::kPassed;
  record.verdict.stage = "confirm";
  record.verdict.task_name = task.name;
  record.verdict.task_hash = task.hash;
  record.verdict.candidate_hash = ContentHash(record.source);
  record.verdict.device_name = sheet.name;
  record.verdict.speedup = 1;
  record.verdict.timing_kind.clear();
  return record;
}

}  // namespace kw
