// When which exchange goes on: one timer for all streams.
#pragma once

#include <event2/event.h>

#include <cstdint>
#include <functional>
#include <queue>
#include <vector>

namespace kw::mock {

class Pacer {
 public:
  // `go` is called on the loop's thread for each exchange that is due; it may schedule more.
  Pacer(event_base* base, std::function<int64_t()> now_us, std::function<void(uint64_t)> go);
  ~Pacer();
  Pacer(const Pacer&) = delete;
  Pacer& operator=(const Pacer&) = delete;

  void Schedule(uint64_t id, int64_t at_us);

 private:
  struct Due {
    int64_t at_us;
    uint64_t turn, id;  // who came first goes first
    bool operator>(const Due& other) const {
      return at_us != other.at_us ? at_us > other.at_us : turn > other.turn;
    }
  };
  static void OnTick(int, short, void* self);
  void Tick();
  void Arm();

  const std::function<int64_t()> now_us_;
  const std::function<void(uint64_t)> go_;
  event* timer_;
  std::priority_queue<Due, std::vector<Due>, std::greater<>> due_;
  uint64_t turns_ = 0;
  int64_t armed_for_us_ = 0;  // 0: not armed
  bool ticking_ = false;
};

}  // namespace kw::mock
