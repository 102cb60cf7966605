#include "admission.h"

#include <algorithm>

namespace kw::llm {
namespace {

constexpr int64_t kMinuteUs = 60'000'000;

}  // namespace

void Admission::Wait(uint64_t ticket, const std::string& queue, int64_t tokens, bool again) {
  (again ? again_ : queues_[queue]).push_back({ticket, tokens});
}

void Admission::Forget(uint64_t ticket) {
  const auto is_it = [ticket](const Waiting& waiting) { return waiting.ticket == ticket; };
  std::erase_if(again_, is_it);
  for (auto& [name, queue] : queues_) std::erase_if(queue, is_it);
  std::erase_if(queues_, [](const auto& queue) { return queue.second.empty(); });
}

const Admission::Waiting* Admission::Front() const {
  if (!again_.empty()) return &again_.front();
  if (queues_.empty()) return nullptr;
  auto next = queues_.upper_bound(last_queue_);
  if (next == queues_.end()) next = queues_.begin();
  return &next->second.front();
}

void Admission::DropOld(int64_t now_us) {
  while (!minute_.empty() && minute_.front().at_us + kMinuteUs <= now_us) {
    minute_tokens_ -= minute_.front().tokens;
    minute_.pop_front();
  }
}

int64_t Admission::AllowedAt(int64_t now_us, int64_t tokens) const {
  int64_t at_us = std::max(now_us, paused_until_us_);
  auto count = static_cast<int64_t>(minute_.size());
  int64_t spent = minute_tokens_;
  for (const Begun& begun : minute_) {
    const bool too_many = limits_.requests_per_minute > 0 && count >= limits_.requests_per_minute;
    // One that alone is beyond the limit begins when it is alone.
    const bool too_much =
        limits_.tokens_per_minute > 0 && spent > 0 && spent + tokens > limits_.tokens_per_minute;
    if (!too_many && !too_much) break;
    at_us = std::max(at_us, begun.at_us + kMinuteUs);
    --count;
    spent -= begun.tokens;
  }
  return at_us;
}

std::optional<uint64_t> Admission::Next(int64_t now_us) {
  DropOld(now_us);
  const Waiting* front = Front();
  if (front == nullptr || under_way_ >= static_cast<size_t>(std::max(1, limits_.in_flight)) ||
      AllowedAt(now_us, front->tokens) > now_us) {
    return std::nullopt;
  }
  const Waiting next = *front;
  if (!again_.empty()) {
    again_.pop_front();
  } else {
    auto queue = queues_.upper_bound(last_queue_);
    if (queue == queues_.end()) queue = queues_.begin();
    last_queue_ = queue->first;
    queue->second.pop_front();
    if (queue->second.empty()) queues_.erase(queue);
  }
  ++under_way_;
  // Without limits there is nothing to remember.
  if (limits_.requests_per_minute > 0 || limits_.tokens_per_minute > 0) {
    minute_.push_back({next.ticket, now_us, next.tokens});
    minute_tokens_ += next.tokens;
  }
  return next.ticket;
}

void Admission::Ended(uint64_t ticket, int64_t tokens) {
  --under_way_;
  if (tokens <= 0) return;
  for (auto begun = minute_.rbegin(); begun != minute_.rend(); ++begun) {
    if (begun->ticket != ticket) continue;
    minute_tokens_ += tokens - begun->tokens;
    begun->tokens = tokens;
    return;
  }
}

void Admission::PauseUntil(int64_t us) { paused_until_us_ = std::max(paused_until_us_, us); }

std::optional<int64_t> Admission::NextDue(int64_t now_us) const {
  const Waiting* front = Front();
  if (front == nullptr || under_way_ >= static_cast<size_t>(std::max(1, limits_.in_flight))) {
    return std::nullopt;
  }
  return AllowedAt(now_us, front->tokens);
}

}  // namespace kw::llm
