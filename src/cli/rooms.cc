#include "rooms.h"

#include <cstdlib>

#include "kw/base.h"

namespace kw::cli {
namespace {

std::string Variable(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? "" : value;
}

Result<std::unique_ptr<ChatModel>> OpenModel(const RunConfig& config, const std::string& home) {
  if (config.model == "simulated") {
    return MakeSimulatedAuthor(home + "/data/models/simulated_author.toml");
  }
  return MakeHttpModel(EndpointOf(config, home));
}

}  // namespace

RunRooms OpenRooms::View() const {
  return {.model = model.get(),
          .evaluator = evaluator.get(),
          .tasks = &*tasks,
          .bank = bank.get(),
          .prompts = home + "/prompts",
          .clock = &SystemClock()};
}

HttpModelConfig EndpointOf(const RunConfig& config, const std::string& home) {
  std::string key = Variable(config.api_key_env);
  if (key.empty()) key = Variable("OPENAI_API_KEY");
  return {.base_url = config.base_url,
          .api_key = key,
          .max_in_flight = config.max_in_flight,
          .request_timeout_ms = int64_t{1000} * config.timeout_s,
          .prices_file = home + "/data/models/prices.toml"};
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
  KW_ASSIGN(rooms.model, OpenModel(config, rooms.home));

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
    KW_ASSIGN(rooms.bank, Bank::Open(BankPath(config), MakeHashEmbedder()));
  }
  return rooms;
}

}  // namespace kw::cli
