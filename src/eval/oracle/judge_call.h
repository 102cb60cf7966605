// What one call of a case came to.
#pragma once

#include <optional>
#include <string_view>

#include "kw/eval/oracle.h"

namespace kw::eval {

// A report when the call failed, left a hazard or is wrong; `comparison` is set where outputs were
// compared. `hint` follows what is said of a wrong result.
[[nodiscard]] Result<std::optional<OracleReport>> JudgeCall(const Task& task, const Case& c,
                                                            const CallOutcome& outcome,
                                                            Reference& reference,
                                                            std::string_view hint,
                                                            Comparison& comparison);

// A result that is wrong, of status INCORRECT_NUMERICAL.
OracleReport WrongResult(const Case& c, std::string reason);

}  // namespace kw::eval
