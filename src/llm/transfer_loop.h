// One thread that does the HTTP of all models: libcurl's multi interface over epoll, so that any
// number of requests are under way at once without a thread each, and connections are kept and
// reused.
//
// A transfer gets the body of its answer in pieces as they arrive: one that collects them makes a
// plain call, one that parses them a streamed one; the loop does not know the difference. Each
// belongs to a lane: an endpoint with its limits.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "admission.h"

namespace kw::llm {

struct HttpRequest {
  std::string url;
  std::vector<std::string> headers;
  const std::string* body = nullptr;  // null: GET. Lives as long as the transfer
  bool use_proxy = true;              // as the environment says
  std::string ca_file;                // PEM; "": the system's certificates are trusted
  int64_t connect_timeout_ms = 0, timeout_ms = 0;
  int64_t stall_timeout_ms = 0;  // between two pieces of the answer's body; 0: none
};

struct TransferEnd {
  enum class Kind {
    kAnswered,   // a whole HTTP answer of any status
    kBroken,     // no connection, or one that broke: another try may work
    kTimeout,    // the overall limit
    kStalled,    // bytes stopped coming
    kStopped,    // Receive said so
    kRefused,    // an untrusted certificate: another try is no use
    kNoHttp,     // something answered that is not HTTP
    kCancelled,  // its stop token said so, or the lane closes
  };
  Kind kind = Kind::kCancelled;
  int status = 0;                                   // of the HTTP answer, as far as there was one
  std::string reason;                               // of libcurl, for all but kAnswered
  std::string retry_after, location, content_type;  // headers
};

// One exchange, perhaps tried several times. All calls come from the loop's thread.
class Transfer {
 public:
  virtual ~Transfer() = default;
  virtual HttpRequest Request() const = 0;
  // Which queue it waits in, how many tokens it may cost, and who may cancel it.
  virtual std::string Queue() const { return ""; }
  virtual int64_t Tokens() const { return 0; }
  virtual std::stop_token Cancel() const { return {}; }
  // A try begins; nothing of an earlier one counts.
  virtual void Begin() = 0;
  // The head of the answer came: what follows is its body.
  virtual void Head(int /*status*/, std::string_view /*content_type*/) {}
  // The next bytes of the answer's body (decompressed); false stops the transfer.
  virtual bool Receive(std::string_view bytes) = 0;

  struct Again {
    int64_t after_ms = 0;
    bool all_wait = false;  // the endpoint asked for it: nothing else of the lane starts before
  };
  // A try ended. Nothing: that was the last one. After kCancelled there is none in any case.
  virtual std::optional<Again> End(const TransferEnd& end) = 0;
  // Tokens that the try which ended has cost, as far as is known.
  virtual int64_t TokensUsed() const { return 0; }
};

class TransferLoop {
 public:
  TransferLoop();
  ~TransferLoop();  // every lane is closed
  TransferLoop(const TransferLoop&) = delete;
  TransferLoop& operator=(const TransferLoop&) = delete;

  using LaneId = uint64_t;
  LaneId OpenLane(const RequestLimits& limits);
  // Ends all transfers of the lane, under way or waiting, with kCancelled, and returns when that
  // is done. Not from the loop's thread.
  void CloseLane(LaneId lane);

  void Add(LaneId lane, std::unique_ptr<Transfer> transfer);

 private:
  using Ticket = uint64_t;
  struct Active;
  struct Entry;
  struct Incoming {
    LaneId lane = 0;
    std::unique_ptr<Transfer> transfer;
  };

  void Run();
  void Wake();
  bool TakeIncoming();
  void Enter(LaneId lane, std::unique_ptr<Transfer> transfer);
  void StartWhatMay(int64_t now_us);
  void Start(Ticket ticket, Entry& entry);
  void CheckStalls(int64_t now_us);
  void WaitForEvents(int64_t now_us);
  void FinishWhatEnded();
  void Finish(void* easy, int code);
  void EndTry(Ticket ticket, const TransferEnd& end);
  void Cancel(Ticket ticket);
  void Release(void* easy);
  void CloseLanes(const std::vector<LaneId>& lanes);

  void* multi_ = nullptr;
  int epoll_ = -1, wake_ = -1;  // wake_: an eventfd
  int64_t curl_due_us_ = -1;    // when libcurl wants to be called; -1: only for events

  std::mutex mutex_;
  std::vector<Incoming> incoming_;
  std::vector<Ticket> cancelled_;
  std::vector<std::pair<LaneId, RequestLimits>> opening_;
  std::vector<LaneId> closing_;
  std::set<LaneId> open_;
  std::condition_variable lane_closed_;
  LaneId next_lane_ = 1;
  bool stopping_ = false;

  // Of the loop's thread alone.
  std::map<LaneId, Admission> lanes_;
  std::unordered_map<Ticket, std::unique_ptr<Entry>> entries_;
  std::multimap<int64_t, Ticket> delayed_;    // by when they may wait for a place again
  std::unordered_map<void*, Ticket> active_;  // by curl handle
  std::vector<void*> idle_handles_;
  Ticket next_ticket_ = 1;
  int64_t woke_us_ = 0, stalls_checked_us_ = 0;

  std::thread thread_;  // last: it uses all of the above
};

}  // namespace kw::llm

namespace kw {
struct HttpIo {
  std::shared_ptr<llm::TransferLoop> loop = std::make_shared<llm::TransferLoop>();
};
}  // namespace kw
