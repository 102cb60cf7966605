// Streams and events without a GPU: work is queued, and runs only when something waits for it.
//
// That is the schedule that shows a missing dependency: what nobody waits for is never done. When
// several streams must run before a wait can end, their order is drawn from the seed, within what
// events allow. The legacy default stream is ordered with blocking streams only (CUDA C++
// Programming Guide, "Default Stream").
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <vector>

namespace kw::eval {

class Timeline {
 public:
  using Work = std::function<void()>;

  Timeline();
  // Draws the order of streams from here on.
  void Reseed(uint64_t seed) { seed_ = seed; }

  uint64_t CreateStream(bool non_blocking, int priority);
  bool HasStream(uint64_t stream) const;
  // What was queued on it stays queued. The two default streams stay.
  bool DestroyStream(uint64_t stream);
  bool IsNonBlocking(uint64_t stream) const { return streams_.at(stream).non_blocking; }
  int Priority(uint64_t stream) const { return streams_.at(stream).priority; }

  // The stream exists, in all of these.
  void Enqueue(uint64_t stream, Work work);
  void Synchronize(uint64_t stream);
  void SynchronizeAll();

  uint64_t CreateEvent(bool timing);
  bool HasEvent(uint64_t event) const { return events_.contains(event); }
  bool DestroyEvent(uint64_t event) { return events_.erase(event) != 0; }
  // `stamp` is asked for the time when the event happens.
  void Record(uint64_t event, uint64_t stream, std::function<double()> stamp);
  void StreamWait(uint64_t stream, uint64_t event);
  void SynchronizeEvent(uint64_t event);
  // Of an event with timing that has happened.
  std::optional<double> EventTime(uint64_t event) const;
  bool EventPending(uint64_t event) const;

  size_t pending() const { return pending_.size(); }
  size_t PendingOn(uint64_t stream) const;
  // Live ones, for limits.
  size_t streams() const { return streams_.size(); }
  size_t events() const { return events_.size(); }
  // Forgets all queued work.
  void Clear();

 private:
  struct Dependency {
    uint64_t stream, operation;
  };
  struct Operation {
    uint64_t id, stream;
    std::vector<Dependency> after;
    Work work;
  };
  struct Stream {
    bool non_blocking = false;
    int priority = 0;
    uint64_t last = 0;  // newest operation
    size_t queued = 0;
    bool destroyed = false;
  };
  struct Event {
    bool timing = false;
    uint64_t stream = 0, operation = 0;  // of the newest record; 0: never recorded
    std::optional<double> time;
  };

  Operation& Append(uint64_t stream, Work work);
  // Runs all that must be done before the newest wanted operation of each stream is.
  void RunUpTo(std::map<uint64_t, uint64_t> wanted);
  void ForgetIdleDestroyedStreams();
  void RunInSeededOrder(std::vector<Operation> operations);

  uint64_t seed_ = 0;
  uint64_t next_operation_ = 1, next_handle_;
  std::map<uint64_t, Stream> streams_;
  std::map<uint64_t, Event> events_;
  std::vector<Operation> pending_;  // oldest first
};

}  // namespace kw::eval
