#include "bank_options.h"

#include "models.h"
#include "rooms.h"

namespace kw::cli {

constexpr std::string_view kBuiltIn = "built-in";

void BankOptions::Add(CLI::App& app) {
  app.add_option("--run", run, "A run's bank (default: the newest run that learns)");
  app.add_option("--bank", bank, "A bank's file");
  app.add_option("--dir", dir, "The folder that holds the runs")->capture_default_str();
  app.add_flag("--json", json, "Print JSON");
}

void BankOptions::AddEmbedder(CLI::App& app) {
  app.add_option("--embedder", embedder,
                 "A model for embeddings, or 'built-in' (default: the run's)")
      ->type_name("MODEL");
  app.add_option("--base-url", base_url, "Where it is: an OpenAI-compatible endpoint, with /v1");
}

Result<FoundBank> FindBank(const BankOptions& options) {
  FoundBank found{.path = options.bank};
  if (options.bank.empty()) {
    std::vector<std::string> names = {options.run};
    if (options.run.empty()) {
      KW_ASSIGN(names, ListRuns(options.dir));
    }
    for (const std::string& name : names) {
      KW_ASSIGN(RunConfig config, ReadRunConfig(options.dir + "/" + name));
      if (config.learner == "none" && options.run.empty()) continue;
      config.dir = options.dir;
      found = {BankPath(config), std::move(config)};
      break;
    }
    if (found.path.empty()) {
      return Fail(ErrorCode::kNotFound, "no run in " + options.dir +
                                            "/ has learned anything yet; start one with: kwright "
                                            "run experiments/quickstart.toml");
    }
  }
  if (FileExists(found.path)) return found;
  return Fail(ErrorCode::kNotFound, "there is no bank at '" + found.path + "'");
}

Result<std::unique_ptr<Bank>> OpenBank(const BankOptions& options) {
  KW_ASSIGN(const FoundBank found, FindBank(options));
  return Bank::Open(found.path, nullptr);
}

Result<std::unique_ptr<Embedder>> OpenEmbedder(const BankOptions& options, const FoundBank& found) {
  RunConfig config = found.config.value_or(RunConfig());
  config.cache = "off";  // what is asked here is in no recording
  if (!options.embedder.empty()) {
    config.embedder = {.model = options.embedder, .api_key_env = config.api_key_env};
  }
  if (!options.base_url.empty()) config.embedder.base_url = options.base_url;
  if (config.embedder.model == kBuiltIn) config.embedder.model.clear();
  if (config.embedder.model.empty() && !options.base_url.empty()) {
    return Fail(ErrorCode::kInvalid,
                "--base-url says where, --embedder which model: give both for an embedder at an "
                "endpoint");
  }
  if (config.embedder.model.empty()) return MakeHashEmbedder();
  KW_ASSIGN(const std::string home, ProgramHome());
  KW_ASSIGN(auto model, OpenEmbedderOf(config, home));
  return MakeBankEmbedder(std::move(model));
}

}  // namespace kw::cli
