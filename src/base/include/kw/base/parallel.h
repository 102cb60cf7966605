// Work on several threads whose result does not depend on their timing.
#pragma once

#include <algorithm>
#include <atomic>
#include <functional>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "kw/base/error.h"

namespace kw {

// work(0) .. work(count - 1) on at most `threads` threads; the results in that order. After an
// error nothing new is begun; the error returned is the first in order that is no kCancelled
// (those are the consequence of another), else the first.
template <class T>
Result<std::vector<T>> ParallelMap(size_t count, int threads,
                                   const std::function<Result<T>(size_t)>& work) {
  std::vector<std::optional<Result<T>>> results(count);
  std::atomic<size_t> next = 0;
  std::atomic<bool> failed = false;
  auto run = [&] {
    for (size_t i = next++; i < count && !failed; i = next++) {
      results[i] = work(i);
      if (!*results[i]) failed = true;
    }
  };
  size_t extra = std::min(count, static_cast<size_t>(std::max(threads, 1)));
  std::vector<std::thread> pool;
  try {
    for (size_t i = 1; i < extra; ++i) pool.emplace_back(run);
  } catch (const std::system_error&) {
    // The machine has no more threads: those that there are do the work.
  }
  run();
  for (std::thread& thread : pool) thread.join();

  const Error* first = nullptr;
  std::vector<T> values;
  for (std::optional<Result<T>>& result : results) {
    if (result && *result) {
      values.push_back(std::move(**result));
    } else if (result) {
      const Error& error = result->error();
      bool better = first != nullptr && first->code == ErrorCode::kCancelled &&
                    error.code != ErrorCode::kCancelled;
      if (first == nullptr || better) first = &error;
    }
  }
  if (first != nullptr) return Fail(*first);
  return values;
}

}  // namespace kw
