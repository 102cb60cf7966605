#include "crew.h"

namespace kw::eval::emu {

Crew::Crew(int threads) {
  for (int i = 1; i < threads; ++i) others_.emplace_back([this, i] { Serve(i); });
}

Crew::~Crew() {
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  called_.notify_all();
  for (std::thread& other : others_) other.join();
}

void Crew::Run(const std::function<void(int)>& work) {
  {
    const std::lock_guard lock(mutex_);
    work_ = &work;
    busy_ = static_cast<int>(others_.size());
    ++calls_;
  }
  called_.notify_all();
  work(0);
  std::unique_lock lock(mutex_);
  done_.wait(lock, [&] { return busy_ == 0; });
}

void Crew::Serve(int number) {
  uint64_t answered = 0;
  std::unique_lock lock(mutex_);
  for (;;) {
    called_.wait(lock, [&] { return over_ || calls_ != answered; });
    if (over_) return;
    answered = calls_;
    const std::function<void(int)>& work = *work_;
    lock.unlock();
    work(number);
    lock.lock();
    if (--busy_ == 0) done_.notify_one();
  }
}

}  // namespace kw::eval::emu
