// What a run may spend on model calls. A call begins only if what is spent, what the calls under
// way may cost at most, and what it may cost itself stay within every cap: so none is ever passed.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>

#include "kw/base/error.h"

namespace kw {

struct Amount {
  int64_t calls = 0, tokens = 0;
  double cost_usd = 0;
};

// Thread-safe.
class Budget {
 public:
  // 0 of a cap: there is none. `spent`: before this process began.
  Budget(const Amount& caps, const Amount& spent) : caps_(caps), spent_(spent) {}

  // Takes what a call may cost at most. Where it only does not fit because of calls under way, it
  // waits for them: they mostly cost less. kLimit where it does not fit at all: says which key of
  // the configuration caps it.
  [[nodiscard]] Result<void> Take(const Amount& most);
  // The call has ended; `used` of what was taken is spent.
  void Settle(const Amount& most, const Amount& used);

 private:
  const Amount caps_;
  std::mutex mutex_;
  std::condition_variable settled_;
  Amount spent_, taken_;
};

}  // namespace kw
