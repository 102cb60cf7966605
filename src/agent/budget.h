// What a run may spend on model calls, as a whole and by role. A call begins only if what is spent,
// what the calls under way may cost at most, and what it may cost itself stay within every cap: so
// none is ever passed.
#pragma once

#include <array>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>

#include "kw/base/error.h"
#include "kw/usage.h"

namespace kw {

struct Amount {
  int64_t calls = 0, tokens = 0;
  double cost_usd = 0;
};

// Thread-safe.
class Budget {
 public:
  // 0 of a cap: there is none. `spent`: before this process began.
  Budget(const Amount& caps, const Amount& spent);
  // The same of one role's calls; before the first Take. `section` of the configuration holds the
  // caps.
  void CapRole(ModelRole role, const std::string& section, const Amount& caps, const Amount& spent);

  // Takes what a call may cost at most. Where it only does not fit because of calls under way, it
  // waits for them: they mostly cost less. kLimit where it does not fit at all: says which key of
  // the configuration caps it.
  [[nodiscard]] Result<void> Take(const Amount& most, ModelRole role = ModelRole::kAuthor);
  // The call has ended; `used` of what was taken is spent.
  void Settle(const Amount& most, const Amount& used, ModelRole role = ModelRole::kAuthor);

 private:
  struct Purse {
    std::string section;  // "run", "model.judge"
    Amount caps, spent, taken;

    bool Fits(const Amount& most) const;
    std::string CapText(const Amount& most) const;
    void Settle(const Amount& most, const Amount& used);
  };
  Purse& Of(ModelRole role) { return roles_[static_cast<size_t>(role)]; }

  std::mutex mutex_;
  std::condition_variable settled_;
  Purse run_;
  std::array<Purse, kModelRoles> roles_;
};

}  // namespace kw
