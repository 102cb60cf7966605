// Which test shows which instruction: the tables' rows, and what is shown elsewhere.
#pragma once

#include <string>
#include <string_view>

#include "table.h"

namespace kw::eval::conformance {

// An opcode that is no function of one lane's operands.
struct Elsewhere {
  std::string_view opcode, forms, test;
};
const std::vector<Elsewhere>& ShownElsewhere();

// docs/design/emulator-coverage.md.
std::string CoveragePage();

}  // namespace kw::eval::conformance
