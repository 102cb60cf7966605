// What holds of every native task: its folder is whole, its files agree with each other, and
// docs/formats/task.md lists it.
#include <gtest/gtest.h>

#include <cctype>
#include <set>

#include "kw/base/file.h"
#include "kw/base/text.h"
#include "kw/eval/task.h"

namespace kw::eval {
namespace {

std::vector<Task> NativeTasks() {
  const std::string root = std::string(KW_SOURCE_DIR) + "/data/tasks";
  const Result<TaskLibrary> library = TaskLibrary::Open(root);
  EXPECT_TRUE(library) << library.error().ToString();
  std::vector<Task> tasks;
  if (!library) return tasks;
  for (const std::string& name : library->Names()) {
    Result<Task> task = library->Load(name);
    EXPECT_TRUE(task) << task.error().ToString();
    if (task) tasks.push_back(*std::move(task));
  }
  return tasks;
}

std::string WithoutSpaces(std::string text) {
  std::erase_if(text, [](unsigned char c) { return std::isspace(c) != 0; });
  return text;
}

std::string Described(const Tensor& tensor) {
  if (tensor.is_scalar) return "scalar `" + tensor.name + "`";
  return "`" + tensor.name + "[" + Join(tensor.shape, ", ") + "]`";
}

// As the table in docs/formats/task.md has it: "`x[n]`, scalar `alpha` -> `y[n]`".
std::string Signature(const Task& task) {
  std::vector<std::string> inputs, outputs;
  for (const Tensor& tensor : task.inputs) inputs.push_back(Described(tensor));
  for (const Tensor& tensor : task.outputs) outputs.push_back(Described(tensor));
  return Join(inputs, ", ") + " -> " + Join(outputs, ", ");
}

TEST(EveryNativeTask, IsOneOfAtLeastThirty) { EXPECT_GE(NativeTasks().size(), 30u); }

TEST(EveryNativeTask, HasAPageThatSaysWhatItTakesAndGives) {
  const auto page = ReadFile(std::string(KW_SOURCE_DIR) + "/docs/formats/task.md");
  ASSERT_TRUE(page);
  for (const Task& task : NativeTasks()) {
    std::string row;
    for (const std::string_view line : Split(*page, '\n')) {
      const std::string_view names = line.substr(0, line.find(" | "));
      if (names.substr(0, 2) != "| ") continue;
      if (names.find("`" + task.name + "`") != std::string_view::npos) row = line;
    }
    EXPECT_NE(row.find(Signature(task)), std::string::npos)
        << "docs/formats/task.md: the row of " << task.name << " must end with\n"
        << Signature(task) << " |\nand is\n"
        << row;
  }
}

TEST(EveryNativeTask, DescribesItsAxesAndTensors) {
  for (const Task& task : NativeTasks()) {
    EXPECT_GT(task.description.size(), 20u) << task.name;
    for (const Axis& axis : task.axes) EXPECT_NE(axis.description, "") << task.name << axis.name;
    for (const auto* tensors : {&task.inputs, &task.outputs}) {
      for (const Tensor& tensor : *tensors) {
        EXPECT_NE(tensor.description, "") << task.name << " " << tensor.name;
      }
    }
  }
}

TEST(EveryNativeTask, HasFilesOfOnePrototype) {
  for (const Task& task : NativeTasks()) {
    EXPECT_NE(WithoutSpaces(task.baseline_cu).find(WithoutSpaces(Prototype(task))),
              std::string::npos)
        << task.name << ": baseline.cu does not have " << Prototype(task);
    std::string prototype = WithoutSpaces(ReferencePrototype(task));
    if (prototype.ends_with(';')) prototype.pop_back();
    EXPECT_NE(WithoutSpaces(task.reference_cpp).find(prototype), std::string::npos)
        << task.name << ": reference.cpp does not have " << ReferencePrototype(task);
  }
}

TEST(EveryNativeTask, HasWorkloadsWithinItsConstraints) {
  for (const Task& task : NativeTasks()) {
    EXPECT_GE(task.workloads.size(), 2u) << task.name;
    std::set<std::map<std::string, int64_t>> shapes;
    for (const Workload& workload : task.workloads) {
      EXPECT_TRUE(shapes.insert(workload.axes).second) << task.name << ": the same shape twice";
      const auto axes = task.AllAxes(workload.axes);
      ASSERT_TRUE(axes) << task.name;
      const auto satisfied = SatisfiesConstraints(task, *axes);
      ASSERT_TRUE(satisfied) << task.name << ": " << satisfied.error().ToString();
      EXPECT_TRUE(*satisfied) << task.name << " " << workload.uuid;
      for (const std::string& cost : {task.cost_flops, task.cost_bytes}) {
        EXPECT_GT(EvaluateExpression(cost, *axes).value(), 0) << task.name << ": " << cost;
      }
    }
  }
}

}  // namespace
}  // namespace kw::eval
