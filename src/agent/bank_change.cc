// A bank change as JSON: what the journal's outbox holds.
#include "journal.h"
#include "kw/base/json.h"

namespace kw {
namespace {

Json ToJson(const Provenance& from) {
  return Json{{"run", from.run},         {"run_name", from.run_name},
              {"step", from.step},       {"ordinal", from.ordinal},
              {"task", from.task},       {"op_type", from.op_type},
              {"outcome", from.outcome}, {"candidate_hash", from.candidate_hash},
              {"model", from.model}};
}

Result<Provenance> ReadProvenance(const Json& json) {
  ObjectReader reader(json, "the journal's outbox: from");
  Provenance from;
  KW_ASSIGN(from.run, reader.Required<std::string>("run"));
  KW_ASSIGN(from.run_name, reader.Required<std::string>("run_name"));
  KW_ASSIGN(from.step, reader.Required<std::string>("step"));
  KW_ASSIGN(int64_t ordinal, reader.Required<int64_t>("ordinal"));
  from.ordinal = static_cast<int>(ordinal);
  KW_ASSIGN(from.task, reader.Required<std::string>("task"));
  KW_ASSIGN(from.op_type, reader.Required<std::string>("op_type"));
  KW_ASSIGN(from.outcome, reader.Required<std::string>("outcome"));
  KW_ASSIGN(from.candidate_hash, reader.Required<std::string>("candidate_hash"));
  KW_ASSIGN(from.model, reader.Required<std::string>("model"));
  return from;
}

Result<MemoryItem> ReadItem(const Json& json) {
  ObjectReader reader(json, "the journal's outbox: item");
  MemoryItem item;
  KW_ASSIGN(item.title, reader.Required<std::string>("title"));
  KW_ASSIGN(item.description, reader.Required<std::string>("description"));
  KW_ASSIGN(item.content, reader.Required<std::string>("content"));
  const Json* from = reader.Find("from");
  if (from == nullptr) return Fail(ErrorCode::kCorrupt, "the journal's outbox: item without from");
  KW_ASSIGN(item.from, ReadProvenance(*from));
  return item;
}

Result<Rule> ReadRule(const Json& json) {
  ObjectReader reader(json, "the journal's outbox: rule");
  Rule rule;
  KW_ASSIGN(rule.id, reader.Required<int64_t>("id"));
  KW_ASSIGN(rule.text, reader.Required<std::string>("text"));
  KW_ASSIGN(rule.state, reader.Required<std::string>("state"));
  KW_ASSIGN(rule.aligned, reader.Required<int64_t>("aligned"));
  KW_ASSIGN(rule.misaligned, reader.Required<int64_t>("misaligned"));
  KW_ASSIGN(rule.unknown, reader.Required<int64_t>("unknown"));
  const Json* from = reader.Find("from");
  if (from == nullptr) return Fail(ErrorCode::kCorrupt, "the journal's outbox: rule without from");
  KW_ASSIGN(rule.from, ReadProvenance(*from));
  return rule;
}

Result<BankChange::Outcome> ReadOutcome(const Json& json) {
  ObjectReader reader(json, "the journal's outbox: outcome");
  BankChange::Outcome outcome;
  KW_ASSIGN(outcome.item, reader.Required<int64_t>("item"));
  KW_ASSIGN(outcome.used, reader.Required<bool>("used"));
  KW_ASSIGN(outcome.wins, reader.Required<int64_t>("wins"));
  KW_ASSIGN(outcome.losses, reader.Required<int64_t>("losses"));
  return outcome;
}

}  // namespace

std::string BankChangeToJson(const BankChange& change) {
  Json json{{"run", change.run}, {"step", change.step}, {"as_of", change.as_of}};
  json["new_items"] = Json::array();
  for (const MemoryItem& item : change.new_items) {
    json["new_items"].push_back(Json{{"title", item.title},
                                     {"description", item.description},
                                     {"content", item.content},
                                     {"from", ToJson(item.from)}});
  }
  json["rules"] = Json::array();
  for (const Rule& rule : change.rules) {
    json["rules"].push_back(Json{{"id", rule.id},
                                 {"text", rule.text},
                                 {"state", rule.state},
                                 {"aligned", rule.aligned},
                                 {"misaligned", rule.misaligned},
                                 {"unknown", rule.unknown},
                                 {"from", ToJson(rule.from)}});
  }
  json["outcomes"] = Json::array();
  for (const BankChange::Outcome& outcome : change.outcomes) {
    json["outcomes"].push_back(Json{{"item", outcome.item},
                                    {"used", outcome.used},
                                    {"wins", outcome.wins},
                                    {"losses", outcome.losses}});
  }
  return DumpJson(json);
}

Result<BankChange> BankChangeFromJson(std::string_view text) {
  KW_ASSIGN(Json json, ParseJson(text, "the journal's outbox"));
  ObjectReader reader(json, "the journal's outbox");
  BankChange change;
  KW_ASSIGN(change.run, reader.Required<std::string>("run"));
  KW_ASSIGN(change.step, reader.Required<std::string>("step"));
  KW_ASSIGN(change.as_of, reader.Required<int64_t>("as_of"));
  const Json* lists[] = {reader.Find("new_items"), reader.Find("rules"), reader.Find("outcomes")};
  for (const Json* list : lists) {
    if (list == nullptr || !list->is_array()) {
      return Fail(ErrorCode::kCorrupt, "the journal's outbox: a list is missing");
    }
  }
  for (const Json& entry : *lists[0]) {
    KW_ASSIGN(MemoryItem item, ReadItem(entry));
    change.new_items.push_back(std::move(item));
  }
  for (const Json& entry : *lists[1]) {
    KW_ASSIGN(Rule rule, ReadRule(entry));
    change.rules.push_back(std::move(rule));
  }
  for (const Json& entry : *lists[2]) {
    KW_ASSIGN(BankChange::Outcome outcome, ReadOutcome(entry));
    change.outcomes.push_back(outcome);
  }
  return change;
}

}  // namespace kw
