#include "src/eval/device/timeline.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "src/eval/device/ring.h"

namespace kw::eval {
namespace {

constexpr uint64_t kLegacy = ring::kLegacyStream, kOwn = ring::kPerThreadStream;

class Streams : public testing::Test {
 protected:
  Timeline::Work Note(const std::string& name) {
    return [this, name] { done_ += name; };
  }
  double Stamp() { return now_ += 1; }
  void Record(uint64_t event, uint64_t stream) {
    timeline_.Record(event, stream, [this] { return Stamp(); });
  }
  Timeline timeline_;
  std::string done_;
  double now_ = 0;
};

TEST_F(Streams, WorkWaitsUntilItsStreamIsWaitedFor) {
  uint64_t a = timeline_.CreateStream(true, 0), b = timeline_.CreateStream(true, 0);
  timeline_.Enqueue(a, Note("a"));
  timeline_.Enqueue(b, Note("b"));
  EXPECT_EQ(done_, "");
  timeline_.Synchronize(b);
  EXPECT_EQ(done_, "b");
  EXPECT_EQ(timeline_.pending(), 1u);
  timeline_.SynchronizeAll();
  EXPECT_EQ(done_, "ba");
}

TEST_F(Streams, AStreamRunsInOrder) {
  uint64_t a = timeline_.CreateStream(true, 0);
  for (const char* name : {"1", "2", "3", "4"}) timeline_.Enqueue(a, Note(name));
  timeline_.Synchronize(a);
  EXPECT_EQ(done_, "1234");
}

TEST_F(Streams, LegacyStreamWaitsForBlockingStreamsOnly) {
  uint64_t blocking = timeline_.CreateStream(false, 0), free = timeline_.CreateStream(true, 0);
  timeline_.Enqueue(blocking, Note("b"));
  timeline_.Enqueue(free, Note("f"));
  timeline_.Enqueue(kOwn, Note("o"));
  timeline_.Enqueue(kLegacy, Note("l"));
  timeline_.Synchronize(kLegacy);
  EXPECT_EQ(std::set<char>(done_.begin(), done_.end()), (std::set<char>{'b', 'o', 'l'}));
  EXPECT_EQ(done_.back(), 'l');
}

TEST_F(Streams, BlockingStreamsWaitForTheLegacyStream) {
  uint64_t blocking = timeline_.CreateStream(false, 0);
  timeline_.Enqueue(kLegacy, Note("l"));
  timeline_.Enqueue(blocking, Note("b"));
  timeline_.Enqueue(kLegacy, Note("m"));
  timeline_.Synchronize(blocking);
  EXPECT_EQ(done_, "lb");
}

TEST_F(Streams, NonBlockingStreamIgnoresTheLegacyStream) {
  uint64_t free = timeline_.CreateStream(true, 0);
  timeline_.Enqueue(kLegacy, Note("l"));
  timeline_.Enqueue(free, Note("f"));
  timeline_.Synchronize(free);
  EXPECT_EQ(done_, "f");
}

TEST_F(Streams, SynchronisingTheIdleLegacyStreamFinishesBlockingStreams) {
  uint64_t blocking = timeline_.CreateStream(false, 0);
  timeline_.Enqueue(blocking, Note("b"));
  timeline_.Synchronize(kLegacy);
  EXPECT_EQ(done_, "b");
}

TEST_F(Streams, DestroyedStreamStillCountsForTheLegacyStream) {
  uint64_t blocking = timeline_.CreateStream(false, 0);
  timeline_.Enqueue(blocking, Note("b"));
  EXPECT_TRUE(timeline_.DestroyStream(blocking));
  EXPECT_FALSE(timeline_.HasStream(blocking));
  EXPECT_FALSE(timeline_.DestroyStream(blocking));
  EXPECT_FALSE(timeline_.DestroyStream(kLegacy));
  timeline_.Synchronize(kLegacy);
  EXPECT_EQ(done_, "b");
}

TEST_F(Streams, EventJoinsWorkOfAnotherStream) {
  uint64_t call = timeline_.CreateStream(true, 0), side = timeline_.CreateStream(true, 0);
  uint64_t fork = timeline_.CreateEvent(false), join = timeline_.CreateEvent(false);
  for (uint64_t seed = 0; seed < 16; ++seed) {
    timeline_.Reseed(seed);
    done_.clear();
    timeline_.Enqueue(call, Note("1"));
    Record(fork, call);
    timeline_.StreamWait(side, fork);
    timeline_.Enqueue(side, Note("2"));
    Record(join, side);
    timeline_.Enqueue(side, Note("x"));
    timeline_.StreamWait(call, join);
    timeline_.Enqueue(call, Note("3"));
    timeline_.Synchronize(call);
    EXPECT_EQ(done_, "123") << seed;
    timeline_.Clear();
  }
}

TEST_F(Streams, UnorderedStreamsRunInAnOrderOfTheSeed) {
  std::set<std::string> seen;
  for (uint64_t seed = 0; seed < 16; ++seed) {
    Timeline timeline;
    timeline.Reseed(seed);
    uint64_t call = timeline.CreateStream(true, 0), side = timeline.CreateStream(true, 0);
    uint64_t join = timeline.CreateEvent(false);
    done_.clear();
    timeline.Enqueue(call, Note("c"));
    timeline.Enqueue(side, Note("s"));
    timeline.Record(join, side, [] { return 0.0; });
    timeline.StreamWait(call, join);
    timeline.Synchronize(call);
    seen.insert(done_);
  }
  EXPECT_EQ(seen, (std::set<std::string>{"cs", "sc"}));
}

TEST_F(Streams, AWaitForAnEventThatWasNeverRecordedIsNone) {
  uint64_t a = timeline_.CreateStream(true, 0);
  uint64_t event = timeline_.CreateEvent(true);
  timeline_.StreamWait(a, event);
  timeline_.SynchronizeEvent(event);
  EXPECT_EQ(timeline_.pending(), 0u);
  EXPECT_FALSE(timeline_.EventTime(event));
  EXPECT_FALSE(timeline_.EventPending(event));
}

TEST_F(Streams, AnEventIsItsNewestRecord) {
  uint64_t a = timeline_.CreateStream(true, 0);
  uint64_t event = timeline_.CreateEvent(true);
  Record(event, a);
  timeline_.Enqueue(a, Note("1"));
  Record(event, a);
  EXPECT_TRUE(timeline_.EventPending(event));
  timeline_.SynchronizeEvent(event);
  EXPECT_EQ(done_, "1");
  EXPECT_FALSE(timeline_.EventPending(event));
  EXPECT_EQ(timeline_.EventTime(event), 1.0);
}

TEST_F(Streams, EventsWithoutTimingHaveNoTime) {
  uint64_t event = timeline_.CreateEvent(false);
  Record(event, kLegacy);
  timeline_.SynchronizeEvent(event);
  EXPECT_FALSE(timeline_.EventTime(event));
}

TEST_F(Streams, ADestroyedEventStillOrders) {
  uint64_t a = timeline_.CreateStream(true, 0), b = timeline_.CreateStream(true, 0);
  uint64_t event = timeline_.CreateEvent(false);
  timeline_.Enqueue(a, Note("a"));
  Record(event, a);
  timeline_.StreamWait(b, event);
  EXPECT_TRUE(timeline_.DestroyEvent(event));
  timeline_.Enqueue(b, Note("b"));
  timeline_.Synchronize(b);
  EXPECT_EQ(done_, "ab");
}

}  // namespace
}  // namespace kw::eval
