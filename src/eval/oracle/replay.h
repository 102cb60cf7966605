// The text of a stored failure (docs/formats/replay.md).
#pragma once

#include <string>
#include <string_view>

#include "kw/eval/oracle.h"

namespace kw::eval {

std::string FormatReplay(const Replay& replay);
// `where` names the text in errors.
Result<Replay> ParseReplay(std::string_view text, const std::string& where);
// What names a failure: the same task, candidate, case and device give the same id.
std::string ReplayId(const Replay& replay);

}  // namespace kw::eval
