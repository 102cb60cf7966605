#include "object_cache.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "kw/base/file.h"
#include "kw/base/hash.h"
#include "kw/base/json.h"

namespace kw::eval {
namespace {

constexpr int64_t kVersion = 1;

Json ToJson(const BuildOutcome& outcome) {
  Json resources = Json::array();
  for (const KernelResources& kernel : outcome.resources) {
    resources.push_back({{"kernel", kernel.kernel},
                         {"registers", kernel.registers},
                         {"spill_bytes", kernel.spill_bytes},
                         {"static_shared_bytes", kernel.static_shared_bytes},
                         {"stack_bytes", kernel.stack_bytes}});
  }
  return {{"version", kVersion},           {"ok", outcome.ok},
          {"object", outcome.object_hash}, {"reason", outcome.reason},
          {"feedback", outcome.feedback},  {"resources", std::move(resources)}};
}

Result<BuildOutcome> FromJson(const Json& json, const std::string& where) {
  ObjectReader reader(json, where);
  BuildOutcome outcome;
  KW_ASSIGN(const int64_t version, reader.Required<int64_t>("version"));
  if (version != kVersion) return Fail(ErrorCode::kCorrupt, where + ": another version");
  KW_ASSIGN(outcome.ok, reader.Required<bool>("ok"));
  KW_ASSIGN(outcome.object_hash, reader.Required<std::string>("object"));
  KW_ASSIGN(outcome.reason, reader.Required<std::string>("reason"));
  KW_ASSIGN(outcome.feedback, reader.Required<std::string>("feedback"));
  const Json* resources = reader.Find("resources");
  if (resources == nullptr || !resources->is_array()) {
    return Fail(ErrorCode::kCorrupt, where + ": no resources");
  }
  for (const Json& entry : *resources) {
    ObjectReader kernel_reader(entry, where + ": resources");
    const auto number = [&](const char* key) { return kernel_reader.Required<int64_t>(key); };
    KernelResources kernel;
    KW_ASSIGN(kernel.kernel, kernel_reader.Required<std::string>("kernel"));
    KW_ASSIGN(kernel.registers, number("registers"));
    KW_ASSIGN(kernel.spill_bytes, number("spill_bytes"));
    KW_ASSIGN(kernel.static_shared_bytes, number("static_shared_bytes"));
    KW_ASSIGN(kernel.stack_bytes, number("stack_bytes"));
    outcome.resources.push_back(std::move(kernel));
  }
  return outcome;
}

bool IsHash(const std::string& text) {
  return text.size() == 32 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

}  // namespace

Result<ObjectCache> ObjectCache::Open(const std::string& folder) {
  for (const char* part : {"/objects", "/outcomes", "/locks"}) {
    KW_TRY(MakeDirectories(folder + part));
  }
  return ObjectCache(folder);
}

std::optional<BuildOutcome> ObjectCache::FindOutcome(const std::string& key) const {
  const std::string path = fmt::format("{}/outcomes/{}.json", folder_, key);
  Result<std::string> text = ReadFile(path, 1 << 20);
  if (!text) return std::nullopt;
  Result<Json> json = ParseJson(*text, path);
  if (!json) return std::nullopt;
  Result<BuildOutcome> outcome = FromJson(*json, path);
  if (!outcome) return std::nullopt;
  if (outcome->ok) {
    std::optional<std::string> object = FindObject(outcome->object_hash);
    if (!object) return std::nullopt;
    outcome->object_path = *object;
  }
  outcome->from_cache = true;
  return *outcome;
}

Result<void> ObjectCache::StoreOutcome(const std::string& key, const BuildOutcome& outcome) const {
  return WriteFileAtomic(fmt::format("{}/outcomes/{}.json", folder_, key),
                         DumpJson(ToJson(outcome)) + "\n");
}

std::optional<std::string> ObjectCache::FindObject(const std::string& hash) const {
  if (!IsHash(hash)) return std::nullopt;
  std::string path = fmt::format("{}/objects/{}.so", folder_, hash);
  Result<std::string> bytes = ReadFile(path);
  if (!bytes || ContentHash(*bytes) != hash) return std::nullopt;
  return path;
}

Result<std::pair<std::string, std::string>> ObjectCache::StoreObject(
    const std::string& bytes) const {
  const std::string hash = ContentHash(bytes);
  const std::string path = fmt::format("{}/objects/{}.so", folder_, hash);
  if (!FindObject(hash)) KW_TRY(WriteFileAtomic(path, bytes));
  return std::pair(hash, path);
}

ObjectCache::Lock::~Lock() {
  if (fd_ >= 0) close(fd_);
}

Result<ObjectCache::Lock> ObjectCache::LockKey(const std::string& key) const {
  const std::string path = fmt::format("{}/locks/{}", folder_, key.substr(0, 2));
  const int fd = open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0666);
  if (fd < 0) {
    return Fail(ErrorCode::kIo, fmt::format("cannot open '{}': {}", path, std::strerror(errno)));
  }
  Lock lock(fd);
  while (flock(fd, LOCK_EX) != 0) {
    if (errno == EINTR) continue;
    return Fail(ErrorCode::kIo, fmt::format("cannot lock '{}': {}", path, std::strerror(errno)));
  }
  return lock;
}

}  // namespace kw::eval
