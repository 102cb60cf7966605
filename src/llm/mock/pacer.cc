#include "pacer.h"

#include <algorithm>

#include "kw/base/error.h"

namespace kw::mock {

Pacer::Pacer(event_base* base, std::function<int64_t()> now_us, std::function<void(uint64_t)> go)
    : now_us_(std::move(now_us)), go_(std::move(go)), timer_(evtimer_new(base, OnTick, this)) {
  KW_CHECK(timer_ != nullptr, "no memory for a timer");
}

Pacer::~Pacer() { event_free(timer_); }

void Pacer::Schedule(uint64_t id, int64_t at_us) {
  due_.push({at_us, turns_++, id});
  if (!ticking_ && (armed_for_us_ == 0 || at_us < armed_for_us_)) Arm();
}

void Pacer::OnTick(int, short, void* self) { static_cast<Pacer*>(self)->Tick(); }

void Pacer::Tick() {
  ticking_ = true;
  armed_for_us_ = 0;
  const int64_t now = now_us_();
  // Those that are due again at once wait for the next round: the sockets come between.
  for (size_t left = due_.size(); left > 0 && due_.top().at_us <= now; --left) {
    const uint64_t id = due_.top().id;
    due_.pop();
    go_(id);
  }
  ticking_ = false;
  if (!due_.empty()) Arm();
}

void Pacer::Arm() {
  armed_for_us_ = std::max<int64_t>(due_.top().at_us, 1);
  const int64_t wait_us = std::max<int64_t>(armed_for_us_ - now_us_(), 0);
  const timeval wait{static_cast<time_t>(wait_us / 1'000'000),
                     static_cast<suseconds_t>(wait_us % 1'000'000)};
  evtimer_add(timer_, &wait);
}

}  // namespace kw::mock
