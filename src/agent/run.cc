#include "run.h"

#include <fmt/format.h>

#include <set>

#include "kw/base/clock.h"
#include "kw/base/file.h"
#include "kw/base/log.h"
#include "loop.h"

namespace kw {
namespace {

using eval::Task;

Result<std::vector<Task>> LoadTasks(const RunConfig& config, const eval::TaskLibrary& library) {
  std::vector<Task> tasks;
  std::set<std::string> names;
  for (const std::string& name : config.tasks) {
    KW_ASSIGN(Task task, library.Load(name));
    if (!names.insert(task.name).second) {
      return Fail(ErrorCode::kInvalid,
                  fmt::format("run.tasks holds the task '{}' twice", task.name));
    }
    tasks.push_back(std::move(task));
  }
  return tasks;
}

Result<void> CheckRooms(const RunConfig& config, const RunRooms& rooms) {
  if (rooms.model == nullptr || rooms.evaluator == nullptr || rooms.tasks == nullptr ||
      rooms.clock == nullptr) {
    return Fail(ErrorCode::kInternal, "a run needs a model, an evaluator, tasks and a clock");
  }
  if (rooms.bank == nullptr && config.learner != "none") {
    return Fail(ErrorCode::kInternal,
                fmt::format("the learner {} needs a memory bank", config.learner));
  }
  return {};
}

Result<RunHeader> NewHeader(const RunConfig& config, const RunRooms& rooms,
                            const std::vector<Task>& tasks, const PromptSet& prompts) {
  RunHeader header{.uuid = FreshUuid(),
                   .name = config.name,
                   .config = RunConfigToJson(config),
                   .prompts_hash = prompts.hash(),
                   .model_description = rooms.model->Describe(),
                   .device = rooms.evaluator->sheet().name,
                   .simulated = rooms.model->simulated(),
                   .started_unix_us = rooms.clock->UnixMicros()};
  if (rooms.bank != nullptr) {
    KW_ASSIGN(header.bank_sequence, rooms.bank->Sequence());
  }
  for (const Task& task : tasks) {
    header.tasks.push_back(task.name);
    header.task_hashes.push_back(task.hash);
  }
  return header;
}

// What was there when the run began must be there still: its steps were done with it.
Result<void> CheckUnchanged(const RunHeader& header, const RunRooms& rooms,
                            const std::vector<Task>& tasks, const PromptSet& prompts) {
  auto changed = [&](const std::string& what) {
    return Fail(ErrorCode::kConflict,
                fmt::format("{} changed since the run {} began: restore what was there to resume "
                            "it, or start another run",
                            what, header.name));
  };
  if (prompts.hash() != header.prompts_hash) {
    return changed(fmt::format("the prompts in {}", rooms.prompts));
  }
  if (rooms.model->simulated() != header.simulated) return changed("the kind of model");
  if (rooms.evaluator->sheet().name != header.device) return changed("the device");
  if (tasks.size() != header.tasks.size()) return changed("the list of tasks");
  for (size_t i = 0; i < tasks.size(); ++i) {
    if (tasks[i].name != header.tasks[i] || tasks[i].hash != header.task_hashes[i]) {
      return changed(fmt::format("the task {}", header.tasks[i]));
    }
  }
  return {};
}

Result<void> GoRound(const std::string& folder, const RunConfig& config, const RunRooms& rooms,
                     const std::vector<Task>& tasks, const PromptSet& prompts, Journal& journal,
                     Reporter& reporter, std::function<bool()> cancelled) {
  Steps steps(config, rooms, journal, std::move(cancelled));
  Chronicle chronicle(folder, journal, rooms.bank, reporter);
  KW_ASSIGN(std::unique_ptr<Method> method, MakeMethod(config.method, prompts, steps));
  KW_ASSIGN(std::unique_ptr<Learner> learner,
            MakeLearner(config.learner, {.config = config,
                                         .prompts = prompts,
                                         .sheet = rooms.evaluator->sheet(),
                                         .journal = journal,
                                         .steps = steps,
                                         .bank = config.learner == "none" ? nullptr : rooms.bank,
                                         .history = chronicle.history()}));
  AttemptRooms attempts{config, rooms, steps, reporter};
  return RunEpochs({config, tasks, attempts, *method, *learner, chronicle});
}

// Runs the loop and leaves the run's state in the journal, whatever came of it.
Result<RunRecord> RunToEnd(const std::string& folder, const RunConfig& config,
                           const RunRooms& rooms, const std::vector<Task>& tasks,
                           const PromptSet& prompts, Journal& journal, RunObserver& observer,
                           std::function<bool()> cancelled) {
  Reporter reporter(observer);
  KW_ASSIGN(RunRecord before, RecordOf(journal, folder));
  reporter.Began(before, static_cast<int>(before.attempts.size()));
  Result<void> done =
      GoRound(folder, config, rooms, tasks, prompts, journal, reporter, std::move(cancelled));
  if (!done) {
    const Error& error = done.error();
    bool broken = error.code == ErrorCode::kCorrupt || error.code == ErrorCode::kInternal;
    auto noted = journal.SetState({broken ? "failed" : "stopped", error.ToString()});
    if (!noted) log::Debug("the run's state was not written: " + noted.error().ToString());
    return Fail(done.error());
  }
  KW_TRY(journal.SetState({"finished", ""}));
  return RecordOf(journal, folder);
}

}  // namespace

Result<RunRecord> StartRunWith(const RunConfig& config, const RunRooms& rooms,
                               RunObserver& observer, std::function<bool()> cancelled,
                               Journal::Seam seam) {
  KW_TRY(CheckRooms(config, rooms));
  if (config.name.empty()) return Fail(ErrorCode::kInvalid, "the run has no name (run.name)");
  KW_ASSIGN(PromptSet prompts, PromptSet::Load(rooms.prompts));
  KW_ASSIGN(std::vector<Task> tasks, LoadTasks(config, *rooms.tasks));
  KW_ASSIGN(RunHeader header, NewHeader(config, rooms, tasks, prompts));
  const std::string folder = config.dir + "/" + config.name;
  KW_ASSIGN(std::unique_ptr<Journal> journal, Journal::Create(folder, header, std::move(seam)));
  return RunToEnd(folder, config, rooms, tasks, prompts, *journal, observer, std::move(cancelled));
}

Result<RunRecord> ResumeRunWith(const std::string& folder, const RunRooms& rooms,
                                RunObserver& observer, std::function<bool()> cancelled,
                                const Overrides& overrides, Journal::Seam seam) {
  KW_ASSIGN(std::unique_ptr<Journal> journal, Journal::Open(folder, std::move(seam)));
  KW_ASSIGN(RunState state, journal->State());
  if (state.state == "finished") {
    log::Warn(
        fmt::format("the run {} is finished already: nothing to resume", journal->header().name));
    return RecordOf(*journal, folder);
  }
  KW_ASSIGN(RunConfig config, RunConfigFromJson(journal->header().config));
  KW_TRY(OverrideOnResume(config, overrides));
  KW_TRY(CheckRooms(config, rooms));
  KW_ASSIGN(PromptSet prompts, PromptSet::Load(rooms.prompts));
  KW_ASSIGN(std::vector<Task> tasks, LoadTasks(config, *rooms.tasks));
  KW_TRY(CheckUnchanged(journal->header(), rooms, tasks, prompts));
  if (!overrides.empty()) KW_TRY(journal->SetConfig(RunConfigToJson(config)));
  KW_TRY(journal->SetState({"running", ""}));
  return RunToEnd(folder, config, rooms, tasks, prompts, *journal, observer, std::move(cancelled));
}

Result<RunRecord> StartRun(const RunConfig& config, const RunRooms& rooms, RunObserver& observer,
                           std::function<bool()> cancelled) {
  return StartRunWith(config, rooms, observer, std::move(cancelled), {});
}

Result<RunRecord> ResumeRun(const std::string& folder, const RunRooms& rooms, RunObserver& observer,
                            std::function<bool()> cancelled,
                            const std::vector<std::pair<std::string, std::string>>& overrides) {
  return ResumeRunWith(folder, rooms, observer, std::move(cancelled), overrides, {});
}

}  // namespace kw
