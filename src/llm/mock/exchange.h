// One request on its connection, from its last byte to the last byte of its answer.
//
// evhttp reads requests and keeps connections. While an answer is under way the connection is the
// exchange's: it writes what a Reply says straight to the socket (a stream of 50,000 chunks a
// second leaves no time for more), notices when the client goes away, and hands the connection
// back, closes or resets it at the end.
#pragma once

#include <event2/bufferevent.h>
#include <event2/http.h>

#include <cstdint>
#include <memory>
#include <string>

#include "reply.h"

namespace kw::mock {

class Exchange;

struct ExchangeEnd {
  bool client_left = false;
  bool answer = false, streamed = false, whole = false;  // as BeginAnswer was told
  int64_t texts = 0;
};

// What an exchange needs of its server.
class ExchangeOwner {
 public:
  virtual ~ExchangeOwner() = default;
  virtual int64_t Now() const = 0;  // monotonic microseconds
  // Calls Continue at that time. An exchange waits for one call at most.
  virtual void Schedule(uint64_t id, int64_t at_us) = 0;
  virtual void Sent(size_t bytes, int texts) = 0;
  // Before the client can see the end, so that whoever saw it finds it counted.
  virtual void Count(const ExchangeEnd& end) = 0;
  // Destroys the exchange.
  virtual void Ended(uint64_t id) = 0;
};

class Exchange {
 public:
  Exchange(uint64_t id, evhttp_request* request, ExchangeOwner& owner);
  // Says nothing to the client: only when its server goes down, or after Ended.
  ~Exchange() = default;
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  const Framing& framing() const { return framing_; }
  void Begin(std::unique_ptr<Reply> reply, int64_t delay_us = 0);
  // An answer to what was asked; `whole` when it will be one as the protocol wants it.
  void BeginAnswer(std::unique_ptr<Reply> reply, double chunks_per_s, bool streamed, bool whole,
                   int64_t delay_us);
  void MarkAsked() { end_.answer = true; }
  void Continue();

 private:
  static void OnDrained(bufferevent* connection, void* self);
  static void OnEvent(bufferevent* connection, short what, void* self);

  void Send(std::string_view bytes, int texts);
  void GoOn(Step step);
  void Restore();
  void Finish();
  void Close(bool reset);
  void ClientLeft(short what);

  const uint64_t id_;
  evhttp_request* request_;
  bufferevent* connection_;
  ExchangeOwner& owner_;
  Framing framing_;
  // evhttp's own callbacks, which get the connection back.
  bufferevent_data_cb saved_read_ = nullptr, saved_write_ = nullptr;
  bufferevent_event_cb saved_event_ = nullptr;
  void* saved_argument_ = nullptr;

  std::unique_ptr<Reply> reply_;
  double due_us_ = 0, interval_us_ = 0;
  bool draining_ = false, counted_ = false;
  Step after_drain_;
  ExchangeEnd end_;
};

}  // namespace kw::mock
