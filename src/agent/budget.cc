#include "budget.h"

#include <fmt/format.h>

namespace kw {
namespace {

Amount Sum(const Amount& a, const Amount& b) {
  return {a.calls + b.calls, a.tokens + b.tokens, a.cost_usd + b.cost_usd};
}

}  // namespace

bool Budget::Purse::Fits(const Amount& most) const {
  const Amount after = Sum(Sum(spent, taken), most);
  return (caps.calls <= 0 || after.calls <= caps.calls) &&
         (caps.tokens <= 0 || after.tokens <= caps.tokens) &&
         (caps.cost_usd <= 0 || after.cost_usd <= caps.cost_usd);
}

// The first cap that the next call would pass, in the configuration's words.
std::string Budget::Purse::CapText(const Amount& most) const {
  const Amount after = Sum(spent, most);
  if (caps.calls > 0 && after.calls > caps.calls) {
    return fmt::format("{} calls were made, and {}.max_calls is {}", spent.calls, section,
                       caps.calls);
  }
  if (caps.tokens > 0 && after.tokens > caps.tokens) {
    return fmt::format(
        "{} tokens were used, the next call may use {}, and {}.max_total_tokens is {}",
        spent.tokens, most.tokens, section, caps.tokens);
  }
  return fmt::format(
      "{:.4f} USD were spent, the next call may cost {:.4f}, and {}.max_cost_usd is {}",
      spent.cost_usd, most.cost_usd, section, caps.cost_usd);
}

void Budget::Purse::Settle(const Amount& most, const Amount& used) {
  taken = Sum(taken, {-most.calls, -most.tokens, -most.cost_usd});
  // Sums and differences of fractions leave a rest.
  if (taken.calls == 0) taken = {};
  spent = Sum(spent, used);
}

Budget::Budget(const Amount& caps, const Amount& spent) : run_{"run", caps, spent, {}} {}

void Budget::CapRole(ModelRole role, const std::string& section, const Amount& caps,
                     const Amount& spent) {
  Of(role) = {section, caps, spent, {}};
}

Result<void> Budget::Take(const Amount& most, ModelRole role) {
  std::unique_lock<std::mutex> lock(mutex_);
  Purse& own = Of(role);
  while (!run_.Fits(most) || !own.Fits(most)) {
    for (const Purse* purse : {&run_, &own}) {
      if (purse->Fits(most) || purse->taken.calls > 0) continue;
      return Fail(ErrorCode::kLimit,
                  fmt::format("the run's budget is spent: {}; what is finished is kept: resume it "
                              "with a higher one",
                              purse->CapText(most)));
    }
    settled_.wait(lock);
  }
  run_.taken = Sum(run_.taken, most);
  own.taken = Sum(own.taken, most);
  return {};
}

void Budget::Settle(const Amount& most, const Amount& used, ModelRole role) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    run_.Settle(most, used);
    Of(role).Settle(most, used);
  }
  settled_.notify_all();
}

}  // namespace kw
