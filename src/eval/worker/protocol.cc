#include "protocol.h"

#include <algorithm>

#include "base64.h"
#include "kw/base/json.h"
#include "kw/base/text.h"
#include "verdict_json.h"

namespace kw::eval {
namespace {

constexpr size_t kMaxId = 256;

struct Formatter {
  Json operator()(const HelloMessage& m) const {
    Json devices = Json::array();
    for (const auto& d : m.devices) {
      devices.push_back({{"kind", d.kind}, {"name", d.name}, {"hash", d.hash}});
    }
    return {{"type", "hello"},    {"protocol", m.protocol}, {"build", m.build},
            {"devices", devices}, {"nvcc", m.nvcc},         {"cpu", m.cpu}};
  }
  Json operator()(const EvaluateMessage& m) const {
    Json json = {{"type", "evaluate"},
                 {"id", m.id},
                 {"task_hash", m.task_hash},
                 {"candidate_hash", m.candidate_hash}};
    if (!m.object_hash.empty()) json["object_hash"] = m.object_hash;
    json["seed"] = m.seed;
    json["effort"] = EffortName(m.effort);
    if (m.oracle != OracleKind::kFull) json["oracle"] = OracleName(m.oracle);
    if (m.wall_ms > 0) json["wall_ms"] = m.wall_ms;
    if (!m.resources.empty()) json["resources"] = ResourcesJson(m.resources);
    if (m.only_case) json["case"] = CaseJson(*m.only_case);
    if (!m.dump.empty()) json["dump"] = m.dump;
    return json;
  }
  Json operator()(const NeedMessage& m) const {
    Json hashes = Json::array();
    for (const std::string& hash : m.hashes) hashes.push_back(hash);
    return {{"type", "need"}, {"hashes", hashes}};
  }
  Json operator()(const BlobMessage& m) const {
    return {{"type", "blob"},
            {"hash", m.hash},
            {"offset", m.offset},
            {"data", EncodeBase64(m.data)},
            {"last", m.last}};
  }
  Json operator()(const ProgressMessage& m) const {
    return {{"type", "progress"}, {"id", m.id}, {"stage", m.stage}};
  }
  Json operator()(const ResultMessage& m) const {
    return {{"type", "result"}, {"id", m.id}, {"verdict", VerdictJson(m.verdict)}};
  }
  Json operator()(const CancelMessage& m) const { return {{"type", "cancel"}, {"id", m.id}}; }
  Json operator()(const PingMessage&) const { return {{"type", "ping"}}; }
  Json operator()(const PongMessage&) const { return {{"type", "pong"}}; }
  Json operator()(const ErrorMessage& m) const {
    Json json = {{"type", "error"}};
    if (!m.id.empty()) json["id"] = m.id;
    json["code"] = m.code;
    json["text"] = m.text;
    return json;
  }
};

Result<std::string> ReadId(ObjectReader& reader) {
  KW_ASSIGN(std::string id, reader.Required<std::string>("id"));
  if (id.empty() || id.size() > kMaxId) {
    return Fail(ErrorCode::kParse, reader.where() + ": an id has 1 to 256 characters");
  }
  return id;
}

Result<std::string> ReadHash(ObjectReader& reader, const std::string& key) {
  KW_ASSIGN(std::string hash, reader.Required<std::string>(key));
  if (!IsHash(hash)) return Fail(ErrorCode::kParse, reader.where() + ": '" + key + "' is no hash");
  return hash;
}

Result<Message> ReadHello(ObjectReader& reader) {
  HelloMessage m;
  KW_ASSIGN(m.protocol, reader.Required<int64_t>("protocol"));
  KW_ASSIGN(m.build, reader.Required<std::string>("build"));
  KW_ASSIGN(m.nvcc, reader.Optional<std::string>("nvcc", ""));
  KW_ASSIGN(m.cpu, reader.Optional<std::string>("cpu", ""));
  if (const Json* devices = reader.Find("devices")) {
    if (!devices->is_array()) return Fail(ErrorCode::kParse, "hello: devices is no array");
    for (const Json& json : *devices) {
      ObjectReader device(json, "hello: device");
      HelloMessage::DeviceName d;
      KW_ASSIGN(d.kind, device.Required<std::string>("kind"));
      KW_ASSIGN(d.name, device.Required<std::string>("name"));
      KW_ASSIGN(d.hash, device.Required<std::string>("hash"));
      KW_TRY(device.RejectUnknown());
      m.devices.push_back(std::move(d));
    }
  }
  return Message(std::move(m));
}

Result<Message> ReadEvaluate(ObjectReader& reader) {
  EvaluateMessage m;
  KW_ASSIGN(m.id, ReadId(reader));
  KW_ASSIGN(m.task_hash, ReadHash(reader, "task_hash"));
  KW_ASSIGN(m.candidate_hash, ReadHash(reader, "candidate_hash"));
  if (reader.Has("object_hash")) {
    KW_ASSIGN(m.object_hash, ReadHash(reader, "object_hash"));
  }
  KW_ASSIGN(m.seed, RequiredUnsigned(reader, "seed"));
  KW_ASSIGN(const std::string effort, reader.Required<std::string>("effort"));
  const Result<Effort> known = EffortNamed(effort);
  if (!known) return Fail(ErrorCode::kParse, "evaluate: " + known.error().message);
  m.effort = *known;
  KW_ASSIGN(const std::string oracle, reader.Optional<std::string>("oracle", "full"));
  const Result<OracleKind> kind = OracleNamed(oracle);
  if (!kind) return Fail(ErrorCode::kParse, "evaluate: " + kind.error().message);
  m.oracle = *kind;
  KW_ASSIGN(m.wall_ms, reader.Optional<int64_t>("wall_ms", 0));
  if (m.wall_ms < 0) return Fail(ErrorCode::kParse, "evaluate: wall_ms is negative");
  if (const Json* resources = reader.Find("resources")) {
    KW_ASSIGN(m.resources, ParseResources(*resources, "evaluate: resources"));
  }
  if (const Json* only = reader.Find("case")) {
    KW_ASSIGN(m.only_case, ParseCase(*only, "evaluate: case"));
  }
  KW_ASSIGN(m.dump, reader.Optional<std::string>("dump", ""));
  if (!m.dump.empty() && (!m.only_case || m.dump.front() != '/')) {
    return Fail(ErrorCode::kParse, "evaluate: dump is an absolute folder, and goes with a case");
  }
  return Message(std::move(m));
}

Result<Message> ReadNeed(ObjectReader& reader) {
  NeedMessage m;
  KW_ASSIGN(m.hashes, reader.Required<std::vector<std::string>>("hashes"));
  if (!std::all_of(m.hashes.begin(), m.hashes.end(), IsHash)) {
    return Fail(ErrorCode::kParse, "need: not all of hashes are hashes");
  }
  return Message(std::move(m));
}

Result<Message> ReadBlob(ObjectReader& reader) {
  BlobMessage m;
  KW_ASSIGN(m.hash, ReadHash(reader, "hash"));
  KW_ASSIGN(m.offset, RequiredUnsigned(reader, "offset"));
  KW_ASSIGN(const std::string data, reader.Required<std::string>("data"));
  KW_ASSIGN(m.data, DecodeBase64(data));
  KW_ASSIGN(m.last, reader.Required<bool>("last"));
  return Message(std::move(m));
}

Result<Message> ReadResult(ObjectReader& reader) {
  ResultMessage m;
  KW_ASSIGN(m.id, ReadId(reader));
  const Json* verdict = reader.Find("verdict");
  if (verdict == nullptr) return Fail(ErrorCode::kParse, "result: 'verdict' is missing");
  KW_ASSIGN(m.verdict, ParseVerdict(*verdict, "result: verdict"));
  return Message(std::move(m));
}

Result<Message> ReadProgress(ObjectReader& reader) {
  ProgressMessage m;
  KW_ASSIGN(m.id, ReadId(reader));
  KW_ASSIGN(m.stage, reader.Required<std::string>("stage"));
  return Message(std::move(m));
}

Result<Message> ReadCancel(ObjectReader& reader) {
  CancelMessage m;
  KW_ASSIGN(m.id, ReadId(reader));
  return Message(std::move(m));
}

Result<Message> ReadError(ObjectReader& reader) {
  ErrorMessage m;
  KW_ASSIGN(m.id, reader.Optional<std::string>("id", ""));
  KW_ASSIGN(m.code, reader.Required<std::string>("code"));
  KW_ASSIGN(m.text, reader.Required<std::string>("text"));
  return Message(std::move(m));
}

struct Kind {
  const char* type;
  Result<Message> (*read)(ObjectReader&);
};
constexpr Kind kKinds[] = {
    {"hello", ReadHello},
    {"evaluate", ReadEvaluate},
    {"need", ReadNeed},
    {"blob", ReadBlob},
    {"progress", ReadProgress},
    {"result", ReadResult},
    {"cancel", ReadCancel},
    {"ping", [](ObjectReader&) -> Result<Message> { return Message(PingMessage{}); }},
    {"pong", [](ObjectReader&) -> Result<Message> { return Message(PongMessage{}); }},
    {"error", ReadError},
};

}  // namespace

bool IsHash(std::string_view text) {
  return !text.empty() && text.size() <= 128 &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                  c == '-' || c == '_';
         });
}

std::string FormatMessage(const Message& message) {
  return DumpJson(std::visit(Formatter{}, message)) + "\n";
}

Result<Message> ParseMessage(std::string_view line) {
  KW_ASSIGN(const Json json, ParseJson(line, "message"));
  if (!json.is_object()) return Fail(ErrorCode::kParse, "message: not an object");
  ObjectReader reader(json, "message");
  KW_ASSIGN(const std::string type, reader.Required<std::string>("type"));
  std::vector<std::string> known;
  for (const Kind& kind : kKinds) {
    known.push_back(kind.type);
    if (type != kind.type) continue;
    ObjectReader body(json, type);
    KW_TRY(body.Required<std::string>("type"));
    KW_ASSIGN(Message message, kind.read(body));
    KW_TRY(body.RejectUnknown());
    return message;
  }
  return Fail(ErrorCode::kParse, "message: " + UnknownName("type", Shorten(type, 64), known));
}

}  // namespace kw::eval
