// The steps of CheckTask, one a promise that a task folder makes.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "kw/eval/calibration.h"

namespace kw::eval {

// What all steps look at; computed once.
struct CheckedCase {
  Case c;
  CaseInputs inputs;
  std::shared_ptr<const Expected> expected;
};

// Nothing when the two are the same to the bit, else which output and element differs:
// "element 3 of 'y'".
std::string DifferenceOf(const Task& task, const Expected& a, const Expected& b);
// "case c03 (group original; cols=33, rows=1)"
std::string PlaceOf(const Case& c);

Result<CheckStep> CheckInputsMatter(const Task& task, const std::vector<CheckedCase>& cases,
                                    Reference& reference);
Result<CheckStep> CheckAxesMatter(const Task& task, const std::vector<CheckedCase>& cases,
                                  Reference& reference);
// That the comparison finds an element that is off, and an output that was never computed.
Result<CheckStep> CheckFaultsAreFound(const Task& task, const std::vector<CheckedCase>& cases,
                                      Reference& reference);
CheckStep CheckExpectedValues(const Task& task, const std::vector<CheckedCase>& cases);
Result<CheckStep> CheckTolerance(const Task& task, const Alternatives& alternatives,
                                 const std::vector<CheckedCase>& cases, Reference& reference);
// That alternatives compute, in fp64, what the reference does.
Result<CheckStep> CheckAlternatives(const Task& task, const Alternatives& alternatives,
                                    const std::vector<CheckedCase>& cases, Reference& reference);

}  // namespace kw::eval
