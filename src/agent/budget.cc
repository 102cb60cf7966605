#include "budget.h"

#include <fmt/format.h>

namespace kw {
namespace {

Amount Sum(const Amount& a, const Amount& b) {
  return {a.calls + b.calls, a.tokens + b.tokens, a.cost_usd + b.cost_usd};
}

bool Fits(const Amount& amount, const Amount& caps) {
  return (caps.calls <= 0 || amount.calls <= caps.calls) &&
         (caps.tokens <= 0 || amount.tokens <= caps.tokens) &&
         (caps.cost_usd <= 0 || amount.cost_usd <= caps.cost_usd);
}

// The first cap that the next call would pass, in the configuration's words.
std::string CapText(const Amount& spent, const Amount& most, const Amount& caps) {
  const Amount after = Sum(spent, most);
  if (caps.calls > 0 && after.calls > caps.calls) {
    return fmt::format("{} calls were made, and run.max_calls is {}", spent.calls, caps.calls);
  }
  if (caps.tokens > 0 && after.tokens > caps.tokens) {
    return fmt::format(
        "{} tokens were used, the next call may use {}, and run.max_total_tokens is "
        "{}",
        spent.tokens, most.tokens, caps.tokens);
  }
  return fmt::format(
      "{:.4f} USD were spent, the next call may cost {:.4f}, and run.max_cost_usd "
      "is {}",
      spent.cost_usd, most.cost_usd, caps.cost_usd);
}

}  // namespace

Result<void> Budget::Take(const Amount& most) {
  std::unique_lock<std::mutex> lock(mutex_);
  while (!Fits(Sum(Sum(spent_, taken_), most), caps_)) {
    if (taken_.calls == 0) {
      return Fail(ErrorCode::kLimit, "the run's budget is spent: " + CapText(spent_, most, caps_) +
                                         "; what is finished is kept: resume it with a higher one");
    }
    settled_.wait(lock);
  }
  taken_ = Sum(taken_, most);
  return {};
}

void Budget::Settle(const Amount& most, const Amount& used) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    taken_ = Sum(taken_, {-most.calls, -most.tokens, -most.cost_usd});
    // Sums and differences of fractions leave a rest.
    if (taken_.calls == 0) taken_ = {};
    spent_ = Sum(spent_, used);
  }
  settled_.notify_all();
}

}  // namespace kw
