// StartRun and ResumeRun with the seam at which tests kill them.
#pragma once

#include "config.h"
#include "journal.h"
#include "kw/agent.h"

namespace kw {

[[nodiscard]] Result<RunRecord> StartRunWith(const RunConfig& config, const RunRooms& rooms,
                                             RunObserver& observer, std::function<bool()> cancelled,
                                             Journal::Seam seam);
[[nodiscard]] Result<RunRecord> ResumeRunWith(const std::string& folder, const RunRooms& rooms,
                                              RunObserver& observer,
                                              std::function<bool()> cancelled,
                                              const Overrides& overrides, Journal::Seam seam);

// A run's record from its journal.
[[nodiscard]] Result<RunRecord> RecordOf(const Journal& journal, const std::string& folder);

}  // namespace kw
