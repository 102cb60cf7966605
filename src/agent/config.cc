#include "config.h"

#include <fmt/format.h>

#include <charconv>
#include <climits>
#include <cmath>
#include <set>
#include <variant>

#include "kw/base/file.h"
#include "kw/base/json.h"
#include "kw/base/text.h"
#include "sample_plan.h"

namespace kw {
namespace {

using Strings = std::vector<std::string>;
using Member = std::variant<std::string RunConfig::*, Strings RunConfig::*, int RunConfig::*,
                            uint64_t RunConfig::*, double RunConfig::*>;

// One key of the file. Numbers must lie in [least, most]; a text with `choices` is one of them.
struct Key {
  std::string section, name;
  Member member;
  double least = 0, most = 0;
  Strings choices;
  bool free_on_resume = false;  // it has no part in what a run does
  bool is_place = false;        // a name or a path: where things lie, not what is done

  std::string full() const { return section + "." + name; }
};

const std::vector<Key>& Keys() {
  using C = RunConfig;
  constexpr double kMany = 1e6;
  static const auto& keys = *new std::vector<Key>{
      {"run", "name", &C::name, 0, 0, {}, false, true},
      {"run", "dir", &C::dir, 0, 0, {}, false, true},
      {"run", "seed", &C::seed, 0, 9007199254740992.0},
      {"run", "epochs", &C::epochs, 1, kMany},
      {"run", "batch", &C::batch, 1, kMany},
      {"run", "parallel_tasks", &C::parallel_tasks, 1, 1024, {}, true},
      {"run", "tasks", &C::tasks},
      {"run", "effort", &C::effort, 0, 0, {"quick", "standard", "deep"}},
      {"run", "max_cost_usd", &C::max_cost_usd, 0, 1e9, {}, true},
      {"method", "name", &C::method, 0, 0, MethodNames()},
      {"method", "samples", &C::samples, 1, kMany},
      {"method", "parallel", &C::parallel, 1, kMany},
      {"method", "iterations", &C::iterations, 1, kMany},
      {"learner", "name", &C::learner, 0, 0, {"none", "reasoning_bank", "evolrule"}},
      {"learner", "k", &C::k, 0, 100},
      {"learner", "max_items", &C::max_items, 1, 100},
      {"learner", "max_contrast_items", &C::max_contrast_items, 1, 100},
      {"learner", "bank", &C::bank, 0, 0, {}, false, true},
      {"learner", "max_rules", &C::max_rules, 1, 1000},
      {"learner", "rules_per_task", &C::rules_per_task, 1, 100},
      {"learner", "align_tasks", &C::align_tasks, 1, kMany},
      {"learner", "min_pairs", &C::min_pairs, 1, kMany},
      {"learner", "keep_rate", &C::keep_rate, 0, 1},
      {"model", "name", &C::model},
      {"model", "base_url", &C::base_url, 0, 0, {}, true},
      {"model", "api_key_env", &C::api_key_env, 0, 0, {}, true},
      {"model", "temperature", &C::temperature, 0, 10},
      {"model", "max_tokens", &C::max_tokens, 1, 1e8},
      {"model", "max_in_flight", &C::max_in_flight, 1, 1024, {}, true},
      {"model", "timeout_s", &C::timeout_s, 1, 86400, {}, true},
      {"device", "name", &C::device},
      {"device", "workers", &C::workers, 1, 1024, {}, true},
      {"device", "worker_command", &C::worker_command, 0, 0, {}, true},
  };
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

// The value of a key from JSON (TOML), into `config`.
Result<void> Assign(RunConfig& config, const Key& key, ObjectReader& reader) {
  if (auto* member = std::get_if<std::string RunConfig::*>(&key.member)) {
    KW_ASSIGN(std::string value, reader.Required<std::string>(key.name));
    bool known = key.choices.empty();
    for (const std::string& choice : key.choices) known = known || choice == value;
    if (!known) return Fail(ErrorCode::kInvalid, UnknownName(key.full(), value, key.choices));
    config.** member = std::move(value);
  } else if (auto* list = std::get_if<Strings RunConfig::*>(&key.member)) {
    KW_ASSIGN(config.**list, reader.Required<Strings>(key.name));
  } else if (auto* real = std::get_if<double RunConfig::*>(&key.member)) {
    KW_ASSIGN(double value, reader.Required<double>(key.name));
    KW_TRY(CheckRange(key, value));
    config.** real = value;
  } else {
    KW_ASSIGN(int64_t value, reader.Required<int64_t>(key.name));
    KW_TRY(CheckRange(key, value));
    if (auto* whole = std::get_if<int RunConfig::*>(&key.member)) {
      config.** whole = static_cast<int>(value);
    } else {
      config.*std::get<uint64_t RunConfig::*>(key.member) = static_cast<uint64_t>(value);
    }
  }
  return {};
}

// All sections of one text; `given` collects the full names of the keys that it sets.
Result<void> AssignAll(RunConfig& config, const Json& json, const std::string& where,
                       std::set<std::string>& given) {
  ObjectReader top(json, where);
  for (const std::string section : {"run", "method", "learner", "model", "device"}) {
    const Json* object = top.Find(section);
    if (object == nullptr) continue;
    if (!object->is_object()) {
      return Fail(ErrorCode::kInvalid, fmt::format("{}: {} must be a table", where, section));
    }
    ObjectReader reader(*object, where + ": " + section);
    for (const Key& key : Keys()) {
      if (key.section != section || reader.Find(key.name) == nullptr) continue;
      if (auto assigned = Assign(config, key, reader); !assigned) {
        return Fail(std::move(assigned.error()).While(where));
      }
      given.insert(key.full());
    }
    KW_TRY(reader.RejectUnknown());
  }
  return top.RejectUnknown();
}

// What --set gave for a key, as JSON of the key's type.
Result<Json> ParseOverride(const Key& key, const std::string& text) {
  auto wrong = [&](std::string_view kind) {
    return Fail(ErrorCode::kInvalid,
                fmt::format("--set {}={}: {} is needed", key.full(), text, kind));
  };
  const char* end = text.data() + text.size();
  if (std::holds_alternative<std::string RunConfig::*>(key.member)) return Json(text);
  if (std::holds_alternative<Strings RunConfig::*>(key.member)) {
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
  if (std::holds_alternative<double RunConfig::*>(key.member)) {
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

Result<void> Override(RunConfig& config, const std::string& full, const std::string& text,
                      std::set<std::string>& given) {
  const Key* key = FindKey(full);
  if (key == nullptr) {
    return Fail(ErrorCode::kInvalid, UnknownName("configuration key", full, RunConfigKeys()));
  }
  KW_ASSIGN(Json value, ParseOverride(*key, text));
  Json object = Json::object();
  object[key->name] = std::move(value);
  ObjectReader reader(object, "--set " + key->section);
  KW_TRY(Assign(config, *key, reader));
  given.insert(full);
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
  if (config.model.empty()) {
    return Fail(ErrorCode::kInvalid,
                "model.name is empty: \"simulated\", or a model's name at model.base_url");
  }
  if (config.model != "simulated" && config.base_url.empty()) {
    return Fail(
        ErrorCode::kInvalid,
        fmt::format("model.name = '{}' needs model.base_url, the endpoint that serves it; give "
                    "--base-url http://HOST:PORT/v1, or --model simulated for the "
                    "simulated author",
                    config.model));
  }
  if (config.name.find('/') != std::string::npos || config.name.starts_with(".")) {
    return Fail(ErrorCode::kInvalid,
                fmt::format("run.name = '{}' cannot name a folder", config.name));
  }
  return {};
}

Strings KeysFreeOnResume() {
  Strings names;
  for (const Key& key : Keys()) {
    if (key.free_on_resume) names.push_back(key.full());
  }
  return names;
}

Result<void> FillSamples(RunConfig& config, const std::set<std::string>& given) {
  auto stated = [&](const std::string& key, int value) {
    return given.contains(key) ? std::optional<int>(value) : std::nullopt;
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

std::vector<std::string> RunConfigKeys() {
  std::vector<std::string> names;
  for (const Key& key : Keys()) names.push_back(key.full());
  return names;
}

Result<RunConfig> ParseRunConfig(std::string_view text, const std::string& where,
                                 const Overrides& overrides) {
  KW_ASSIGN(Json json, ParseToml(text, where));
  RunConfig config;
  std::set<std::string> given;
  KW_TRY(AssignAll(config, json, where, given));
  config.source_text = text;
  for (const auto& [key, value] : overrides) {
    KW_TRY(Override(config, key, value, given));
    config.source_text += fmt::format("\n# --set {}={}", key, value);
  }
  KW_TRY(FillSamples(config, given));
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
    std::visit([&](auto member) { json[key.section][key.name] = config.*member; }, key.member);
  }
  json["source_text"] = config.source_text;
  return DumpJson(json);
}

Result<RunConfig> RunConfigFromJson(std::string_view text) {
  KW_ASSIGN(Json json, ParseJson(text, "the run's configuration"));
  RunConfig config;
  if (json.is_object() && json.contains("source_text") && json["source_text"].is_string()) {
    config.source_text = json["source_text"].get<std::string>();
    json.erase("source_text");
  }
  std::set<std::string> given;
  KW_TRY(AssignAll(config, json, "the run's configuration", given));
  return config;
}

std::string CanonicalConfig(const RunConfig& config) {
  std::string text;
  for (const Key& key : Keys()) {
    if (key.free_on_resume || key.is_place) continue;
    std::visit(
        [&](auto member) {
          text += fmt::format("{} = {}\n", key.full(), DumpJson(Json(config.*member)));
        },
        key.member);
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
    std::set<std::string> given;
    KW_TRY(Override(config, full, text, given));
  }
  return {};
}

}  // namespace kw
