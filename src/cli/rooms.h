// Opens the rooms that a run works with, as its configuration says.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "kw/agent.h"
#include "models.h"

namespace kw::cli {

struct OpenRooms {
  std::string home;
  OpenModels models;
  std::unique_ptr<eval::Evaluator> evaluator;
  std::optional<eval::TaskLibrary> tasks;
  std::unique_ptr<Bank> bank;  // none when the learner is none
  RunRooms View() const;
};
Result<OpenRooms> OpenRoomsFor(const RunConfig& config);

// The bank of a run: learner.bank, or memory.db in the run's folder.
std::string BankPath(const RunConfig& config);

// An evaluator for a device, with the program's home and cache.
Result<std::unique_ptr<eval::Evaluator>> OpenEvaluator(const std::string& device, int workers,
                                                       bool use_verdict_cache);
Result<eval::TaskLibrary> OpenTasks();

}  // namespace kw::cli
