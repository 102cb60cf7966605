// Any answer is taken or refused with a reason, and what is taken passes the check of files.
#include <algorithm>
#include <cstdint>
#include <string_view>

#include "kw/base/error.h"
#include "kw/eval/extract.h"

namespace {

using kw::eval::Extraction;
using kw::eval::Task;

Task AnyTask() {
  Task task;
  task.name = "any";
  task.axes = {{.name = "n", .is_var = true}};
  task.inputs = {{.name = "x", .shape = {"n"}}, {.name = "scale", .is_scalar = true}};
  task.outputs = {{.name = "y", .shape = {"n"}}};
  return task;
}

void CheckExtraction(const Extraction& taken) {
  KW_CHECK(taken.ok == taken.reason.empty(), "a refusal has a reason");
  KW_CHECK(taken.ok == taken.feedback.empty(), "and advice");
  KW_CHECK(!taken.ok || !taken.source.empty(), "what is taken is not empty");
  const auto lines = 1 + std::count(taken.source.begin(), taken.source.end(), '\n');
  KW_CHECK(taken.line >= 0 && taken.line <= lines, "the line is one of the source's");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Task task = AnyTask();
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const Extraction taken = kw::eval::ExtractCandidate(text, "stop", task);
  CheckExtraction(taken);
  if (taken.ok) {
    KW_CHECK(kw::eval::PrecheckSource(taken.source, task).ok, "the file is good too");
  }
  CheckExtraction(kw::eval::PrecheckSource(text, task));
  KW_CHECK(!kw::eval::ExtractCandidate(text, "length", task).ok, "cut answers are never taken");
  return 0;
}
