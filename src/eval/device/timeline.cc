#include "timeline.h"

#include <algorithm>
#include <deque>

#include "kw/base/hash.h"
#include "ring.h"

namespace kw::eval {

using ring::kLegacyStream;
using ring::kPerThreadStream;

Timeline::Timeline() : next_handle_(ring::kFirstStream) {
  streams_[kLegacyStream] = {};
  streams_[kPerThreadStream] = {};
}

uint64_t Timeline::CreateStream(bool non_blocking, int priority) {
  uint64_t stream = next_handle_++;
  Stream& created = streams_[stream];
  created.non_blocking = non_blocking;
  created.priority = priority;
  return stream;
}

bool Timeline::HasStream(uint64_t stream) const {
  auto found = streams_.find(stream);
  return found != streams_.end() && !found->second.destroyed;
}

bool Timeline::DestroyStream(uint64_t stream) {
  if (stream < ring::kFirstStream || !HasStream(stream)) return false;
  // The default stream still waits for what was queued on it.
  streams_.at(stream).destroyed = true;
  ForgetIdleDestroyedStreams();
  return true;
}

void Timeline::ForgetIdleDestroyedStreams() {
  std::erase_if(streams_, [](const auto& entry) {
    return entry.second.destroyed && entry.second.queued == 0;
  });
}

void Timeline::Clear() {
  pending_.clear();
  for (auto& [id, stream] : streams_) stream.queued = 0;
}

Timeline::Operation& Timeline::Append(uint64_t stream, Work work) {
  Stream& own = streams_.at(stream);
  Operation operation{next_operation_++, stream, {}, std::move(work)};
  if (stream == kLegacyStream) {
    for (const auto& [id, other] : streams_) {
      if (id != kLegacyStream && !other.non_blocking && other.queued != 0) {
        operation.after.push_back({id, other.last});
      }
    }
  } else if (!own.non_blocking && streams_.at(kLegacyStream).queued != 0) {
    operation.after.push_back({kLegacyStream, streams_.at(kLegacyStream).last});
  }
  own.last = operation.id;
  ++own.queued;
  return pending_.emplace_back(std::move(operation));
}

void Timeline::Enqueue(uint64_t stream, Work work) { Append(stream, std::move(work)); }

void Timeline::Synchronize(uint64_t stream) {
  // The legacy default stream is waited for together with what it would wait for.
  if (stream == kLegacyStream) Append(stream, [] {});
  RunUpTo({{stream, streams_.at(stream).last}});
}

void Timeline::SynchronizeAll() {
  std::map<uint64_t, uint64_t> wanted;
  for (const Operation& operation : pending_) wanted[operation.stream] = operation.id;
  RunUpTo(std::move(wanted));
}

uint64_t Timeline::CreateEvent(bool timing) {
  uint64_t event = next_handle_++;
  events_[event].timing = timing;
  return event;
}

void Timeline::Record(uint64_t event, uint64_t stream, std::function<double()> stamp) {
  Operation& operation = Append(stream, {});
  Event& recorded = events_.at(event);
  recorded.stream = stream;
  recorded.operation = operation.id;
  recorded.time.reset();
  operation.work = [this, event, id = operation.id, stamp = std::move(stamp)] {
    auto found = events_.find(event);
    if (found != events_.end() && found->second.operation == id) found->second.time = stamp();
  };
}

void Timeline::StreamWait(uint64_t stream, uint64_t event) {
  const Event& awaited = events_.at(event);
  if (awaited.operation == 0) return;
  Append(stream, [] {}).after.push_back({awaited.stream, awaited.operation});
}

void Timeline::SynchronizeEvent(uint64_t event) {
  const Event& awaited = events_.at(event);
  if (awaited.operation != 0) RunUpTo({{awaited.stream, awaited.operation}});
}

std::optional<double> Timeline::EventTime(uint64_t event) const {
  const Event& asked = events_.at(event);
  return asked.timing ? asked.time : std::nullopt;
}

bool Timeline::EventPending(uint64_t event) const {
  const Event& asked = events_.at(event);
  return asked.operation != 0 && !asked.time;
}

size_t Timeline::PendingOn(uint64_t stream) const {
  return static_cast<size_t>(
      std::count_if(pending_.begin(), pending_.end(),
                    [stream](const Operation& operation) { return operation.stream == stream; }));
}

void Timeline::RunUpTo(std::map<uint64_t, uint64_t> wanted) {
  // What an operation waits for is older than itself, so one pass from the newest finds all.
  std::vector<bool> needed(pending_.size());
  for (size_t i = pending_.size(); i-- > 0;) {
    const Operation& operation = pending_[i];
    auto limit = wanted.find(operation.stream);
    if (limit == wanted.end() || operation.id > limit->second) continue;
    needed[i] = true;
    for (const Dependency& before : operation.after) {
      uint64_t& most = wanted[before.stream];
      most = std::max(most, before.operation);
    }
  }
  std::vector<Operation> now, later;
  for (size_t i = 0; i < pending_.size(); ++i) {
    if (needed[i]) --streams_.at(pending_[i].stream).queued;
    (needed[i] ? now : later).push_back(std::move(pending_[i]));
  }
  ForgetIdleDestroyedStreams();
  pending_ = std::move(later);
  RunInSeededOrder(std::move(now));
}

void Timeline::RunInSeededOrder(std::vector<Operation> operations) {
  std::map<uint64_t, std::deque<Operation>> queues;
  for (Operation& operation : operations) queues[operation.stream].push_back(std::move(operation));
  std::vector<uint64_t> order;
  for (const auto& [stream, queue] : queues) order.push_back(stream);
  auto rank = [this](uint64_t stream) { return DeriveSeed(seed_, std::to_string(stream)); };
  std::sort(order.begin(), order.end(), [&](uint64_t a, uint64_t b) { return rank(a) < rank(b); });
  auto ready = [&](const Operation& operation) {
    return std::all_of(operation.after.begin(), operation.after.end(), [&](const Dependency& d) {
      auto queue = queues.find(d.stream);
      return queue == queues.end() || queue->second.empty() ||
             queue->second.front().id > d.operation;
    });
  };
  // The oldest operation left is always ready, so each round runs at least one.
  for (size_t left = operations.size(); left > 0;) {
    for (uint64_t stream : order) {
      std::deque<Operation>& queue = queues[stream];
      while (!queue.empty() && ready(queue.front())) {
        // Taken off only when done: others look at the front of the queue to see what is.
        if (queue.front().work) queue.front().work();
        queue.pop_front();
        --left;
      }
    }
  }
}

}  // namespace kw::eval
