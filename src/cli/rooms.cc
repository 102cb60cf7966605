#include "rooms.h"

#include "kw/base.h"

namespace kw::cli {
RunRooms OpenRooms::View() const {
  return {.model = models.author.get(),
          .extractor = models.extractor.get(),
          .merger = models.merger.get(),
          .judge = models.judge.get(),
          .embedder = models.embedder.get(),
          .evaluator = evaluator.get(),
          .tasks = &*tasks,
          .bank = bank.get(),
          .prompts = home + "/prompts",
          .clock = &SystemClock()};
}

std::string BankPath(const RunConfig& config) {
  return config.bank.empty() ? config.dir + "/" + config.name + "/memory.db" : config.bank;
}

Result<eval::TaskLibrary> OpenTasks() {
  KW_ASSIGN(const std::string home, ProgramHome());
  return eval::TaskLibrary::Open(home + "/data/tasks");
}

Result<std::unique_ptr<eval::Evaluator>> OpenEvaluator(const std::string& device, int workers,
                                                       bool use_verdict_cache) {
  eval::EvaluatorConfig config;
  KW_ASSIGN(config.home, ProgramHome());
  KW_ASSIGN(config.cache, CacheDirectory());
  config.device = device;
  config.workers = workers;
  config.use_verdict_cache = use_verdict_cache;
  return eval::MakeEvaluator(config);
}

Result<OpenRooms> OpenRoomsFor(const RunConfig& config) {
  OpenRooms rooms;
  KW_ASSIGN(rooms.home, ProgramHome());
  KW_ASSIGN(rooms.tasks, eval::TaskLibrary::Open(rooms.home + "/data/tasks"));
  KW_ASSIGN(rooms.models, OpenModelsOf(config, rooms.home));

  eval::EvaluatorConfig evaluator;
  evaluator.home = rooms.home;
  KW_ASSIGN(evaluator.cache, CacheDirectory());
  evaluator.replays = config.dir + "/" + config.name + "/replays";
  evaluator.device = config.device;
  evaluator.workers = config.workers;
  evaluator.worker_command = config.worker_command;
  KW_ASSIGN(rooms.evaluator, eval::MakeEvaluator(evaluator));

  if (config.learner != "none") {
    KW_TRY(MakeDirectories(config.dir + "/" + config.name));
    auto embedder =
        rooms.models.embedder ? MakeBankEmbedder(rooms.models.embedder) : MakeHashEmbedder();
    KW_ASSIGN(rooms.bank, Bank::Open(BankPath(config), std::move(embedder)));
  }
  return rooms;
}

}  // namespace kw::cli
