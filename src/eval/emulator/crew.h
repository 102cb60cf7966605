// Threads that wait for work, so that a launch of a millisecond gains from them.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace kw::eval::emu {

// Used by one thread at a time.
class Crew {
 public:
  // The caller counts as one of them; the others are started.
  explicit Crew(int threads);
  ~Crew();
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;

  int size() const { return static_cast<int>(others_.size()) + 1; }
  // Calls work(0) here and work(1) to work(size() - 1) on the others; returns when all have ended.
  void Run(const std::function<void(int)>& work);

 private:
  void Serve(int number);

  std::mutex mutex_;
  std::condition_variable called_, done_;
  const std::function<void(int)>* work_ = nullptr;
  uint64_t calls_ = 0;
  int busy_ = 0;
  bool over_ = false;
  std::vector<std::thread> others_;
};

}  // namespace kw::eval::emu
