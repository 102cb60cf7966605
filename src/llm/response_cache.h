// What models that share one recording share: the file, the thread that writes it, and the count of
// calls that cannot be told apart.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "recording_file.h"

namespace kw {

struct ResponseCache::Impl {
  // A request as it is looked up.
  struct Asked {
    std::string key, text;   // the canonical text, and its hash
    std::string base;        // of an unrepeatable request: its key without a number
    int64_t occurrence = 0;  // its number, to be given back if no answer comes
  };
  struct Found {
    ChatAnswer answer;
    bool simulated = false;
  };

  Impl(std::string path, CacheMode cache_mode, std::unique_ptr<recording::RecordingFile> open_file);
  ~Impl();
  // Record only.
  [[nodiscard]] Result<void> StartWriter();

  // Takes the next number of an unrepeatable request: the smallest that is free.
  [[nodiscard]] Result<Asked> Ask(const ChatRequest& request, const std::string& variant);
  void GiveBack(const Asked& asked);

  // Reads in the caller's thread: some tens of microseconds, and with a write-ahead log never
  // behind a writer.
  [[nodiscard]] Result<std::optional<Found>> Find(const Asked& asked);
  // Why replay has no answer.
  Error Missing(const Asked& asked);

  // Writes in the cache's thread, in order, then calls `done` there with what the file says. An
  // answer that cannot be written was paid for all the same: it is returned as it is, with a
  // warning.
  void Keep(Asked asked, ChatAnswer answer, bool simulated,
            std::function<void(Result<Found>)> done);
  // Until all that was to be kept is, and `done` returned.
  void Drain();

  const std::string file;
  const CacheMode mode;
  std::atomic<int64_t> hits = 0, misses = 0, not_kept = 0;

  std::mutex read_mutex;
  std::unique_ptr<recording::RecordingFile> reader;  // guarded by read_mutex

 private:
  struct Numbers {
    int64_t next = 1;
    std::set<int64_t> free;  // below next
  };

  void Write();
  Result<Found> KeepNow(const Asked& asked, const ChatAnswer& answer, bool simulated);

  std::mutex numbers_mutex_;
  std::map<std::string, Numbers> numbers_;

  std::unique_ptr<recording::RecordingFile> writer_;  // of thread_
  std::mutex queue_mutex_;
  std::condition_variable queue_changed_;
  std::deque<std::function<void()>> queue_;
  bool writing_ = false, closing_ = false;
  std::thread thread_;
};

}  // namespace kw
