#include "models.h"

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>

#include "kw/base.h"
#include "kw/response_cache.h"

namespace kw::cli {
namespace {

constexpr std::string_view kSimulated = "simulated";

std::string Variable(const std::string& name) {
  const char* value = name.empty() ? nullptr : std::getenv(name.c_str());
  return value == nullptr ? "" : value;
}

// Opens models of one run: they share a thread and a table.
class Opener {
 public:
  Opener(const RunConfig& config, std::string home, std::shared_ptr<const ModelTable> table)
      : config_(config), home_(std::move(home)), table_(std::move(table)) {}

  Result<void> OpenCache() {
    KW_ASSIGN(const CacheMode mode, ParseCacheMode(config_.cache));
    if (mode == CacheMode::kOff) return {};
    const std::string file = config_.cache_file.empty()
                                 ? config_.dir + "/" + config_.name + "/answers.db"
                                 : config_.cache_file;
    const std::string folder = std::filesystem::path(file).parent_path();
    if (mode == CacheMode::kRecord && !folder.empty()) KW_TRY(MakeDirectories(folder));
    KW_ASSIGN(cache_, ResponseCache::Open(file, mode));
    return {};
  }

  Result<std::unique_ptr<ChatModel>> Open(const NamedModel& named) {
    std::unique_ptr<ChatModel> model;
    if (named.name == kSimulated) {
      KW_ASSIGN(model, MakeSimulatedAuthor(home_ + "/data/models/simulated_author.toml"));
    } else if (config_.cache != "replay") {
      KW_TRY(CheckPrice(named.name));
      KW_ASSIGN(HttpModelConfig endpoint, EndpointOf(named, config_, table_));
      endpoint.io = io_;
      KW_ASSIGN(model, MakeHttpModel(std::move(endpoint)));
    }
    if (!cache_) return model;
    return MakeCachingModel(std::move(model), cache_, Variant());
  }

  Result<std::unique_ptr<ChatModel>> OpenAuthors() {
    const std::vector<std::string> names = AuthorsOf(config_);
    if (names.size() == 1) return Open(Author(names[0]));
    std::map<std::string, std::unique_ptr<ChatModel>> authors;
    for (const std::string& name : names) {
      if (authors.contains(name)) {
        return Fail(ErrorCode::kInvalid, "model.name holds '" + name + "' twice");
      }
      KW_ASSIGN(authors[name], Open(Author(name)));
    }
    return MakeRouter(std::move(authors));
  }

  // None where it is the first author.
  Result<std::unique_ptr<ChatModel>> OpenRole(const RoleConfig& role) {
    const NamedModel own = NamedModelOf(role), authors = Author(AuthorsOf(config_).front());
    if (own.name == authors.name && own.base_url == authors.base_url && own.api == authors.api &&
        own.api_key_env == authors.api_key_env) {
      return std::unique_ptr<ChatModel>();
    }
    return Open(own);
  }

  Result<std::shared_ptr<ModelEmbedder>> OpenEmbedder() {
    const RoleConfig& role = config_.embedder;
    if (role.model.empty()) return std::shared_ptr<ModelEmbedder>();
    const NamedModel named = NamedModelOf(role);
    const Result<ModelAddress> address = AddressOf(named, *table_);
    std::unique_ptr<EmbeddingModel> model;
    if (named.name == kSimulated) {
      return Fail(ErrorCode::kInvalid,
                  "model.embedder.name: the simulated author makes no vectors; leave it out for "
                  "the built-in embedder");
    }
    if (config_.cache != "replay") {
      KW_ASSIGN(HttpModelConfig endpoint, EndpointOf(named, config_, table_));
      KW_TRY(CheckEmbeds(named.name, endpoint.api));
      KW_TRY(CheckPrice(named.name));
      endpoint.io = io_;
      const std::string sent = endpoint.model;
      KW_ASSIGN(model, MakeHttpEmbedder(std::move(endpoint), sent));
    }
    if (cache_) {
      KW_ASSIGN(model, MakeCachingEmbedder(std::move(model), cache_, role.model));
    }
    // A replay asks nobody, and needs no address.
    return std::make_shared<ModelEmbedder>(std::move(model),
                                           address ? VectorsBy(*address) : role.model);
  }

 private:
  // A cap on the cost of what has no price would never be reached.
  Result<void> CheckPrice(const std::string& name) const {
    const auto capped = [](const RoleConfig& role) { return role.max_cost_usd > 0; };
    const bool any = config_.max_cost_usd > 0 || config_.author_max_cost_usd > 0 ||
                     capped(config_.extractor) || capped(config_.merger) || capped(config_.judge) ||
                     capped(config_.embedder);
    if (!any || table_->HasPrice(name)) return {};
    return Fail(ErrorCode::kInvalid,
                "the cost is capped (max_cost_usd), but no price of '" + name +
                    "' is known: add it to a table of your own (docs/formats/models.md; 0 where it "
                    "is free), or cap tokens (--max-tokens) or calls (--max-calls) instead");
  }

  static Result<void> CheckEmbeds(const std::string& name, ApiKind api) {
    if (api != ApiKind::kAnthropic) return {};
    return Fail(ErrorCode::kInvalid, "model.embedder.name = '" + name +
                                         "': Anthropic's API makes no embeddings; name a model at "
                                         "an OpenAI-compatible endpoint");
  }

  // A model by its provider; without one its name says little, and its address counts too.
  static std::string VectorsBy(const ModelAddress& address) {
    if (!address.provider.empty()) return address.provider + "/" + address.model;
    std::string url = address.base_url;
    const size_t host = url.find("://"), at = url.rfind('@');
    if (host != url.npos && at != url.npos && at > host) url.erase(host + 3, at - host - 2);
    return address.model + " at " + url;
  }

  // What of the client decides an answer's text.
  std::string Variant() const {
    const RunawayConfig& guard = config_.guard;
    std::string text = !config_.stream || !guard.enabled
                           ? "guard:off"
                           : fmt::format("guard:{},{},{},{}", guard.unit_tokens,
                                         guard.unit_characters, guard.repeats, guard.kept);
    if (config_.stream && config_.stop_when_complete) text += " stop_when_complete";
    return text;
  }

  NamedModel Author(const std::string& name) const {
    return {name, config_.base_url, config_.api, config_.api_key_env};
  }
  // A model without an endpoint of its own is where the table says, else where the author is.
  NamedModel NamedModelOf(const RoleConfig& role) const {
    NamedModel named = {role.model, role.base_url, role.api, role.api_key_env};
    if (named.base_url.empty() && named.name != kSimulated &&
        !table_->Resolve(named.name, "", Variable)) {
      named.base_url = config_.base_url;
      if (named.api.empty()) named.api = config_.api;
    }
    return named;
  }

  const RunConfig& config_;
  const std::string home_;
  const std::shared_ptr<const ModelTable> table_;
  const std::shared_ptr<HttpIo> io_ = MakeHttpIo();
  std::shared_ptr<ResponseCache> cache_;
};

}  // namespace

Result<std::shared_ptr<const ModelTable>> OpenModelTable(const std::string& home,
                                                         const std::string& file) {
  std::vector<std::string> files = {home + "/data/models/models.toml"};
  std::string own = file.empty() ? Variable("KWRIGHT_MODELS") : file;
  if (own.empty()) {
    std::string folder = Variable("XDG_CONFIG_HOME");
    if (folder.empty()) folder = Variable("HOME") + "/.config";
    const std::string usual = folder + "/kwright/models.toml";
    if (FileExists(usual)) own = usual;
  }
  if (!own.empty()) files.push_back(own);
  KW_ASSIGN(ModelTable table, ModelTable::Load(files));
  return std::make_shared<const ModelTable>(std::move(table));
}

Result<ModelAddress> AddressOf(const NamedModel& named, const ModelTable& table) {
  return table.Resolve(named.name, named.base_url, Variable);
}

Result<HttpModelConfig> EndpointOf(const NamedModel& named, const RunConfig& config,
                                   std::shared_ptr<const ModelTable> table) {
  KW_ASSIGN(const ModelAddress address, AddressOf(named, *table));
  HttpModelConfig endpoint;
  endpoint.base_url = address.base_url;
  endpoint.model = address.model;
  endpoint.api = address.api;
  if (!named.api.empty()) {
    endpoint.api = named.api == "anthropic" ? ApiKind::kAnthropic : ApiKind::kOpenAi;
  }
  // The variable that is named, then the provider's; OPENAI_API_KEY for endpoints of no provider.
  std::vector<std::string> variables = {named.api_key_env};
  variables.insert(variables.end(), address.key_variables.begin(), address.key_variables.end());
  if (address.provider.empty()) variables.emplace_back("OPENAI_API_KEY");
  for (const std::string& variable : variables) {
    if (endpoint.api_key.empty()) endpoint.api_key = Variable(variable);
  }
  endpoint.ca_file = Variable("SSL_CERT_FILE");
  endpoint.max_completion_tokens = address.max_completion_tokens;
  endpoint.fixed_temperature = address.fixed_temperature;
  endpoint.stream = {.on = config.stream, .guard = config.guard};
  endpoint.max_in_flight = config.max_in_flight;
  endpoint.requests_per_minute = config.requests_per_minute;
  endpoint.tokens_per_minute = config.tokens_per_minute;
  endpoint.request_timeout_ms = int64_t{1000} * config.timeout_s;
  endpoint.stall_timeout_ms = int64_t{1000} * config.stall_timeout_s;
  endpoint.max_retries = config.max_retries;
  endpoint.table = std::move(table);
  return endpoint;
}

Result<OpenModels> OpenModelsOf(const RunConfig& config, const std::string& home) {
  KW_ASSIGN(std::shared_ptr<const ModelTable> table, OpenModelTable(home, config.model_table));
  Opener opener(config, home, std::move(table));
  KW_TRY(opener.OpenCache());
  OpenModels models;
  KW_ASSIGN(models.author, opener.OpenAuthors());
  KW_ASSIGN(models.extractor, opener.OpenRole(config.extractor));
  KW_ASSIGN(models.merger, opener.OpenRole(config.merger));
  KW_ASSIGN(models.judge, opener.OpenRole(config.judge));
  KW_ASSIGN(models.embedder, opener.OpenEmbedder());
  return models;
}

Result<std::shared_ptr<ModelEmbedder>> OpenEmbedderOf(const RunConfig& config,
                                                      const std::string& home) {
  KW_ASSIGN(std::shared_ptr<const ModelTable> table, OpenModelTable(home, config.model_table));
  Opener opener(config, home, std::move(table));
  KW_TRY(opener.OpenCache());
  return opener.OpenEmbedder();
}

}  // namespace kw::cli
