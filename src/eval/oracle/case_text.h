// Sentences about cases and wrong results, for the author of a kernel.
#pragma once

#include <string>
#include <vector>

#include "kw/eval/oracle.h"

namespace kw::eval {

// "case c03 (rows=7, cols=33, eps=1e-05; inputs all negative)"
std::string DescribeCase(const Case& c);
// What is wrong, the first wrong element, the pattern and what usually repairs it; several lines.
std::string DescribeDifference(const Comparison& comparison);
// The same text, or one that holds it, without what usually causes such a difference.
std::string WithoutAdvice(std::string text, const Comparison& comparison);
// "\n3 cases passed before this one.", or nothing where none did; the last of them is the one that
// failed.
std::string PassedBefore(const std::vector<CaseResult>& cases);
// "kernel.cu:12: text" of a hazard.
std::string DescribeHazard(const Hazard& hazard);

}  // namespace kw::eval
