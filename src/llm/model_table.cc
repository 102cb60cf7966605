#include "kw/model_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "kw/base.h"
#include "kw/base/json.h"

namespace kw {
namespace {

bool IsDigits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// "gpt-4o-2024-08-06", "claude-sonnet-4-20250514", "gemini-1.5-pro-latest" without their ends.
std::string_view WithoutDate(std::string_view name) {
  for (std::string_view end : {"-latest", ":latest", "-preview"}) {
    if (name.size() > end.size() && name.substr(name.size() - end.size()) == end) {
      return name.substr(0, name.size() - end.size());
    }
  }
  const auto part = [&name](size_t from_end, size_t size) {
    return name.size() >= from_end ? name.substr(name.size() - from_end, size) : "";
  };
  if (part(11, 1) == "-" && IsDigits(part(10, 4)) && part(6, 1) == "-" && IsDigits(part(5, 2)) &&
      part(3, 1) == "-" && IsDigits(part(2, 2))) {
    return name.substr(0, name.size() - 11);
  }
  if (part(9, 1) == "-" && IsDigits(part(8, 8))) return name.substr(0, name.size() - 9);
  return name;
}

template <class T>
std::vector<std::string> NamesOf(const std::map<std::string, T, std::less<>>& named) {
  std::vector<std::string> names;
  for (const auto& [name, entry] : named) names.push_back(name);
  return names;
}

// The tables of an array [[what]].
Result<std::vector<const Json*>> TablesOf(ObjectReader& file, const std::string& what) {
  std::vector<const Json*> tables;
  const Json* list = file.Find(what);
  if (list == nullptr) return tables;
  if (!list->is_array()) {
    return Fail(ErrorCode::kInvalid,
                fmt::format("{}: write each {} as a table [[{}]]", file.where(), what, what));
  }
  std::set<std::string> names;
  for (const Json& table : *list) {
    ObjectReader reader(table, file.where() + ": " + what);
    KW_ASSIGN(const std::string name, reader.Required<std::string>("name"));
    if (!names.insert(name).second) {
      return Fail(ErrorCode::kInvalid, fmt::format("{}: {} is there twice", file.where(), name));
    }
    tables.push_back(&table);
  }
  return tables;
}

}  // namespace

Result<ModelTable> ModelTable::Load(const std::vector<std::string>& files) {
  ModelTable table;
  for (const std::string& file : files) {
    KW_ASSIGN(const std::string text, ReadFile(file));
    KW_TRY(table.Add(text, file));
  }
  return table;
}

Result<void> ModelTable::Add(std::string_view toml, const std::string& where) {
  KW_ASSIGN(const Json json, ParseToml(toml, where));
  ObjectReader file(json, where);
  KW_ASSIGN(const int64_t version, file.Required<int64_t>("version"));
  if (version != 1) {
    return Fail(ErrorCode::kInvalid,
                fmt::format("{}: version {} of the table of models is not known; this program "
                            "reads 1",
                            where, version));
  }
  KW_ASSIGN(const std::vector<const Json*> providers, TablesOf(file, "provider"));
  KW_ASSIGN(const std::vector<const Json*> models, TablesOf(file, "model"));
  KW_TRY(file.RejectUnknown());
  for (const Json* provider : providers) {
    ObjectReader reader(*provider, where + ": provider");
    KW_TRY(AddProvider(reader));
  }
  for (const Json* model : models) {
    ObjectReader reader(*model, where + ": model");
    KW_TRY(AddModel(reader));
  }
  return {};
}

Result<void> ModelTable::AddProvider(ObjectReader& reader) {
  KW_ASSIGN(const std::string name, reader.Required<std::string>("name"));
  KW_ASSIGN(const std::string api, reader.Optional<std::string>("api", "openai"));
  if (api != "openai" && api != "anthropic") {
    return Fail(ErrorCode::kInvalid, fmt::format("{} {}: {}", reader.where(), name,
                                                 UnknownName("api", api, {"openai", "anthropic"})));
  }
  if (name.empty() || name.find('/') != std::string::npos) {
    return Fail(ErrorCode::kInvalid,
                fmt::format("{}: its name has no '/', as '{}' has", reader.where(), name));
  }
  using Strings = std::vector<std::string>;
  Provider provider;
  provider.api = api == "anthropic" ? ApiKind::kAnthropic : ApiKind::kOpenAi;
  KW_ASSIGN(provider.base_url, reader.Optional<std::string>("base_url", ""));
  KW_ASSIGN(provider.base_url_variables, reader.Optional<Strings>("base_url_env", {}));
  KW_ASSIGN(provider.key_variables, reader.Optional<Strings>("key_env", {}));
  KW_ASSIGN(provider.at_own_url, reader.Optional<bool>("at_own_url", false));
  KW_TRY(reader.RejectUnknown());
  providers_[name] = std::move(provider);
  return {};
}

Result<void> ModelTable::AddModel(ObjectReader& reader) {
  KW_ASSIGN(const std::string name, reader.Required<std::string>("name"));
  Model model;
  KW_ASSIGN(model.provider, reader.Optional<std::string>("provider", ""));
  KW_ASSIGN(model.input, reader.Required<double>("input"));
  KW_ASSIGN(model.output, reader.Required<double>("output"));
  KW_ASSIGN(model.cached, reader.Optional<double>("cached", model.input));
  KW_ASSIGN(model.context_tokens, reader.Optional<int64_t>("context", 0));
  KW_ASSIGN(model.max_completion_tokens, reader.Optional<bool>("max_completion_tokens", false));
  KW_ASSIGN(model.fixed_temperature, reader.Optional<bool>("fixed_temperature", false));
  KW_TRY(reader.Required<std::string>("as_of"));
  KW_TRY(reader.RejectUnknown());
  if (!(model.input >= 0) || !(model.output >= 0) || !(model.cached >= 0)) {
    return Fail(ErrorCode::kInvalid, fmt::format("{} {}: a price below 0", reader.where(), name));
  }
  if (!model.provider.empty() && !providers_.contains(model.provider)) {
    return Fail(ErrorCode::kInvalid,
                fmt::format("{} {}: {}", reader.where(), name,
                            UnknownName("provider", model.provider, NamesOf(providers_))));
  }
  models_[name] = std::move(model);
  return {};
}

const ModelTable::Model* ModelTable::Find(std::string_view model) const {
  const std::string_view bare = model.substr(model.rfind('/') + 1);
  for (std::string_view name : {model, WithoutDate(model), bare, WithoutDate(bare)}) {
    const auto found = models_.find(name);
    if (found != models_.end()) return &found->second;
  }
  return nullptr;
}

Result<ModelAddress> ModelTable::Resolve(const std::string& name, const std::string& base_url,
                                         Variable variable) const {
  ModelAddress address;
  address.model = name;
  address.base_url = base_url;
  if (const Model* model = Find(name)) {
    address.max_completion_tokens = model->max_completion_tokens;
    address.fixed_temperature = model->fixed_temperature;
    address.context_tokens = model->context_tokens;
    if (base_url.empty()) address.provider = model->provider;
  }
  const size_t slash = name.find('/');
  const std::string prefix = slash == std::string::npos ? "" : name.substr(0, slash);
  const auto named = providers_.find(prefix);
  // At a URL of one's own, the names of hosted providers are part of what a proxy calls its models.
  if (named != providers_.end() && (base_url.empty() || named->second.at_own_url)) {
    address.provider = prefix;
    address.model = name.substr(slash + 1);
  }
  if (address.provider.empty()) {
    if (!base_url.empty()) return address;
    return Fail(ErrorCode::kInvalid,
                fmt::format("model '{}': {}; write PROVIDER/{}, or give its endpoint's base URL "
                            "(--base-url, model.base_url)",
                            name,
                            prefix.empty() ? "it says no provider"
                                           : UnknownName("provider", prefix, NamesOf(providers_)),
                            prefix.empty() ? name : name.substr(slash + 1)));
  }
  const Provider& provider = providers_.at(address.provider);
  address.api = provider.api;
  address.key_variables = provider.key_variables;
  for (const std::string& one : provider.base_url_variables) {
    if (address.base_url.empty()) address.base_url = variable(one);
  }
  if (address.base_url.empty()) address.base_url = provider.base_url;
  if (address.base_url.empty()) {
    const std::string variables = Join(provider.base_url_variables, " or ");
    return Fail(ErrorCode::kInvalid,
                fmt::format("model '{}': {} is at a URL of one's own; give it (--base-url, "
                            "model.base_url{}{})",
                            name, address.provider, variables.empty() ? "" : ", ", variables));
  }
  return address;
}

double ModelTable::Cost(std::string_view name, const TokenUsage& usage) const {
  const Model* model = Find(name);
  if (model == nullptr) return 0;
  const int64_t cached = std::min(usage.cached, usage.prompt);
  return (static_cast<double>(usage.prompt - cached) * model->input +
          static_cast<double>(cached) * model->cached +
          static_cast<double>(usage.completion) * model->output) /
         1e6;
}

}  // namespace kw
