#include "exchange.h"

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/http_struct.h>
#include <event2/keyvalq_struct.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>

#include "kw/base/text.h"

namespace kw::mock {
namespace {

// Written at one go where a stream is behind or has no pace; then it is another stream's turn.
constexpr size_t kBurstBytes = 16'384;

Framing FramingOf(evhttp_request* request) {
  const bool http11 = request->major > 1 || (request->major == 1 && request->minor >= 1);
  const char* connection =
      evhttp_find_header(evhttp_request_get_input_headers(request), "Connection");
  const bool close =
      connection != nullptr && ToLower(connection).find("close") != std::string::npos;
  return {.http11 = http11, .close = close || !http11};
}

}  // namespace

Exchange::Exchange(uint64_t id, evhttp_request* request, ExchangeOwner& owner)
    : id_(id),
      request_(request),
      connection_(evhttp_connection_get_bufferevent(evhttp_request_get_connection(request))),
      owner_(owner),
      framing_(FramingOf(request)) {
  // evhttp closes by its own view of the headers.
  if (framing_.close) {
    evhttp_add_header(evhttp_request_get_output_headers(request), "Connection", "close");
  }
  const int on = 1;
  setsockopt(bufferevent_getfd(connection_), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  bufferevent_getcb(connection_, &saved_read_, &saved_write_, &saved_event_, &saved_argument_);
  bufferevent_setcb(connection_, nullptr, OnDrained, OnEvent, this);
  bufferevent_set_timeouts(connection_, nullptr, nullptr);
  // Reading is how a client that goes away is noticed.
  bufferevent_enable(connection_, EV_READ | EV_WRITE);
}

void Exchange::Begin(std::unique_ptr<Reply> reply, int64_t delay_us) {
  reply_ = std::move(reply);
  due_us_ = static_cast<double>(owner_.Now() + delay_us);
  owner_.Schedule(id_, static_cast<int64_t>(due_us_));
}

void Exchange::BeginAnswer(std::unique_ptr<Reply> reply, double chunks_per_s, bool streamed,
                           bool whole, int64_t delay_us) {
  interval_us_ = chunks_per_s > 0 ? 1e6 / chunks_per_s : 0;
  end_.streamed = streamed;
  end_.whole = whole;
  Begin(std::move(reply), delay_us);
}

void Exchange::Continue() {
  // One for all: an exchange that writes has the thread to itself.
  static thread_local std::string bytes;
  bytes.clear();
  const auto now = static_cast<double>(owner_.Now());
  int texts = 0;
  Step step;
  do {
    step = reply_->Write(bytes);
    texts += step.texts;
    due_us_ += interval_us_;
  } while (step.then == Step::Then::kPaced && due_us_ <= now && bytes.size() < kBurstBytes);
  if (step.then == Step::Then::kPause) due_us_ = now + static_cast<double>(step.pause_us);
  end_.texts += texts;
  if (step.then != Step::Then::kPaced && step.then != Step::Then::kPause) {
    counted_ = true;
    owner_.Count(end_);
  }
  Send(bytes, texts);
  const bool drained = evbuffer_get_length(bufferevent_get_output(connection_)) == 0;
  if (drained || step.then == Step::Then::kReset) {
    GoOn(step);
  } else {
    draining_ = true;
    after_drain_ = step;
  }
}

void Exchange::Send(std::string_view bytes, int texts) {
  owner_.Sent(bytes.size(), texts);
  if (bytes.empty()) return;
  if (evbuffer_get_length(bufferevent_get_output(connection_)) == 0) {
    const ssize_t sent = send(bufferevent_getfd(connection_), bytes.data(), bytes.size(),
                              MSG_NOSIGNAL | MSG_DONTWAIT);
    // An error comes up again when libevent writes the rest, or reads.
    if (sent > 0) bytes.remove_prefix(static_cast<size_t>(sent));
  }
  if (!bytes.empty()) bufferevent_write(connection_, bytes.data(), bytes.size());
}

void Exchange::GoOn(Step step) {
  switch (step.then) {
    case Step::Then::kPaced:
    case Step::Then::kPause:
      owner_.Schedule(id_, std::max(static_cast<int64_t>(due_us_), owner_.Now()));
      return;
    case Step::Then::kFinish:
      Finish();
      return;
    case Step::Then::kClose:
      Close(false);
      return;
    case Step::Then::kReset:
      Close(true);
      return;
  }
}

void Exchange::OnDrained(bufferevent*, void* self) {
  auto* exchange = static_cast<Exchange*>(self);
  if (!exchange->draining_) return;
  exchange->draining_ = false;
  exchange->GoOn(exchange->after_drain_);
}

void Exchange::OnEvent(bufferevent*, short what, void* self) {
  static_cast<Exchange*>(self)->ClientLeft(what);
}

void Exchange::Restore() {
  bufferevent_setcb(connection_, saved_read_, saved_write_, saved_event_, saved_argument_);
}

void Exchange::Finish() {
  Restore();
  // With nothing left to write, evhttp takes the request for answered and reads the next one.
  evhttp_send_reply_end(request_);
  owner_.Ended(id_);
}

void Exchange::Close(bool reset) {
  if (reset) {
    // Dissolving the association of a socket with a linger of 0 sends RST at once.
    const int socket = bufferevent_getfd(connection_);
    const linger now{1, 0};
    setsockopt(socket, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    sockaddr unspecified{};
    unspecified.sa_family = AF_UNSPEC;
    connect(socket, &unspecified, sizeof unspecified);
  }
  Restore();
  // Frees the request as well.
  evhttp_connection_free(evhttp_request_get_connection(request_));
  owner_.Ended(id_);
}

void Exchange::ClientLeft(short what) {
  Restore();
  // evhttp frees the connection and leaves the request, which was not answered, to its owner.
  saved_event_(connection_, what, saved_argument_);
  evhttp_send_reply_end(request_);
  end_.client_left = true;
  if (!counted_) owner_.Count(end_);
  owner_.Ended(id_);
}

}  // namespace kw::mock
