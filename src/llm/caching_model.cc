// A model whose answers are kept: MakeCachingModel.
#include <fmt/format.h>

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <utility>

#include "kw/base.h"
#include "response_cache.h"

namespace kw {
namespace recording {
namespace {

using Asked = ResponseCache::Impl::Asked;
using Found = ResponseCache::Impl::Found;
using Answered = Result<ChatAnswer>;

// Calls `done`, which may submit more: answered at once too, over and over, without the stack
// growing. What comes while a `done` runs on this thread is called after it.
void Deliver(ChatModel::Done done, Answered answer) {
  thread_local std::deque<std::function<void()>>* waiting = nullptr;
  if (waiting != nullptr) {
    waiting->emplace_back([done = std::move(done), answer = std::move(answer)]() mutable {
      done(std::move(answer));
    });
    return;
  }
  std::deque<std::function<void()>> more;
  waiting = &more;
  done(std::move(answer));
  while (!more.empty()) {
    const std::function<void()> next = std::move(more.front());
    more.pop_front();
    next();
  }
  waiting = nullptr;
}

Error Cancelled() { return {ErrorCode::kCancelled, "the request was cancelled", {}}; }

// Whoever waits for a call. The first to set `finished` calls `done`.
struct Waiter {
  ChatModel::Done done;
  std::atomic<bool> finished = false;
  std::optional<std::stop_callback<std::function<void()>>> on_cancel;
};

// A call under way, for all who asked the same meanwhile.
struct Flight {
  Asked asked;
  std::stop_source stop;                         // when nobody waits any more
  std::vector<std::shared_ptr<Waiter>> waiters;  // guarded by Flights::mutex
  bool given_back = false;                       // its number; guarded so too
};

// Outlives the model in the hands of callbacks.
struct Flights : std::enable_shared_from_this<Flights> {
  std::mutex mutex;
  std::map<std::string, std::shared_ptr<Flight>> by_key;  // guarded by mutex
  ResponseCache::Impl* cache = nullptr;                   // until closed
  bool closed = false;

  // True for whoever is the first and has to ask.
  bool Join(std::shared_ptr<Flight>& flight, const std::shared_ptr<Waiter>& waiter) {
    const std::lock_guard lock(mutex);
    auto [place, is_new] = by_key.try_emplace(flight->asked.key, flight);
    flight = place->second;
    flight->waiters.push_back(waiter);
    return is_new;
  }

  // Calls Leave when the caller wants no answer any more: perhaps before this returns.
  void WatchForCancel(const std::stop_token& token, const std::shared_ptr<Flight>& flight,
                      const std::shared_ptr<Waiter>& waiter) {
    waiter->on_cancel.emplace(token, [self = weak_from_this(), call = std::weak_ptr<Flight>(flight),
                                      who = std::weak_ptr<Waiter>(waiter)] {
      const auto flights = self.lock();
      const auto left = call.lock();
      const auto leaver = who.lock();
      if (flights && left && leaver) flights->Leave(*left, *leaver);
    });
  }

  void Leave(Flight& flight, Waiter& waiter) {
    if (waiter.finished.exchange(true)) return;
    bool is_last = false;
    {
      const std::lock_guard lock(mutex);
      std::erase_if(flight.waiters, [&](const auto& other) { return other.get() == &waiter; });
      is_last = flight.waiters.empty();
      if (is_last) End(flight, true);
    }
    if (is_last) flight.stop.request_stop();
    Deliver(std::move(waiter.done), Fail(Cancelled()));
  }

  void Finish(Flight& flight, const Answered& answer) {
    std::vector<std::shared_ptr<Waiter>> waiters;
    {
      const std::lock_guard lock(mutex);
      waiters = std::exchange(flight.waiters, {});
      End(flight, !answer);
    }
    for (const auto& waiter : waiters) {
      if (!waiter->finished.exchange(true)) Deliver(std::move(waiter->done), answer);
    }
  }

  // With the mutex held. Who asks the same from now on begins anew.
  void End(Flight& flight, bool without_answer) {
    const auto place = by_key.find(flight.asked.key);
    if (place != by_key.end() && place->second.get() == &flight) by_key.erase(place);
    if (without_answer && !closed && !std::exchange(flight.given_back, true)) {
      cache->GiveBack(flight.asked);
    }
  }
};

class CachingModel : public ChatModel {
 public:
  CachingModel(std::unique_ptr<ChatModel> inner, std::shared_ptr<ResponseCache> shared,
               std::string variant, bool simulated)
      : shared_(std::move(shared)),
        cache_(shared_->impl()),
        variant_(std::move(variant)),
        simulated_(simulated),
        inner_(std::move(inner)) {
    flights_->cache = &cache_;
  }

  ~CachingModel() override {
    // Its calls end here, with an answer or without, and what they answered is kept.
    {
      const std::lock_guard lock(flights_->mutex);
      closing_ = true;
    }
    inner_.reset();
    cache_.Drain();
    const std::lock_guard lock(flights_->mutex);
    flights_->closed = true;
  }

  void Submit(ChatRequest request, Done done) override {
    if (request.cancel.stop_requested() || IsClosing()) {
      return Deliver(std::move(done), Fail(Cancelled()));
    }
    auto asked = cache_.Ask(request, variant_);
    if (!asked) return Deliver(std::move(done), Fail(std::move(asked).error()));
    if (cache_.mode == CacheMode::kReplay) return Replay(*asked, std::move(done));
    Record(std::move(*asked), std::move(request), std::move(done));
  }

  std::string Describe() const override {
    const std::string inner = inner_ ? inner_->Describe() + ", " : "";
    const std::string what = cache_.mode == CacheMode::kReplay
                                 ? "answers replayed from the recording "
                                 : "answers recorded in and, where it has them, taken from ";
    return inner + what + cache_.file;
  }

  bool simulated() const override { return simulated_; }

  Bound MostOf(const ChatRequest& request) const override {
    return inner_ ? inner_->MostOf(request) : ChatModel::MostOf(request);
  }

 private:
  bool IsClosing() {
    const std::lock_guard lock(flights_->mutex);
    return closing_;
  }

  void Replay(const Asked& asked, Done done) {
    auto found = cache_.Find(asked);
    if (found && *found) {
      ++cache_.hits;
      return Deliver(std::move(done), CheckKind(std::move(**found)));
    }
    ++cache_.misses;
    cache_.GiveBack(asked);
    Deliver(std::move(done), Fail(found ? cache_.Missing(asked) : std::move(found).error()));
  }

  void Record(Asked asked, ChatRequest request, Done done) {
    auto flight = std::make_shared<Flight>();
    flight->asked = std::move(asked);
    auto waiter = std::make_shared<Waiter>();
    waiter->done = std::move(done);
    const bool is_first = flights_->Join(flight, waiter);
    flights_->WatchForCancel(request.cancel, flight, waiter);
    if (!is_first) {
      ++cache_.hits;
      return;
    }
    auto found = cache_.Find(flight->asked);
    if (!found) return flights_->Finish(*flight, Fail(std::move(found).error()));
    if (*found) {
      ++cache_.hits;
      return flights_->Finish(*flight, CheckKind(std::move(**found)));
    }
    ++cache_.misses;
    request.cancel = flight->stop.get_token();
    inner_->Submit(
        std::move(request), [flights = flights_, flight, simulated = simulated_](Answered answer) {
          if (!answer) return flights->Finish(*flight, answer);
          flights->cache->Keep(flight->asked, std::move(*answer), simulated,
                               [flights, flight, simulated](Result<Found> found) {
                                 flights->Finish(*flight, CheckKind(std::move(found), simulated));
                               });
        });
  }

  // A simulated author's figures are never a model's.
  Answered CheckKind(Found found) const {
    if (inner_ == nullptr) return std::move(found.answer);
    return CheckKind(std::move(found), simulated_);
  }
  static Answered CheckKind(Result<Found> found, bool simulated) {
    if (!found) return Fail(std::move(found).error());
    if (found->simulated == simulated) return std::move(found->answer);
    return Fail(ErrorCode::kConflict,
                fmt::format("the recorded answer is {}: use another file for each",
                            found->simulated ? "the simulated author's, the model asked is real"
                                             : "a real model's, the one asked is simulated"));
  }

  const std::shared_ptr<ResponseCache> shared_;
  ResponseCache::Impl& cache_;
  const std::string variant_;
  const bool simulated_;
  const std::shared_ptr<Flights> flights_ = std::make_shared<Flights>();
  bool closing_ = false;  // guarded by flights_->mutex
  std::unique_ptr<ChatModel> inner_;
};

}  // namespace
}  // namespace recording

Result<std::unique_ptr<ChatModel>> MakeCachingModel(std::unique_ptr<ChatModel> inner,
                                                    std::shared_ptr<ResponseCache> cache,
                                                    std::string variant) {
  ResponseCache::Impl& impl = cache->impl();
  if (inner == nullptr && impl.mode == CacheMode::kRecord) {
    return Fail(ErrorCode::kInvalid, "recording answers needs a model to ask");
  }
  bool simulated = inner != nullptr && inner->simulated();
  if (inner == nullptr) {
    const std::lock_guard lock(impl.read_mutex);
    KW_ASSIGN(simulated, impl.reader->HoldsSimulated());
  }
  return std::make_unique<recording::CachingModel>(std::move(inner), std::move(cache),
                                                   std::move(variant), simulated);
}

Result<std::unique_ptr<ChatModel>> MakeCachingModel(std::unique_ptr<ChatModel> inner,
                                                    ResponseCacheConfig config) {
  if (config.mode == CacheMode::kOff) {
    if (inner == nullptr) return Fail(ErrorCode::kInvalid, "without a recording a model is needed");
    return inner;
  }
  KW_ASSIGN(auto cache, ResponseCache::Open(config.file, config.mode));
  return MakeCachingModel(std::move(inner), std::move(cache), std::move(config.variant));
}

}  // namespace kw
