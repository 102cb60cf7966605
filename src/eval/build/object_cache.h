// The build cache on disk:
//   objects/HASH.so     an object, named by the content hash of its bytes
//   outcomes/KEY.json   what a build with these inputs gave: an object, or why there is none
//   locks/NN            one lock for 1/256 of the keys, so that nobody builds what another builds
// Every file is written beside its name and renamed; a file that fails its own checks is as if it
// were not there.
#pragma once

#include <optional>
#include <string>

#include "kw/eval/build.h"

namespace kw::eval {

class ObjectCache {
 public:
  static Result<ObjectCache> Open(const std::string& folder);

  std::optional<BuildOutcome> FindOutcome(const std::string& key) const;
  Result<void> StoreOutcome(const std::string& key, const BuildOutcome& outcome) const;
  std::optional<std::string> FindObject(const std::string& hash) const;
  // Returns (hash, path).
  Result<std::pair<std::string, std::string>> StoreObject(const std::string& bytes) const;

  // Held until it dies, against other threads and other processes.
  class Lock {
   public:
    explicit Lock(int fd) : fd_(fd) {}
    Lock(Lock&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
    Lock& operator=(Lock&&) = delete;
    ~Lock();

   private:
    int fd_;
  };
  Result<Lock> LockKey(const std::string& key) const;

 private:
  explicit ObjectCache(std::string folder) : folder_(std::move(folder)) {}
  std::string folder_;
};

}  // namespace kw::eval
