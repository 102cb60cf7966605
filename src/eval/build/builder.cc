#include <fmt/format.h>

#include <functional>

#include "compile.h"
#include "kw/base/clock.h"
#include "kw/base/file.h"
#include "kw/base/hash.h"
#include "kw/eval/build.h"
#include "object_cache.h"
#include "toolchain.h"

namespace kw::eval {

struct Builder::Impl {
  Impl(Toolchain toolchain, BuilderConfig config, ObjectCache cache)
      : source_bytes(config.source_bytes),
        compiler(std::move(toolchain), std::move(config)),
        cache(std::move(cache)) {}

  // From the cache, or by `compile`, at most once at a time for a key.
  Result<BuildOutcome> Build(const std::string& key,
                             const std::function<Result<Compiled>()>& compile) {
    const int64_t started_us = SystemClock().MonotonicMicros();
    const auto finished = [&](BuildOutcome outcome) {
      outcome.wall_us = SystemClock().MonotonicMicros() - started_us;
      return outcome;
    };
    if (std::optional<BuildOutcome> found = cache.FindOutcome(key)) return finished(*found);
    KW_ASSIGN(ObjectCache::Lock lock, cache.LockKey(key));
    if (std::optional<BuildOutcome> found = cache.FindOutcome(key)) return finished(*found);
    KW_ASSIGN(Compiled compiled, compile());
    BuildOutcome& outcome = compiled.outcome;
    if (outcome.ok) {
      KW_ASSIGN(std::tie(outcome.object_hash, outcome.object_path),
                cache.StoreObject(compiled.object));
    }
    // What ran into the clock may do better another time.
    const bool keep = !outcome.environmental && outcome.reason != "compile_timeout";
    if (keep) KW_TRY(cache.StoreOutcome(key, outcome));
    return finished(std::move(outcome));
  }

  // Where a key would not know all that decides the object.
  Result<BuildOutcome> BuildAfresh(const std::function<Result<Compiled>()>& compile) {
    const int64_t started_us = SystemClock().MonotonicMicros();
    KW_ASSIGN(Compiled compiled, compile());
    if (compiled.outcome.ok) {
      KW_ASSIGN(std::tie(compiled.outcome.object_hash, compiled.outcome.object_path),
                cache.StoreObject(compiled.object));
    }
    compiled.outcome.wall_us = SystemClock().MonotonicMicros() - started_us;
    return std::move(compiled.outcome);
  }

  std::optional<BuildOutcome> TooLarge(const std::string& source) const {
    if (static_cast<int64_t>(source.size()) <= source_bytes) return std::nullopt;
    BuildOutcome outcome;
    outcome.reason = "compile_error";
    outcome.feedback =
        fmt::format("the source has {} bytes; at most {} are taken", source.size(), source_bytes);
    return outcome;
  }

  int64_t source_bytes;
  Compiler compiler;
  ObjectCache cache;
};

namespace {

std::string Key(std::string_view kind, const std::string& source,
                const std::vector<std::string>& flags, const std::string& version) {
  // Counts up when the way of building changes what an object holds, or which sources are taken.
  constexpr int64_t kBuildVersion = 3;
  Hasher hasher;
  hasher.Add(kBuildVersion).Add(kind).Add(source).Add(version);
  for (const std::string& flag : flags) hasher.Add(flag);
  return hasher.Hex();
}

}  // namespace

Builder::Builder(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Builder::Builder(Builder&&) noexcept = default;
Builder& Builder::operator=(Builder&&) noexcept = default;
Builder::~Builder() = default;

Result<Builder> Builder::Make(BuilderConfig config) {
  if (config.cache.empty()) return Fail(ErrorCode::kInvalid, "a builder needs a cache folder");
  KW_ASSIGN(Toolchain toolchain, FindToolchain(config.nvcc));
  KW_ASSIGN(ObjectCache cache, ObjectCache::Open(config.cache));
  return Builder(std::make_unique<Impl>(std::move(toolchain), std::move(config), std::move(cache)));
}

const ToolchainInfo& Builder::toolchain() const { return impl_->compiler.toolchain().info; }

Result<BuildOutcome> Builder::BuildCandidate(const std::string& source, const BuildTarget& target) {
  if (std::optional<BuildOutcome> refused = impl_->TooLarge(source)) return *refused;
  Compiler& compiler = impl_->compiler;
  const Toolchain& toolchain = compiler.toolchain();
  if (!toolchain.problem.empty()) return Fail(ErrorCode::kUnavailable, toolchain.problem);
  if (!target.include_folders.empty()) {
    return impl_->BuildAfresh([&] { return compiler.Candidate(source, target); });
  }
  const std::string version = fmt::format("{}/{}/{}", toolchain.info.nvcc_version,
                                          toolchain.info.gxx_version, toolchain.linker);
  return impl_->Build(Key("candidate", source, compiler.CandidateFlags(target), version),
                      [&] { return compiler.Candidate(source, target); });
}

Result<BuildOutcome> Builder::BuildReference(const std::string& source) {
  if (std::optional<BuildOutcome> refused = impl_->TooLarge(source)) return *refused;
  Compiler& compiler = impl_->compiler;
  const ToolchainInfo& info = compiler.toolchain().info;
  if (info.gxx_path.empty()) return Fail(ErrorCode::kUnavailable, "there is no g++: install g++");
  return impl_->Build(Key("reference", source, compiler.ReferenceFlags(), info.gxx_version),
                      [&] { return compiler.Reference(source); });
}

std::optional<std::string> Builder::FindObject(const std::string& object_hash) const {
  return impl_->cache.FindObject(object_hash);
}

Result<std::string> Builder::StoreObject(const std::string& object_hash, const std::string& bytes) {
  if (ContentHash(bytes) != object_hash) {
    return Fail(ErrorCode::kCorrupt, fmt::format("an object of {} bytes does not have the hash {}",
                                                 bytes.size(), object_hash));
  }
  KW_ASSIGN(auto stored, impl_->cache.StoreObject(bytes));
  return stored.second;
}

}  // namespace kw::eval
