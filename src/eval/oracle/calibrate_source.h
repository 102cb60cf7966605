// Other forms of a task's reference.cpp, made by wrapping its text: each is a reference itself,
// built and run in the same cage, with one more var axis that says what to do.
#pragma once

#include <string>
#include <vector>

#include "kw/eval/calibration.h"

namespace kw::eval {

extern const char kCalibrateNumberText[];  // calibrate_number.h

// The task with another source in place of reference.cpp, for which Reference::EvaluateOn answers.
Task AlternativeTask(const Task& task, const std::string& source);

// The task whose reference, or `source` in its place, computes as a member does: `double` is the
// number of calibrate_number.h. Of its cases, kwright_variant is the member's place in `members`.
// Its last output, one integer, is how many results of finite operands the member could not hold.
Task MemberTask(const Task& task, const std::string& source,
                const std::vector<CalibrationMember>& members);

// The task whose reference finds its outputs filled with an ordinary number (kwright_variant 1)
// instead of the oracle's poison (0).
Task FilledTask(const Task& task);

inline constexpr char kVariantAxis[] = "kwright_variant";
// A case of such a task.
Case VariantCase(Case c, size_t variant);

}  // namespace kw::eval
