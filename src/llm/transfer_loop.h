// One thread that does all HTTP of a model: libcurl's multi interface, so any number of requests
// are under way at once without a thread each, and connections are kept and reused.
//
// A transfer gets the body of its answer in pieces as they arrive: one that collects them makes a
// plain call, one that parses them a streamed one; the loop does not know the difference.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

namespace kw::llm {

struct HttpRequest {
  std::string url;
  std::vector<std::string> headers;
  const std::string* body = nullptr;  // null: GET. Lives as long as the transfer
  bool use_proxy = true;              // as the environment says
  int64_t connect_timeout_ms = 0, timeout_ms = 0;
};

struct TransferEnd {
  enum class Kind {
    kAnswered,   // a whole HTTP answer of any status
    kBroken,     // no connection, or one that broke: another try may work
    kTimeout,    // the overall limit
    kStopped,    // Receive said so
    kRefused,    // an untrusted certificate: another try is no use
    kNoHttp,     // something answered that is not HTTP
    kCancelled,  // the loop ends
  };
  Kind kind = Kind::kCancelled;
  int status = 0;                     // of the HTTP answer, as far as there was one
  std::string reason;                 // of libcurl, for all but kAnswered
  std::string retry_after, location;  // headers
};

// One exchange, perhaps tried several times. All calls come from the loop's thread.
class Transfer {
 public:
  virtual ~Transfer() = default;
  virtual HttpRequest Request() const = 0;
  // A try begins; nothing of an earlier one counts.
  virtual void Begin() = 0;
  // The next bytes of the answer's body (decompressed); false stops the transfer.
  virtual bool Receive(std::string_view bytes) = 0;

  struct Again {
    int64_t after_ms = 0;
    bool all_wait = false;  // the endpoint asked for it: nothing else starts before either
  };
  // A try ended. Nothing: that was the last one. After kCancelled there is none in any case.
  virtual std::optional<Again> End(const TransferEnd& end) = 0;
};

class TransferLoop {
 public:
  explicit TransferLoop(int max_in_flight);
  // Ends every transfer that is under way or waits with kCancelled.
  ~TransferLoop();
  TransferLoop(const TransferLoop&) = delete;
  TransferLoop& operator=(const TransferLoop&) = delete;

  void Add(std::unique_ptr<Transfer> transfer);

 private:
  struct Active;
  void Run();
  bool TakeIncoming();
  void StartWhatMay(int64_t now_us);
  void Start(std::unique_ptr<Transfer> transfer);
  void FinishWhatEnded();
  void Finish(void* easy, int code);
  void EndAll();
  int64_t WaitMs(int64_t now_us) const;

  const size_t max_in_flight_;
  void* multi_ = nullptr;

  std::mutex mutex_;
  std::deque<std::unique_ptr<Transfer>> incoming_;
  bool stopping_ = false;

  // Of the loop's thread alone.
  std::deque<std::unique_ptr<Transfer>> waiting_;
  std::multimap<int64_t, std::unique_ptr<Transfer>> delayed_;  // by when they may start
  std::unordered_map<void*, std::unique_ptr<Active>> active_;  // by curl handle
  std::vector<void*> idle_handles_;
  int64_t paused_until_us_ = 0;

  std::thread thread_;  // last: it uses all of the above
};

}  // namespace kw::llm
