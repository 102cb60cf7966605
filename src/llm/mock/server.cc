#include "server.h"

#include <event2/listener.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "kw/base/clock.h"

namespace kw {

namespace {

constexpr int kBacklog = 4096;
constexpr size_t kMaxHeadBytes = 64 << 10;
// evhttp refuses what is beyond with a page of its own; smaller ones get our words.
constexpr size_t kMaxReadBytes = 64 << 20;
constexpr size_t kMaxClosedAfter = 10'000;

}  // namespace

struct MockEndpoint::Server::Inbox {
  std::mutex mutex;
  std::vector<std::pair<uint64_t, Result<ChatAnswer>>> answers;
  bool stop = false;
  const int wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

  ~Inbox() { close(wake); }
  void Wake() const {
    const uint64_t one = 1;
    // Full means that it is awake.
    [[maybe_unused]] const ssize_t written = write(wake, &one, sizeof one);
  }
};

MockEndpoint::Server::Server(MockOptions options, std::shared_ptr<ChatModel> model,
                             mock::FaultPlan plan)
    : options_(std::move(options)),
      model_(std::move(model)),
      source_(options_),
      plan_(std::move(plan)),
      inbox_(std::make_shared<Inbox>()) {}

MockEndpoint::Server::~Server() {
  if (thread_.joinable()) {
    {
      const std::lock_guard<std::mutex> lock(inbox_->mutex);
      inbox_->stop = true;
    }
    inbox_->Wake();
    thread_.join();
  }
  // evhttp frees its connections and their requests; the exchanges say nothing any more.
  if (http_ != nullptr) evhttp_free(http_);
  exchanges_.clear();
  pacer_.reset();
  if (woken_ != nullptr) event_free(woken_);
  if (base_ != nullptr) event_base_free(base_);
}

Result<void> MockEndpoint::Server::Start() {
  base_ = event_base_new();
  http_ = base_ == nullptr ? nullptr : evhttp_new(base_);
  if (http_ == nullptr || inbox_->wake < 0) {
    return Fail(ErrorCode::kUnavailable, "no event loop for the mock server");
  }
  evhttp_set_max_headers_size(http_, kMaxHeadBytes);
  evhttp_set_max_body_size(http_, kMaxReadBytes);
  evhttp_set_flags(http_, EVHTTP_SERVER_LINGERING_CLOSE);
  evhttp_set_allowed_methods(http_,
                             EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_PUT | EVHTTP_REQ_DELETE);
  evhttp_set_timeout(http_, 600);
  evhttp_set_gencb(http_, OnRequest, this);
  woken_ = event_new(base_, inbox_->wake, EV_READ | EV_PERSIST, OnWoken, this);
  event_add(woken_, nullptr);
  pacer_ = std::make_unique<mock::Pacer>(
      base_, [this] { return Now(); },
      [this](uint64_t id) {
        if (const auto found = exchanges_.find(id); found != exchanges_.end()) {
          found->second->Continue();
        }
      });
  KW_TRY(Listen());
  // Signals are for the program's other threads; SIGPIPE is for nobody.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { event_base_dispatch(base_); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return {};
}

Result<void> MockEndpoint::Server::Listen() {
  addrinfo hints{}, *found = nullptr;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  const std::string port = std::to_string(options_.port);
  if (const int error = getaddrinfo(options_.host.c_str(), port.c_str(), &hints, &found);
      error != 0) {
    return Fail(ErrorCode::kInvalid, "host '" + options_.host + "': " + gai_strerror(error));
  }
  evconnlistener* listener = evconnlistener_new_bind(
      base_, nullptr, nullptr, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE,
      kBacklog, found->ai_addr, static_cast<int>(found->ai_addrlen));
  const int error = errno;
  freeaddrinfo(found);
  if (listener == nullptr) {
    return Fail(ErrorCode::kUnavailable,
                "cannot listen on " + options_.host + ":" + port + ": " + std::strerror(error));
  }
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  char number[NI_MAXSERV] = "";
  auto* named = reinterpret_cast<sockaddr*>(&address);
  if (getsockname(evconnlistener_get_fd(listener), named, &size) != 0 ||
      getnameinfo(named, size, nullptr, 0, number, sizeof number, NI_NUMERICSERV) != 0 ||
      evhttp_bind_listener(http_, listener) == nullptr) {
    evconnlistener_free(listener);
    return Fail(ErrorCode::kUnavailable, "cannot listen on " + options_.host);
  }
  port_ = std::atoi(number);
  return {};
}

void MockEndpoint::Server::OnWoken(int fd, short, void* self) {
  auto* server = static_cast<Server*>(self);
  uint64_t count = 0;
  [[maybe_unused]] const ssize_t got = read(fd, &count, sizeof count);
  std::vector<std::pair<uint64_t, Result<ChatAnswer>>> answers;
  {
    const std::lock_guard<std::mutex> lock(server->inbox_->mutex);
    if (server->inbox_->stop) event_base_loopbreak(server->base_);
    answers.swap(server->inbox_->answers);
  }
  for (auto& [id, answer] : answers) server->Answered(id, std::move(answer));
}

void MockEndpoint::Server::AskModel(uint64_t id, const mock::Asked& asked) {
  ChatRequest request = asked.request;
  request.max_tokens = static_cast<int>(source_.Budget(asked));
  model_->Submit(std::move(request), [id, inbox = inbox_](Result<ChatAnswer> answer) {
    {
      const std::lock_guard<std::mutex> lock(inbox->mutex);
      inbox->answers.emplace_back(id, std::move(answer));
    }
    inbox->Wake();
  });
}

int64_t MockEndpoint::Server::Now() const { return SystemClock().MonotonicMicros(); }

void MockEndpoint::Server::Schedule(uint64_t id, int64_t at_us) { pacer_->Schedule(id, at_us); }

void MockEndpoint::Server::Sent(size_t bytes, int texts) {
  const std::lock_guard<std::mutex> lock(mutex_);
  stats_.bytes += static_cast<int64_t>(bytes);
  stats_.chunks += texts;
}

void MockEndpoint::Server::Count(const mock::ExchangeEnd& end) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (end.answer) --stats_.open;
  if (end.answer && end.client_left) {
    ++stats_.closed_early;
    if (stats_.closed_after.size() < kMaxClosedAfter) stats_.closed_after.push_back(end.texts);
  } else if (end.whole) {
    ++stats_.completed;
    if (end.streamed) ++stats_.streamed;
  }
}

void MockEndpoint::Server::Ended(uint64_t id) {
  waiting_.erase(id);
  exchanges_.erase(id);
}

void MockEndpoint::Server::CountFault(mock::FaultKind kind) {
  const std::lock_guard<std::mutex> lock(mutex_);
  ++stats_.faults[mock::NameOf(kind)];
}

MockStats MockEndpoint::Server::stats() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return stats_;
}

std::vector<KeptRequest> MockEndpoint::Server::requests() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return {kept_.begin(), kept_.end()};
}

}  // namespace kw
