#include "verdict_json.h"

#include <cmath>
#include <limits>

#include "kw/base/text.h"

namespace kw::eval {
namespace {

constexpr int64_t kVersion = 1;

// JSON has no infinities: a number that is none is a string.
Json Number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  return value;
}

Result<double> RequiredNumber(ObjectReader& reader, const std::string& key) {
  const Json* json = reader.Find(key);
  if (json != nullptr && json->is_string()) {
    const auto& text = json->get_ref<const std::string&>();
    if (text == "NaN") return std::numeric_limits<double>::quiet_NaN();
    if (text == "Infinity") return std::numeric_limits<double>::infinity();
    if (text == "-Infinity") return -std::numeric_limits<double>::infinity();
  }
  return reader.Required<double>(key);
}

Result<const Json*> RequiredMember(ObjectReader& reader, const std::string& key,
                                   Json::value_t type) {
  const Json* json = reader.Find(key);
  if (json == nullptr || json->type() != type) {
    return Fail(ErrorCode::kParse,
                reader.where() + ": '" + key + "' is missing or of a wrong kind");
  }
  return json;
}

Json ErrorsJson(const Verdict& verdict) {
  const ElementErrors& e = verdict.errors;
  return {{"case", verdict.failing->id},
          {"max_abs", Number(e.max_abs)},
          {"max_rel", Number(e.max_rel)},
          {"mean_abs", Number(e.mean_abs)},
          {"bad", e.bad},
          {"total", e.total},
          {"first_bad", e.first_bad},
          {"nan", e.nan},
          {"inf", e.inf}};
}

Result<void> ParseFailure(const Json& json, const std::string& where, Verdict& verdict) {
  ObjectReader reader(json, where);
  ElementErrors& e = verdict.errors;
  KW_ASSIGN(const std::string id, reader.Required<std::string>("case"));
  KW_ASSIGN(e.max_abs, RequiredNumber(reader, "max_abs"));
  KW_ASSIGN(e.max_rel, RequiredNumber(reader, "max_rel"));
  KW_ASSIGN(e.mean_abs, RequiredNumber(reader, "mean_abs"));
  KW_ASSIGN(e.bad, reader.Required<int64_t>("bad"));
  KW_ASSIGN(e.total, reader.Required<int64_t>("total"));
  KW_ASSIGN(e.first_bad, reader.Required<int64_t>("first_bad"));
  KW_ASSIGN(e.nan, reader.Required<int64_t>("nan"));
  KW_ASSIGN(e.inf, reader.Required<int64_t>("inf"));
  KW_TRY(reader.RejectUnknown());
  for (const CaseResult& result : verdict.cases) {
    if (result.c.id == id) verdict.failing = result.c;
  }
  if (!verdict.failing) {
    return Fail(ErrorCode::kParse, where + ": case '" + id + "' is not among the cases");
  }
  return {};
}

Json WorkloadJson(const WorkloadTime& w) {
  return {{"uuid", w.uuid},
          {"checked", w.checked},
          {"us", Number(w.time.us)},
          {"p5", Number(w.time.p5)},
          {"p95", Number(w.time.p95)},
          {"bound", w.time.bound},
          {"baseline_us", Number(w.baseline_us)},
          {"speedup", Number(w.speedup)},
          {"roofline", Number(w.roofline)}};
}

Result<WorkloadTime> ParseWorkload(const Json& json, const std::string& where) {
  ObjectReader reader(json, where);
  WorkloadTime w;
  KW_ASSIGN(w.uuid, reader.Required<std::string>("uuid"));
  KW_ASSIGN(w.checked, reader.Required<std::string>("checked"));
  if (w.checked != "full" && w.checked != "sampled" && w.checked != "scaled") {
    return Fail(ErrorCode::kParse,
                where + ": " + UnknownName("checked", w.checked, {"full", "sampled", "scaled"}));
  }
  KW_ASSIGN(w.time.us, RequiredNumber(reader, "us"));
  KW_ASSIGN(w.time.p5, RequiredNumber(reader, "p5"));
  KW_ASSIGN(w.time.p95, RequiredNumber(reader, "p95"));
  KW_ASSIGN(w.time.bound, reader.Required<std::string>("bound"));
  KW_ASSIGN(w.baseline_us, RequiredNumber(reader, "baseline_us"));
  KW_ASSIGN(w.speedup, RequiredNumber(reader, "speedup"));
  KW_ASSIGN(w.roofline, RequiredNumber(reader, "roofline"));
  KW_TRY(reader.RejectUnknown());
  return w;
}

std::vector<CaseResult> CasesWithTheFailingOne(const Verdict& verdict) {
  std::vector<CaseResult> cases = verdict.cases;
  if (verdict.failing) {
    for (const CaseResult& result : cases) {
      if (result.c.id == verdict.failing->id) return cases;
    }
    cases.push_back({*verdict.failing, false});
  }
  return cases;
}

Result<std::string> OneOf(ObjectReader& reader, const std::string& key,
                          const std::vector<std::string>& known) {
  KW_ASSIGN(std::string value, reader.Required<std::string>(key));
  for (const std::string& name : known) {
    if (value == name) return value;
  }
  return Fail(ErrorCode::kParse, reader.where() + ": " + UnknownName(key, value, known));
}

Result<void> ParseTaskAndDevice(ObjectReader& reader, const std::string& where, Verdict& v) {
  KW_ASSIGN(const Json* task, RequiredMember(reader, "task", Json::value_t::object));
  ObjectReader task_reader(*task, where + ": task");
  KW_ASSIGN(v.task_name, task_reader.Required<std::string>("name"));
  KW_ASSIGN(v.task_hash, task_reader.Required<std::string>("hash"));
  KW_TRY(task_reader.RejectUnknown());
  KW_ASSIGN(const Json* device, RequiredMember(reader, "device", Json::value_t::object));
  ObjectReader device_reader(*device, where + ": device");
  KW_ASSIGN(v.device_kind, OneOf(device_reader, "kind", {"emulator", "cuda"}));
  KW_ASSIGN(v.device_name, device_reader.Required<std::string>("name"));
  return device_reader.RejectUnknown();
}

Result<void> ParseLists(ObjectReader& reader, const std::string& where, Verdict& v) {
  KW_ASSIGN(const Json* cases, RequiredMember(reader, "cases", Json::value_t::array));
  for (const Json& json : *cases) {
    const std::string at = where + ": cases[" + std::to_string(v.cases.size()) + "]";
    if (!json.is_object()) return Fail(ErrorCode::kParse, at + " is no object");
    Json without = json;
    without.erase("ok");
    KW_ASSIGN(Case c, ParseCase(without, at));
    ObjectReader entry(json, at);
    KW_ASSIGN(const bool ok, entry.Required<bool>("ok"));
    v.cases.push_back({std::move(c), ok});
  }
  KW_ASSIGN(const Json* workloads, RequiredMember(reader, "workloads", Json::value_t::array));
  for (const Json& json : *workloads) {
    KW_ASSIGN(WorkloadTime w, ParseWorkload(json, where + ": workloads[" +
                                                      std::to_string(v.workloads.size()) + "]"));
    v.workloads.push_back(std::move(w));
  }
  return {};
}

}  // namespace

Result<uint64_t> RequiredUnsigned(ObjectReader& reader, const std::string& key) {
  const Json* json = reader.Find(key);
  if (json == nullptr)
    return Fail(ErrorCode::kParse, reader.where() + ": '" + key + "' is missing");
  if (!json->is_number_unsigned()) {
    return Fail(ErrorCode::kParse, reader.where() + ": '" + key + "' is no unsigned integer");
  }
  return json->get<uint64_t>();
}

Json CaseJson(const Case& c) {
  Json json = {{"id", c.id}, {"seed", c.seed}, {"axes", Json::object()}, {"group", c.group}};
  for (const auto& [name, size] : c.axes) json["axes"][name] = size;
  if (!c.scalars.empty()) {
    json["scalars"] = Json::object();
    for (const auto& [name, value] : c.scalars) json["scalars"][name] = Number(value);
  }
  if (c.calls_before > 0) json["calls_before"] = c.calls_before;
  return json;
}

Result<Case> ParseCase(const Json& json, const std::string& where) {
  ObjectReader reader(json, where);
  Case c;
  KW_ASSIGN(c.id, reader.Required<std::string>("id"));
  KW_ASSIGN(c.seed, RequiredUnsigned(reader, "seed"));
  KW_ASSIGN(c.group, reader.Required<std::string>("group"));
  KW_ASSIGN(const Json* axes, RequiredMember(reader, "axes", Json::value_t::object));
  ObjectReader axes_reader(*axes, where + ": axes");
  for (const auto& item : axes->items()) {
    KW_ASSIGN(c.axes[item.key()], axes_reader.Required<int64_t>(item.key()));
  }
  if (const Json* scalars = reader.Find("scalars")) {
    ObjectReader scalars_reader(*scalars, where + ": scalars");
    if (!scalars->is_object()) return Fail(ErrorCode::kParse, where + ": scalars is no object");
    for (const auto& item : scalars->items()) {
      KW_ASSIGN(c.scalars[item.key()], RequiredNumber(scalars_reader, item.key()));
    }
  }
  KW_ASSIGN(c.calls_before, reader.Optional<int64_t>("calls_before", 0));
  if (c.calls_before < 0 || c.calls_before > kMaxCallsBefore) {
    return Fail(ErrorCode::kParse, where + ": calls_before is no number of calls");
  }
  KW_TRY(reader.RejectUnknown());
  return c;
}

Json ResourcesJson(const std::vector<KernelResources>& resources) {
  Json json = Json::array();
  for (const KernelResources& r : resources) {
    json.push_back({{"kernel", r.kernel},
                    {"registers", r.registers},
                    {"spill_bytes", r.spill_bytes},
                    {"static_shared_bytes", r.static_shared_bytes},
                    {"stack_bytes", r.stack_bytes}});
  }
  return json;
}

Result<std::vector<KernelResources>> ParseResources(const Json& json, const std::string& where) {
  if (!json.is_array()) return Fail(ErrorCode::kParse, where + " is no array");
  std::vector<KernelResources> resources;
  for (const Json& entry : json) {
    ObjectReader reader(entry, where);
    KernelResources r;
    KW_ASSIGN(r.kernel, reader.Required<std::string>("kernel"));
    for (const auto& [key, field] :
         {std::pair{"registers", &KernelResources::registers},
          std::pair{"spill_bytes", &KernelResources::spill_bytes},
          std::pair{"static_shared_bytes", &KernelResources::static_shared_bytes},
          std::pair{"stack_bytes", &KernelResources::stack_bytes}}) {
      KW_ASSIGN(const int64_t value, reader.Required<int64_t>(key));
      if (value < 0 || value > std::numeric_limits<int>::max()) {
        return Fail(ErrorCode::kParse, where + ": " + key + " is out of range");
      }
      r.*field = static_cast<int>(value);
    }
    KW_TRY(reader.RejectUnknown());
    resources.push_back(std::move(r));
  }
  return resources;
}

Json VerdictJson(const Verdict& v) {
  Json json = {{"version", kVersion},
               {"status", StatusName(v.status)},
               {"stage", v.stage},
               {"reason", v.reason},
               {"feedback", v.feedback},
               {"task", {{"name", v.task_name}, {"hash", v.task_hash}}},
               {"candidate_hash", v.candidate_hash},
               {"seed", v.seed},
               {"device", {{"kind", v.device_kind}, {"name", v.device_name}}},
               {"timing_kind", v.timing_kind},
               {"hazards", v.hazards},
               {"bitwise", v.bitwise},
               {"environmental", v.environmental}};
  if (v.oracle != OracleKind::kFull) json["oracle"] = OracleName(v.oracle);
  json["cases"] = Json::array();
  for (const CaseResult& result : CasesWithTheFailingOne(v)) {
    Json entry = CaseJson(result.c);
    entry["ok"] = result.ok;
    json["cases"].push_back(std::move(entry));
  }
  if (v.failing) json["failure"] = ErrorsJson(v);
  json["workloads"] = Json::array();
  for (const WorkloadTime& w : v.workloads) json["workloads"].push_back(WorkloadJson(w));
  json["speedup"] = Number(v.speedup);
  if (!v.replay_id.empty()) json["replay_id"] = v.replay_id;
  return json;
}

Result<Verdict> ParseVerdict(const Json& json, const std::string& where) {
  if (!json.is_object()) return Fail(ErrorCode::kParse, where + " is no object");
  ObjectReader reader(json, where);
  KW_ASSIGN(const int64_t version, reader.Required<int64_t>("version"));
  if (version != kVersion) {
    return Fail(ErrorCode::kParse, where + ": version " + std::to_string(version) +
                                       " is unknown; this program reads version 1");
  }
  Verdict v;
  KW_ASSIGN(const std::string status, reader.Required<std::string>("status"));
  const std::optional<Status> known = StatusFromName(status);
  if (!known) return Fail(ErrorCode::kParse, where + ": unknown status '" + status + "'");
  v.status = *known;
  KW_ASSIGN(v.stage, OneOf(reader, "stage",
                           {"extract", "precheck", "build", "load", "oracle", "timing", "endurance",
                            "confirm"}));
  KW_ASSIGN(v.reason, reader.Required<std::string>("reason"));
  KW_ASSIGN(v.feedback, reader.Required<std::string>("feedback"));
  KW_ASSIGN(v.candidate_hash, reader.Required<std::string>("candidate_hash"));
  KW_ASSIGN(v.seed, RequiredUnsigned(reader, "seed"));
  KW_TRY(ParseTaskAndDevice(reader, where, v));
  KW_ASSIGN(v.timing_kind, OneOf(reader, "timing_kind", {"modelled", "measured"}));
  KW_ASSIGN(v.hazards, OneOf(reader, "hazards", {"none", "found", "unchecked"}));
  KW_ASSIGN(v.bitwise, reader.Required<bool>("bitwise"));
  KW_ASSIGN(v.environmental, reader.Required<bool>("environmental"));
  KW_ASSIGN(const std::string oracle, reader.Optional<std::string>("oracle", "full"));
  const Result<OracleKind> kind = OracleNamed(oracle);
  if (!kind) return Fail(ErrorCode::kParse, where + ": " + kind.error().message);
  v.oracle = *kind;
  KW_TRY(ParseLists(reader, where, v));
  if (const Json* failure = reader.Find("failure")) {
    KW_TRY(ParseFailure(*failure, where + ": failure", v));
  }
  KW_ASSIGN(v.speedup, RequiredNumber(reader, "speedup"));
  KW_ASSIGN(v.replay_id, reader.Optional<std::string>("replay_id", ""));
  KW_TRY(reader.RejectUnknown());
  return v;
}

std::string VerdictToJson(const Verdict& verdict) { return DumpJson(VerdictJson(verdict)); }

Result<Verdict> VerdictFromJson(std::string_view text) {
  KW_ASSIGN(const Json json, ParseJson(text, "verdict"));
  return ParseVerdict(json, "verdict");
}

}  // namespace kw::eval
