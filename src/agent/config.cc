#include "config.h"

#include <fmt/format.h>

#include <charconv>
#include <climits>
#include <cmath>
#include <functional>
#include <variant>

#include "kw/base/file.h"
#include "kw/base/json.h"
#include "kw/base/text.h"
#include "sample_plan.h"

namespace kw {
namespace {

using Strings = std::vector<std::string>;
// Where the value of a key stands.
using Place = std::variant<std::string*, Strings*, int*, uint64_t*, int64_t*, double*, bool*>;
using Finder = std::function<Place(RunConfig&)>;

template <class T>
Finder At(T RunConfig::*member) {
  return [member](RunConfig& config) -> Place { return &(config.*member); };
}
template <class Part, class T>
Finder At(Part RunConfig::*part, T Part::*member) {
  return [part, member](RunConfig& config) -> Place { return &(config.*part.*member); };
}

// One key of the file. Numbers must lie in [least, most]; a text with `choices` is one of them.
// A section of a section is written with a point: "model.judge".
struct Key {
  std::string section, name;
  Finder find;
  double least = 0, most = 0;
  Strings choices;
  bool free_on_resume = false;  // it has no part in what a run does
  bool is_place = false;        // a name or a path: where things lie, not what is done

  std::string full() const { return section + "." + name; }
};

Strings ApiNames() { return {"", "openai", "anthropic"}; }

struct Role {
  std::string section;
  RoleConfig RunConfig::*config;
};
const std::vector<Role>& Roles() {
  static const auto& roles = *new std::vector<Role>{{"model.extractor", &RunConfig::extractor},
                                                    {"model.merger", &RunConfig::merger},
                                                    {"model.judge", &RunConfig::judge},
                                                    {"model.embedder", &RunConfig::embedder}};
  return roles;
}

// What each role may have for itself.
std::vector<Key> WithRoles(std::vector<Key> keys) {
  using R = RoleConfig;
  for (const auto& [section, role] : Roles()) {
    keys.push_back({section, "name", At(role, &R::model)});
    keys.push_back({section, "base_url", At(role, &R::base_url), 0, 0, {}, true});
    keys.push_back({section, "api", At(role, &R::api), 0, 0, ApiNames(), true});
    keys.push_back({section, "api_key_env", At(role, &R::api_key_env), 0, 0, {}, true});
    keys.push_back({section, "max_cost_usd", At(role, &R::max_cost_usd), 0, 1e9, {}, true});
    keys.push_back(
        {section, "max_total_tokens", At(role, &R::max_total_tokens), 0, 1e15, {}, true});
    keys.push_back({section, "max_calls", At(role, &R::max_calls), 0, 1e12, {}, true});
    if (role == &RunConfig::embedder) continue;
    keys.push_back({section, "temperature", At(role, &R::temperature), 0, 10});
    keys.push_back({section, "max_tokens", At(role, &R::max_tokens), 1, 1e8});
  }
  return keys;
}

const std::vector<Key>& Keys() {
  using C = RunConfig;
  constexpr double kMany = 1e6;
  static const auto& keys = *new std::vector<Key>(WithRoles({
      {"run", "name", At(&C::name), 0, 0, {}, false, true},
      {"run", "dir", At(&C::dir), 0, 0, {}, false, true},
      {"run", "seed", At(&C::seed), 0, 9007199254740992.0},
      {"run", "epochs", At(&C::epochs), 1, kMany},
      {"run", "batch", At(&C::batch), 1, kMany},
      {"run", "parallel_tasks", At(&C::parallel_tasks), 1, 1024, {}, true},
      {"run", "tasks", At(&C::tasks)},
      {"run", "effort", At(&C::effort), 0, 0, {"quick", "standard", "deep"}},
      {"run", "max_cost_usd", At(&C::max_cost_usd), 0, 1e9, {}, true},
      {"run", "max_total_tokens", At(&C::max_total_tokens), 0, 1e15, {}, true},
      {"run", "max_calls", At(&C::max_calls), 0, 1e12, {}, true},
      {"method", "name", At(&C::method), 0, 0, MethodNames()},
      {"method", "samples", At(&C::samples), 1, kMany},
      {"method", "parallel", At(&C::parallel), 1, kMany},
      {"method", "iterations", At(&C::iterations), 1, kMany},
      {"learner", "name", At(&C::learner), 0, 0, {"none", "reasoning_bank", "evolrule"}},
      {"learner", "k", At(&C::k), 0, 100},
      {"learner", "max_items", At(&C::max_items), 1, 100},
      {"learner", "max_contrast_items", At(&C::max_contrast_items), 1, 100},
      {"learner", "bank", At(&C::bank), 0, 0, {}, false, true},
      {"learner", "max_rules", At(&C::max_rules), 1, 1000},
      {"learner", "rules_per_task", At(&C::rules_per_task), 1, 100},
      {"learner", "align_tasks", At(&C::align_tasks), 1, kMany},
      {"learner", "min_pairs", At(&C::min_pairs), 1, kMany},
      {"learner", "keep_rate", At(&C::keep_rate), 0, 1},
      {"model", "name", At(&C::model)},
      {"model", "base_url", At(&C::base_url), 0, 0, {}, true},
      {"model", "api", At(&C::api), 0, 0, ApiNames(), true},
      {"model", "api_key_env", At(&C::api_key_env), 0, 0, {}, true},
      {"model", "temperature", At(&C::temperature), 0, 10},
      {"model", "max_tokens", At(&C::max_tokens), 1, 1e8},
      {"model", "max_cost_usd", At(&C::author_max_cost_usd), 0, 1e9, {}, true},
      {"model", "max_total_tokens", At(&C::author_max_total_tokens), 0, 1e15, {}, true},
      {"model", "max_calls", At(&C::author_max_calls), 0, 1e12, {}, true},
      {"model", "table", At(&C::model_table), 0, 0, {}, true},
      {"model", "max_in_flight", At(&C::max_in_flight), 1, 4096, {}, true},
      {"model", "requests_per_minute", At(&C::requests_per_minute), 0, 1e9, {}, true},
      {"model", "tokens_per_minute", At(&C::tokens_per_minute), 0, 1e12, {}, true},
      {"model", "timeout_s", At(&C::timeout_s), 1, 86400, {}, true},
      {"model", "stall_timeout_s", At(&C::stall_timeout_s), 0, 86400, {}, true},
      {"model", "max_retries", At(&C::max_retries), 0, 1000, {}, true},
      {"model", "stream", At(&C::stream), 0, 0, {}, true},
      {"model", "stop_when_complete", At(&C::stop_when_complete)},
      {"model", "runaway_guard", At(&C::guard, &RunawayConfig::enabled)},
      {"model", "runaway_unit_tokens", At(&C::guard, &RunawayConfig::unit_tokens), 1, 8},
      {"model", "runaway_unit_characters", At(&C::guard, &RunawayConfig::unit_characters), 1, 64},
      {"model", "runaway_repeats", At(&C::guard, &RunawayConfig::repeats), 3, 1e6},
      {"model", "runaway_kept", At(&C::guard, &RunawayConfig::kept), 0, 1e6},
      {"model", "cache", At(&C::cache), 0, 0, {"off", "record", "replay"}, true},
      {"model", "cache_file", At(&C::cache_file), 0, 0, {}, true, true},
      {"device", "name", At(&C::device)},
      {"device", "workers", At(&C::workers), 1, 1024, {}, true},
      {"device", "worker_command", At(&C::worker_command), 0, 0, {}, true},
  }));
  return keys;
}

const Key* FindKey(const std::string& full) {
  for (const Key& key : Keys()) {
    if (key.full() == full) return &key;
  }
  return nullptr;
}

template <class T>
Result<void> CheckRange(const Key& key, T value) {
  if (value >= key.least && value <= key.most) return {};
  return Fail(ErrorCode::kInvalid, fmt::format("{} = {} is out of range: it must lie in [{}, {}]",
                                               key.full(), value, key.least, key.most));
}

Result<void> AssignText(const Key& key, ObjectReader& reader, std::string& to) {
  KW_ASSIGN(std::string value, reader.Required<std::string>(key.name));
  bool known = key.choices.empty();
  for (const std::string& choice : key.choices) known = known || choice == value;
  if (!known) return Fail(ErrorCode::kInvalid, UnknownName(key.full(), value, key.choices));
  to = std::move(value);
  return {};
}

// A number in the key's range. Whole ones are read as int64_t.
template <class Read, class T>
Result<void> AssignNumber(const Key& key, ObjectReader& reader, T& to) {
  KW_ASSIGN(const Read value, reader.Required<Read>(key.name));
  KW_TRY(CheckRange(key, value));
  to = static_cast<T>(value);
  return {};
}

// The value of a key from JSON (TOML), into `config`.
Result<void> Assign(RunConfig& config, const Key& key, ObjectReader& reader) {
  const Place place = key.find(config);
  if (auto* text = std::get_if<std::string*>(&place)) return AssignText(key, reader, **text);
  if (auto* real = std::get_if<double*>(&place)) return AssignNumber<double>(key, reader, **real);
  if (auto* small = std::get_if<int*>(&place)) return AssignNumber<int64_t>(key, reader, **small);
  if (auto* large = std::get_if<int64_t*>(&place))
    return AssignNumber<int64_t>(key, reader, **large);
  if (auto* whole = std::get_if<uint64_t*>(&place)) {
    return AssignNumber<int64_t>(key, reader, **whole);
  }
  if (auto* list = std::get_if<Strings*>(&place)) {
    KW_ASSIGN(**list, reader.Required<Strings>(key.name));
  } else {
    KW_ASSIGN(*std::get<bool*>(place), reader.Required<bool>(key.name));
  }
  return {};
}

// One table of a text, and those within it.
Result<void> AssignTable(RunConfig& config, const Json& json, const std::string& section,
                         const std::string& where) {
  if (!json.is_object()) {
    return Fail(ErrorCode::kInvalid, fmt::format("{}: {} must be a table", where, section));
  }
  ObjectReader reader(json, where + ": " + section);
  for (const Key& key : Keys()) {
    if (key.section != section || reader.Find(key.name) == nullptr) continue;
    if (auto assigned = Assign(config, key, reader); !assigned) {
      return Fail(std::move(assigned.error()).While(where));
    }
    config.given.insert(key.full());
  }
  for (const Role& role : Roles()) {
    if (role.section.rfind(section + ".", 0) != 0) continue;
    const Json* table = reader.Find(role.section.substr(section.size() + 1));
    if (table != nullptr) KW_TRY(AssignTable(config, *table, role.section, where));
  }
  return reader.RejectUnknown();
}

Result<void> AssignAll(RunConfig& config, const Json& json, const std::string& where) {
  ObjectReader top(json, where);
  for (const std::string section : {"run", "method", "learner", "model", "device"}) {
    const Json* table = top.Find(section);
    if (table != nullptr) KW_TRY(AssignTable(config, *table, section, where));
  }
  return top.RejectUnknown();
}

// What --set gave for a key, as JSON of the key's type.
Result<Json> ParseOverride(const Key& key, const Place& place, const std::string& text) {
  auto wrong = [&](std::string_view kind) {
    return Fail(ErrorCode::kInvalid,
                fmt::format("--set {}={}: {} is needed", key.full(), text, kind));
  };
  const char* end = text.data() + text.size();
  if (std::holds_alternative<std::string*>(place)) return Json(text);
  if (std::holds_alternative<bool*>(place)) {
    if (text != "true" && text != "false") return wrong("true or false");
    return Json(text == "true");
  }
  if (std::holds_alternative<Strings*>(place)) {
    std::string_view trimmed = Trim(text);
    if (trimmed.empty()) return Json::array();
    if (trimmed.front() == '[') {
      auto parsed = ParseJson(trimmed, "--set " + key.full());
      if (!parsed) return wrong("a list like [\"a\", \"b\"] or a,b");
      return *parsed;
    }
    Json list = Json::array();
    for (std::string_view part : Split(trimmed, ',')) list.push_back(std::string(Trim(part)));
    return list;
  }
  if (std::holds_alternative<double*>(place)) {
    double value = 0;
    auto [stop, problem] = std::from_chars(text.data(), end, value);
    if (problem != std::errc() || stop != end || !std::isfinite(value)) return wrong("a number");
    return Json(value);
  }
  int64_t value = 0;
  auto [stop, problem] = std::from_chars(text.data(), end, value);
  if (problem != std::errc() || stop != end) return wrong("a whole number");
  return Json(value);
}

Result<void> Override(RunConfig& config, const std::string& full, const std::string& text) {
  const Key* key = FindKey(full);
  if (key == nullptr) {
    return Fail(ErrorCode::kInvalid, UnknownName("configuration key", full, RunConfigKeys()));
  }
  KW_ASSIGN(Json value, ParseOverride(*key, key->find(config), text));
  Json object = Json::object();
  object[key->name] = std::move(value);
  ObjectReader reader(object, "--set " + key->section);
  KW_TRY(Assign(config, *key, reader));
  config.given.insert(full);
  return {};
}

Result<void> CheckWhole(const RunConfig& config) {
  if (config.tasks.empty()) {
    return Fail(ErrorCode::kInvalid,
                "run.tasks names no task: give at least one, by name or folder");
  }
  for (const std::string& task : config.tasks) {
    if (task.empty()) return Fail(ErrorCode::kInvalid, "run.tasks holds an empty name");
  }
  for (const std::string& author : AuthorsOf(config)) {
    if (!author.empty()) continue;
    return Fail(ErrorCode::kInvalid,
                fmt::format("model.name = '{}' holds an empty name: \"simulated\", "
                            "\"provider/model\", or a model's name at model.base_url",
                            config.model));
  }
  KW_TRY(CheckRunawayConfig(config.guard));
  if (config.name.find('/') != std::string::npos || config.name.starts_with(".")) {
    return Fail(ErrorCode::kInvalid,
                fmt::format("run.name = '{}' cannot name a folder", config.name));
  }
  return {};
}

Json ValueOf(const Key& key, const RunConfig& config) {
  // A key finds a place that can be written; it is only read here.
  return std::visit([](const auto* value) { return Json(*value); },
                    key.find(const_cast<RunConfig&>(config)));
}

// What a role does not have for itself is the author's; but for the embedder's model, which is
// built in, and temperatures: extraction's is 1, a judge's 0.
void FillRoles(RunConfig& config) {
  for (const auto& [section, member] : Roles()) {
    RoleConfig& role = config.*member;
    const auto inherit = [&, section = section](const char* name, auto& value,
                                                const auto& authors) {
      if (!config.given.contains(section + "." + name)) value = authors;
    };
    const bool own_model = config.given.contains(section + ".name");
    const bool is_embedder = member == &RunConfig::embedder;
    // Of several authors the first answers for the roles.
    if (!is_embedder) inherit("name", role.model, AuthorsOf(config).front());
    // An endpoint goes with its model.
    if (!own_model && !is_embedder) {
      inherit("base_url", role.base_url, config.base_url);
      inherit("api", role.api, config.api);
    }
    inherit("api_key_env", role.api_key_env, config.api_key_env);
    inherit("max_tokens", role.max_tokens, config.max_tokens);
    inherit("temperature", role.temperature,
            member == &RunConfig::extractor ? 1.0
            : member == &RunConfig::judge   ? 0.0
                                            : config.temperature);
  }
}

Strings KeysFreeOnResume() {
  Strings names;
  for (const Key& key : Keys()) {
    if (key.free_on_resume) names.push_back(key.full());
  }
  return names;
}

// Whoever made the configuration: what is not as it would be filled in was given too.
std::set<std::string> GivenKeys(const RunConfig& config) {
  std::set<std::string> given = config.given;
  RunConfig filled = config;
  FillRoles(filled);
  for (const Key& key : Keys()) {
    if (ValueOf(key, filled) != ValueOf(key, config)) given.insert(key.full());
  }
  return given;
}

Result<void> FillSamples(RunConfig& config) {
  auto stated = [&](const std::string& key, int value) {
    return config.given.contains(key) ? std::optional<int>(value) : std::nullopt;
  };
  KW_ASSIGN(SamplePlan plan, PlanSamples(config.method, stated("method.samples", config.samples),
                                         stated("method.parallel", config.parallel),
                                         stated("method.iterations", config.iterations)));
  config.samples = plan.samples;
  config.parallel = plan.parallel;
  config.iterations = plan.iterations;
  return {};
}

}  // namespace

std::vector<std::string> AuthorsOf(const RunConfig& config) {
  std::vector<std::string> names;
  for (std::string_view name : Split(config.model, ',')) names.emplace_back(Trim(name));
  return names;
}

std::string AuthorOfTurn(const RunConfig& config, int turn) {
  const std::vector<std::string> authors = AuthorsOf(config);
  return authors[static_cast<size_t>(turn) % authors.size()];
}

std::vector<std::string> RunConfigKeys() {
  std::vector<std::string> names;
  for (const Key& key : Keys()) names.push_back(key.full());
  return names;
}

Result<RunConfig> ParseRunConfig(std::string_view text, const std::string& where,
                                 const Overrides& overrides) {
  KW_ASSIGN(Json json, ParseToml(text, where));
  RunConfig config;
  KW_TRY(AssignAll(config, json, where));
  config.source_text = text;
  for (const auto& [key, value] : overrides) {
    KW_TRY(Override(config, key, value));
    config.source_text += fmt::format("\n# --set {}={}", key, value);
  }
  KW_TRY(FillSamples(config));
  FillRoles(config);
  KW_TRY(CheckWhole(config));
  return config;
}

Result<RunConfig> LoadRunConfig(const std::string& path, const Overrides& overrides) {
  KW_ASSIGN(std::string text, ReadFile(path, 1 << 20));
  KW_ASSIGN(RunConfig config, ParseRunConfig(text, path, overrides));
  if (!config.name.empty()) return config;
  std::string stem = path.substr(path.find_last_of('/') + 1);
  stem = stem.substr(0, stem.rfind('.'));
  int number = 1;
  while (FileExists(fmt::format("{}/{}-{}", config.dir, stem, number)) ||
         IsDirectory(fmt::format("{}/{}-{}", config.dir, stem, number))) {
    ++number;
  }
  config.name = fmt::format("{}-{}", stem, number);
  return config;
}

std::string RunConfigToJson(const RunConfig& config) {
  Json json = Json::object();
  for (const Key& key : Keys()) {
    Json* table = &json;
    for (std::string_view part : Split(key.section, '.')) table = &(*table)[std::string(part)];
    (*table)[key.name] = ValueOf(key, config);
  }
  json["source_text"] = config.source_text;
  json["given"] = GivenKeys(config);
  return DumpJson(json);
}

Result<RunConfig> RunConfigFromJson(std::string_view text) {
  KW_ASSIGN(Json json, ParseJson(text, "the run's configuration"));
  RunConfig config;
  const auto take = [&json](const char* name) {
    Json taken;
    if (json.is_object() && json.contains(name)) {
      taken = std::move(json[name]);
      json.erase(name);
    }
    return taken;
  };
  if (const Json source = take("source_text"); source.is_string()) config.source_text = source;
  const Json given = take("given");
  KW_TRY(AssignAll(config, json, "the run's configuration"));
  // A journal that does not say which has them all.
  if (given.is_array()) {
    config.given.clear();
    for (const Json& key : given) {
      if (key.is_string()) config.given.insert(key.get<std::string>());
    }
  }
  FillRoles(config);
  return config;
}

std::string CanonicalConfig(const RunConfig& config) {
  std::string text;
  for (const Key& key : Keys()) {
    if (key.free_on_resume || key.is_place) continue;
    text += fmt::format("{} = {}\n", key.full(), DumpJson(ValueOf(key, config)));
  }
  return text;
}

Result<void> OverrideOnResume(RunConfig& config, const Overrides& overrides) {
  for (const auto& [full, text] : overrides) {
    const Key* key = FindKey(full);
    if (key != nullptr && !key->free_on_resume) {
      return Fail(ErrorCode::kInvalid,
                  fmt::format("{} decides {} and cannot change on resume, only {} can: start "
                              "another run with it",
                              full, key->is_place ? "where the run lies" : "what the run does",
                              fmt::join(KeysFreeOnResume(), ", ")));
    }
    KW_TRY(Override(config, full, text));
  }
  FillRoles(config);
  return {};
}

}  // namespace kw
