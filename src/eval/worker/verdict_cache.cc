#include "verdict_cache.h"

#include "kw/base/file.h"
#include "kw/base/hash.h"
#include "kw/base/log.h"
#include "program_identity.h"

namespace kw::eval {

std::string VerdictCache::Key(const Task& task, const std::string& candidate_hash,
                              const BuildOutcome& built, const DeviceSheet& sheet,
                              const EvaluateOptions& options) {
  return Hasher()
      .Add(task.hash)
      .Add(candidate_hash)
      .Add(built.object_hash)
      .Add(sheet.hash)
      .Add(static_cast<int64_t>(options.seed))
      .Add(EffortName(options.effort))
      .Add(OracleName(options.oracle))
      .Add(ProgramIdentity())
      .Hex();
}

std::string VerdictCache::PathOf(const std::string& key) const {
  return folder_ + "/" + key.substr(0, 2) + "/" + key + ".json";
}

std::optional<Verdict> VerdictCache::Find(const std::string& key) const {
  const auto text = ReadFile(PathOf(key));
  if (!text) return std::nullopt;
  auto verdict = VerdictFromJson(*text);
  if (!verdict || verdict->environmental) return std::nullopt;
  return std::move(*verdict);
}

void VerdictCache::Store(const std::string& key, const Verdict& verdict) const {
  if (verdict.environmental) return;
  Result<void> stored = MakeDirectories(folder_ + "/" + key.substr(0, 2));
  if (stored) stored = WriteFileAtomic(PathOf(key), VerdictToJson(verdict) + "\n");
  if (!stored) log::Warn("a verdict is not cached: " + stored.error().ToString());
}

}  // namespace kw::eval
