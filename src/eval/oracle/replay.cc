#include "replay.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <cstring>

#include "kw/base/file.h"
#include "kw/base/hash.h"
#include "kw/base/json.h"
#include "kw/base/text.h"

namespace kw::eval {
namespace {

constexpr int64_t kVersion = 2;  // 1 had no seed
constexpr size_t kIdLength = 12;

bool IsId(std::string_view id) {
  return id.size() == kIdLength && id.find_first_not_of("0123456789abcdef") == id.npos;
}

std::string PathOf(const std::string& folder, const std::string& id) {
  return folder + "/" + id + ".json";
}

// 64-bit seeds are text: not every reader of JSON keeps them whole as numbers.
Result<uint64_t> ParseSeed(const std::string& text, const std::string& where) {
  uint64_t seed = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seed);
  if (error != std::errc() || end != text.data() + text.size()) {
    return Fail(ErrorCode::kParse, where + " is no unsigned number");
  }
  return seed;
}

Result<Case> CaseFromJson(const Json& json, const std::string& where) {
  ObjectReader reader(json, where + ": case");
  Case c;
  KW_ASSIGN(c.id, reader.Required<std::string>("id"));
  KW_ASSIGN(const std::string seed, reader.Required<std::string>("seed"));
  KW_ASSIGN(c.seed, ParseSeed(seed, where + ": case.seed"));
  KW_ASSIGN(c.group, reader.Required<std::string>("group"));
  const Json* axes = reader.Find("axes");
  const Json* scalars = reader.Find("scalars");
  if (axes == nullptr || !axes->is_object() || scalars == nullptr || !scalars->is_object()) {
    return Fail(ErrorCode::kParse, where + ": case.axes and case.scalars must be objects");
  }
  for (const auto& [name, size] : axes->items()) {
    if (!size.is_number_integer() || size.get<double>() > 1e15) {
      return Fail(ErrorCode::kParse, fmt::format("{}: case.axes.{} is no size", where, name));
    }
    c.axes[name] = size.get<int64_t>();
  }
  for (const auto& [name, value] : scalars->items()) {
    if (!value.is_number()) {
      return Fail(ErrorCode::kParse, fmt::format("{}: case.scalars.{} is no number", where, name));
    }
    c.scalars[name] = value.get<double>();
  }
  KW_ASSIGN(c.calls_before, reader.Optional<int64_t>("calls_before", 0));
  if (c.calls_before < 0 || c.calls_before > kMaxCallsBefore) {
    return Fail(ErrorCode::kParse, where + ": case.calls_before is no number of calls");
  }
  KW_TRY(reader.RejectUnknown());
  return c;
}

}  // namespace

std::string ReplayId(const Replay& replay) {
  Hasher hasher;
  hasher.Add(replay.task_hash).Add(replay.candidate_hash).Add(replay.device);
  hasher.Add(static_cast<int64_t>(replay.c.seed)).Add(replay.c.group);
  for (const auto& [axis, size] : replay.c.axes) hasher.Add(axis).Add(size);
  for (const auto& [name, value] : replay.c.scalars) {
    int64_t bits = 0;
    std::memcpy(&bits, &value, sizeof bits);
    hasher.Add(name).Add(bits);
  }
  return hasher.Hex().substr(0, kIdLength);
}

std::string FormatReplay(const Replay& replay) {
  Json axes = Json::object(), scalars = Json::object();
  for (const auto& [axis, size] : replay.c.axes) axes[axis] = size;
  for (const auto& [name, value] : replay.c.scalars) scalars[name] = value;
  Json c = {{"id", replay.c.id},
            {"seed", std::to_string(replay.c.seed)},
            {"axes", std::move(axes)},
            {"group", replay.c.group},
            {"scalars", std::move(scalars)}};
  if (replay.c.calls_before > 0) c["calls_before"] = replay.c.calls_before;
  Json json = {
      {"version", kVersion},
      {"id", replay.id},
      {"task",
       {{"name", replay.task_name}, {"folder", replay.task_folder}, {"hash", replay.task_hash}}},
      {"case", std::move(c)},
      {"seed", std::to_string(replay.seed)},
      {"inputs_hash", replay.inputs_hash},
      {"device", replay.device},
      {"status", replay.status},
      {"feedback", replay.feedback},
      {"candidate", {{"hash", replay.candidate_hash}, {"source", replay.candidate_source}}}};
  return DumpJsonPretty(json) + "\n";
}

Result<Replay> ParseReplay(std::string_view text, const std::string& where) {
  KW_ASSIGN(const Json json, ParseJson(text, where));
  ObjectReader reader(json, where);
  KW_ASSIGN(const int64_t version, reader.Required<int64_t>("version"));
  if (version != kVersion) {
    return Fail(ErrorCode::kParse, fmt::format("{}: version {} is not known", where, version));
  }
  Replay replay;
  KW_ASSIGN(replay.id, reader.Required<std::string>("id"));
  KW_ASSIGN(replay.inputs_hash, reader.Required<std::string>("inputs_hash"));
  KW_ASSIGN(replay.device, reader.Required<std::string>("device"));
  KW_ASSIGN(replay.status, reader.Required<std::string>("status"));
  KW_ASSIGN(replay.feedback, reader.Required<std::string>("feedback"));
  KW_ASSIGN(const std::string seed, reader.Required<std::string>("seed"));
  KW_ASSIGN(replay.seed, ParseSeed(seed, where + ": seed"));
  const Json* task = reader.Find("task");
  const Json* candidate = reader.Find("candidate");
  const Json* c = reader.Find("case");
  for (const Json* part : {task, candidate, c}) {
    if (part == nullptr || !part->is_object()) {
      return Fail(ErrorCode::kParse, where + ": task, candidate and case must be objects");
    }
  }
  ObjectReader task_reader(*task, where + ": task");
  KW_ASSIGN(replay.task_name, task_reader.Required<std::string>("name"));
  KW_ASSIGN(replay.task_folder, task_reader.Required<std::string>("folder"));
  KW_ASSIGN(replay.task_hash, task_reader.Required<std::string>("hash"));
  ObjectReader candidate_reader(*candidate, where + ": candidate");
  KW_ASSIGN(replay.candidate_hash, candidate_reader.Required<std::string>("hash"));
  KW_ASSIGN(replay.candidate_source, candidate_reader.Required<std::string>("source"));
  KW_ASSIGN(replay.c, CaseFromJson(*c, where));
  KW_TRY(reader.RejectUnknown());
  if (ReplayId(replay) != replay.id) {
    return Fail(ErrorCode::kCorrupt, where + ": its id does not belong to what it holds");
  }
  return replay;
}

Result<std::string> StoreReplay(const std::string& folder, Replay replay) {
  replay.id = ReplayId(replay);
  KW_TRY(MakeDirectories(folder));
  const std::string path = PathOf(folder, replay.id);
  if (Result<Replay> stored = LoadReplay(folder, replay.id)) return replay.id;
  KW_TRY(WriteFileAtomic(path, FormatReplay(replay)));
  return replay.id;
}

Result<Replay> LoadReplay(const std::string& folder, const std::string& id) {
  if (!IsId(id)) {
    return Fail(ErrorCode::kInvalid,
                fmt::format("'{}' is no replay id: {} hexadecimal characters", id, kIdLength));
  }
  const std::string path = PathOf(folder, id);
  if (!FileExists(path)) {
    return Fail(ErrorCode::kNotFound, fmt::format("no failure '{}' is stored in {}", id, folder));
  }
  KW_ASSIGN(const std::string text, ReadFile(path, 64 << 20));
  KW_ASSIGN(Replay replay, ParseReplay(text, path));
  if (replay.id != id) return Fail(ErrorCode::kCorrupt, path + " holds another failure");
  return replay;
}

}  // namespace kw::eval
