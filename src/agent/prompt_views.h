// What the prompts say of tasks, devices, attempts and lessons: the values that the templates in
// prompts/ are rendered with (docs/formats/prompts.md lists them).
#pragma once

#include <string>
#include <vector>

#include "kw/agent.h"
#include "prompts.h"

namespace kw {

// What learning has to say for one task, as of its recall.
struct Lesson {
  int64_t id = 0;
  std::string title, description;  // empty for a rule
  std::string content;             // a rule's text
};
struct Lessons {
  bool rules = false;  // rules, not memory items
  std::vector<Lesson> lessons;
};

// Everything that an author is told of a task and the device.
PromptValues TaskView(const eval::Task& task, const eval::DeviceSheet& sheet);
// The few words of it that an analysis needs.
PromptValues TaskInBrief(const eval::Task& task);
void AddLessons(PromptValues& values, const Lessons& lessons);

// "PASSED, speedup 1.32 over the baseline (modelled)"; "COMPILE_ERROR at stage build".
std::string VerdictLine(const eval::Verdict& verdict);
// An attempt with its verdict, feedback and source.
PromptValues AttemptView(const AttemptRecord& attempt, std::string title);

// The task's baseline as an attempt: correct, speedup 1, step "baseline".
AttemptRecord BaselineAttempt(const eval::Task& task, const eval::DeviceSheet& sheet);

}  // namespace kw
