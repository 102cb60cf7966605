#include "transfer_loop.h"

#include <curl/curl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "kw/base.h"
#include "kw/llm.h"

namespace kw::llm {

struct TransferLoop::Active {
  void* easy = nullptr;
  Transfer* transfer = nullptr;
  HttpRequest request;
  curl_slist* headers = nullptr;
  std::array<char, CURL_ERROR_SIZE> error{};
  TransferEnd end;
  bool has_head = false, stopped = false;
  bool received = false;         // since the last look for stalls
  int64_t last_received_us = 0;  // 0: nothing yet

  ~Active() { curl_slist_free_all(headers); }
};

// A transfer from its coming to its end.
struct TransferLoop::Entry {
  LaneId lane = 0;
  std::unique_ptr<Transfer> transfer;
  std::string queue;
  int64_t tokens = 0;
  std::unique_ptr<Active> active;  // while a try is under way
  // Its destructor waits for a callback that runs: it goes without the mutex held.
  std::optional<std::stop_callback<std::function<void()>>> on_cancel;
};

namespace {

// With many streams one call of epoll_wait for each of their chunks would cost more than the
// chunks: they are gathered for so long.
constexpr size_t kManyStreams = 16;
constexpr int64_t kGatherUs = 4'000;
constexpr int64_t kStallCheckUs = 100'000;
constexpr int kMaxEvents = 512;
constexpr long kMaxIdleConnections = 1024;

// Process-wide, once; libcurl is initialised before the first handle of any loop.
void InitialiseCurl() {
  static const CURLcode status = curl_global_init(CURL_GLOBAL_DEFAULT);
  KW_CHECK(status == CURLE_OK, "libcurl does not initialise");
}

int64_t Now() { return SystemClock().MonotonicMicros(); }

// The value of a header line with that name, trimmed.
std::optional<std::string> HeaderValue(std::string_view line, std::string_view name) {
  if (line.size() <= name.size() || line[name.size()] != ':' ||
      ToLower(line.substr(0, name.size())) != name) {
    return std::nullopt;
  }
  return std::string(Trim(line.substr(name.size() + 1)));
}

TransferEnd::Kind KindOf(CURLcode code, bool stopped, bool connected) {
  switch (code) {
    case CURLE_OK:
      return TransferEnd::Kind::kAnswered;
    case CURLE_WRITE_ERROR:
      return stopped ? TransferEnd::Kind::kStopped : TransferEnd::Kind::kBroken;
    case CURLE_OPERATION_TIMEDOUT:
      // Nothing was sent yet: as good as no connection.
      return connected ? TransferEnd::Kind::kTimeout : TransferEnd::Kind::kBroken;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
      return TransferEnd::Kind::kRefused;
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_BAD_CONTENT_ENCODING:
      return TransferEnd::Kind::kNoHttp;
    default:
      return TransferEnd::Kind::kBroken;
  }
}

int OnSocket(CURL*, curl_socket_t socket, int what, void* epoll, void*) {
  const int fd = *static_cast<int*>(epoll);
  if (what == CURL_POLL_REMOVE) {
    epoll_ctl(fd, EPOLL_CTL_DEL, socket, nullptr);
    return 0;
  }
  epoll_event event{};
  event.data.fd = socket;
  if (what != CURL_POLL_OUT) event.events |= EPOLLIN;
  if (what != CURL_POLL_IN) event.events |= EPOLLOUT;
  if (epoll_ctl(fd, EPOLL_CTL_MOD, socket, &event) == 0) return 0;
  return epoll_ctl(fd, EPOLL_CTL_ADD, socket, &event);
}

int OnTimer(CURLM*, long timeout_ms, void* due_us) {
  *static_cast<int64_t*>(due_us) = timeout_ms < 0 ? -1 : Now() + int64_t{timeout_ms} * 1000;
  return 0;
}

}  // namespace

TransferLoop::TransferLoop() {
  InitialiseCurl();
  multi_ = curl_multi_init();
  epoll_ = epoll_create1(EPOLL_CLOEXEC);
  wake_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  KW_CHECK(multi_ != nullptr && epoll_ >= 0 && wake_ >= 0, "no descriptors left for HTTP");
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = wake_;
  epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_, &event);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, OnSocket);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, &epoll_);
  curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, OnTimer);
  curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, &curl_due_us_);
  curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, kMaxIdleConnections);
  curl_multi_setopt(multi_, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
  thread_ = std::thread([this] { Run(); });
}

TransferLoop::~TransferLoop() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  Wake();
  thread_.join();
  for (void* easy : idle_handles_) curl_easy_cleanup(easy);
  curl_multi_cleanup(multi_);
  close(wake_);
  close(epoll_);
}

void TransferLoop::Wake() {
  const uint64_t one = 1;
  // A counter that is full wakes as well.
  [[maybe_unused]] const ssize_t written = write(wake_, &one, sizeof one);
}

TransferLoop::LaneId TransferLoop::OpenLane(const RequestLimits& limits) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const LaneId id = next_lane_++;
  opening_.emplace_back(id, limits);
  open_.insert(id);
  return id;
}

void TransferLoop::CloseLane(LaneId lane) {
  KW_CHECK(std::this_thread::get_id() != thread_.get_id(),
           "a model is not destroyed by what it calls");
  std::unique_lock<std::mutex> lock(mutex_);
  closing_.push_back(lane);
  Wake();
  lane_closed_.wait(lock, [&] { return !open_.contains(lane); });
}

void TransferLoop::Add(LaneId lane, std::unique_ptr<Transfer> transfer) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    incoming_.push_back({lane, std::move(transfer)});
  }
  Wake();
}

void TransferLoop::Run() {
  while (TakeIncoming()) {
    const int64_t now_us = Now();
    StartWhatMay(now_us);
    if (curl_due_us_ >= 0 && curl_due_us_ <= now_us) {
      curl_due_us_ = -1;
      int running = 0;
      curl_multi_socket_action(multi_, CURL_SOCKET_TIMEOUT, 0, &running);
    }
    FinishWhatEnded();
    CheckStalls(now_us);
    WaitForEvents(Now());
  }
  // What the last ends have asked for finds no lane, and ends like them.
  std::vector<Incoming> late;
  do {
    for (Incoming& one : late) Enter(one.lane, std::move(one.transfer));
    late.clear();
    const std::lock_guard<std::mutex> lock(mutex_);
    late.swap(incoming_);
  } while (!late.empty());
}

// False when the loop is to end.
bool TransferLoop::TakeIncoming() {
  std::vector<Incoming> incoming;
  std::vector<Ticket> cancelled;
  std::vector<std::pair<LaneId, RequestLimits>> opening;
  std::vector<LaneId> closing;
  bool stopping = false;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    incoming.swap(incoming_);
    cancelled.swap(cancelled_);
    opening.swap(opening_);
    closing.swap(closing_);
    stopping = stopping_;
    if (stopping) closing.assign(open_.begin(), open_.end());
  }
  for (const auto& [id, limits] : opening) lanes_.emplace(id, Admission(limits));
  for (Incoming& one : incoming) Enter(one.lane, std::move(one.transfer));
  for (const Ticket ticket : cancelled) Cancel(ticket);
  if (!closing.empty()) CloseLanes(closing);
  return !stopping;
}

void TransferLoop::Enter(LaneId lane, std::unique_ptr<Transfer> transfer) {
  const auto found = lanes_.find(lane);
  const std::stop_token cancel = transfer->Cancel();
  if (found == lanes_.end() || cancel.stop_requested()) {
    transfer->End(TransferEnd{});
    return;
  }
  const Ticket ticket = next_ticket_++;
  auto entry = std::make_unique<Entry>();
  entry->lane = lane;
  entry->queue = transfer->Queue();
  entry->tokens = transfer->Tokens();
  entry->transfer = std::move(transfer);
  Entry& entered = *entry;
  entries_.emplace(ticket, std::move(entry));
  found->second.Wait(ticket, entered.queue, entered.tokens, /*again=*/false);
  if (cancel.stop_possible()) {
    entered.on_cancel.emplace(cancel, [this, ticket] {
      {
        const std::lock_guard<std::mutex> lock(mutex_);
        cancelled_.push_back(ticket);
      }
      Wake();
    });
  }
}

void TransferLoop::StartWhatMay(int64_t now_us) {
  while (!delayed_.empty() && delayed_.begin()->first <= now_us) {
    const Ticket ticket = delayed_.begin()->second;
    delayed_.erase(delayed_.begin());
    const Entry& entry = *entries_.at(ticket);
    lanes_.at(entry.lane).Wait(ticket, entry.queue, entry.tokens, /*again=*/true);
  }
  for (auto& [id, lane] : lanes_) {
    while (const std::optional<Ticket> ticket = lane.Next(now_us)) {
      Start(*ticket, *entries_.at(*ticket));
    }
  }
}

void TransferLoop::Start(Ticket ticket, Entry& entry) {
  CURL* easy = idle_handles_.empty() ? curl_easy_init() : idle_handles_.back();
  KW_CHECK(easy != nullptr, "libcurl is out of memory");
  if (!idle_handles_.empty()) idle_handles_.pop_back();
  entry.active = std::make_unique<Active>();
  Active& active = *entry.active;
  active.easy = easy;
  active.transfer = entry.transfer.get();
  active.transfer->Begin();
  active.request = active.transfer->Request();
  for (const std::string& header : active.request.headers) {
    active.headers = curl_slist_append(active.headers, header.c_str());
  }
  const auto set = [easy](CURLoption option, auto value) { curl_easy_setopt(easy, option, value); };
  set(CURLOPT_URL, active.request.url.c_str());
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  if (!active.request.ca_file.empty()) set(CURLOPT_CAINFO, active.request.ca_file.c_str());
  set(CURLOPT_HTTPHEADER, active.headers);
  set(CURLOPT_USERAGENT, "kwright");
  set(CURLOPT_ACCEPT_ENCODING, "");
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_TCP_KEEPALIVE, 1L);
  // Where the server takes several requests at once they share a connection. It says so while TLS
  // is agreed on; without TLS one would wait for the whole first answer to know.
  if (active.request.url.rfind("https:", 0) == 0) set(CURLOPT_PIPEWAIT, 1L);
  // A redirect is answered with its address, never followed: the key goes to one host only.
  set(CURLOPT_FOLLOWLOCATION, 0L);
  if (!active.request.use_proxy) set(CURLOPT_PROXY, "");
  set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(active.request.connect_timeout_ms));
  set(CURLOPT_TIMEOUT_MS, static_cast<long>(active.request.timeout_ms));
  if (active.request.body != nullptr) {
    set(CURLOPT_POST, 1L);
    set(CURLOPT_POSTFIELDS, active.request.body->c_str());
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(active.request.body->size()));
  }
  set(CURLOPT_ERRORBUFFER, active.error.data());
  set(CURLOPT_WRITEDATA, static_cast<void*>(&active));
  set(
      CURLOPT_WRITEFUNCTION, +[](char* bytes, size_t, size_t size, void* data) -> size_t {
        auto* active = static_cast<Active*>(data);
        if (!active->has_head) {
          active->has_head = true;
          long status = 0;
          curl_easy_getinfo(active->easy, CURLINFO_RESPONSE_CODE, &status);
          active->transfer->Head(static_cast<int>(status), active->end.content_type);
        }
        active->received = true;
        active->stopped = !active->transfer->Receive({bytes, size});
        return active->stopped ? CURL_WRITEFUNC_ERROR : size;
      });
  set(CURLOPT_HEADERDATA, static_cast<void*>(&active));
  set(
      CURLOPT_HEADERFUNCTION, +[](char* bytes, size_t, size_t size, void* data) -> size_t {
        TransferEnd& end = static_cast<Active*>(data)->end;
        const std::string_view line(bytes, size);
        if (line.rfind("HTTP/", 0) == 0) end = TransferEnd{};  // after a 1xx comes another head
        if (auto value = HeaderValue(line, "retry-after")) end.retry_after = *value;
        if (auto value = HeaderValue(line, "location")) end.location = *value;
        if (auto value = HeaderValue(line, "content-type")) end.content_type = *value;
        return size;
      });
  active_.emplace(easy, ticket);
  curl_multi_add_handle(multi_, easy);
}

// Bytes are noted at each look, so that a chunk costs no reading of the clock.
void TransferLoop::CheckStalls(int64_t now_us) {
  if (now_us - stalls_checked_us_ < kStallCheckUs) return;
  stalls_checked_us_ = now_us;
  std::vector<Ticket> stalled;
  for (const auto& [easy, ticket] : active_) {
    Active& active = *entries_.at(ticket)->active;
    if (active.received) {
      active.received = false;
      active.last_received_us = now_us;
    }
    const int64_t limit_us = active.request.stall_timeout_ms * 1000;
    if (limit_us <= 0 || active.last_received_us == 0) continue;
    if (now_us - active.last_received_us > limit_us) stalled.push_back(ticket);
  }
  for (const Ticket ticket : stalled) {
    TransferEnd end = std::move(entries_.at(ticket)->active->end);
    end.kind = TransferEnd::Kind::kStalled;
    Release(entries_.at(ticket)->active->easy);
    EndTry(ticket, end);
  }
}

void TransferLoop::WaitForEvents(int64_t now_us) {
  int64_t until_us = now_us + 10'000'000;
  if (!active_.empty()) until_us = now_us + kStallCheckUs;
  if (curl_due_us_ >= 0) until_us = std::min(until_us, curl_due_us_);
  if (!delayed_.empty()) until_us = std::min(until_us, delayed_.begin()->first);
  for (const auto& [id, lane] : lanes_) {
    if (const auto due = lane.NextDue(now_us)) until_us = std::min(until_us, *due);
  }
  const int64_t gather_us = woke_us_ + kGatherUs - now_us;
  if (active_.size() >= kManyStreams && gather_us > 0 && until_us > now_us) {
    usleep(static_cast<useconds_t>(std::min(gather_us, until_us - now_us)));
    now_us = Now();
  }
  std::array<epoll_event, kMaxEvents> events;
  const int64_t wait_ms = std::max<int64_t>(0, (until_us - now_us + 999) / 1000);
  const int count = epoll_wait(epoll_, events.data(), kMaxEvents, static_cast<int>(wait_ms));
  woke_us_ = Now();
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<size_t>(i)];
    if (event.data.fd == wake_) {
      uint64_t counted = 0;
      [[maybe_unused]] const ssize_t got = read(wake_, &counted, sizeof counted);
      continue;
    }
    int what = 0;
    if ((event.events & EPOLLIN) != 0) what |= CURL_CSELECT_IN;
    if ((event.events & EPOLLOUT) != 0) what |= CURL_CSELECT_OUT;
    if ((event.events & (EPOLLERR | EPOLLHUP)) != 0) what |= CURL_CSELECT_ERR;
    int running = 0;
    curl_multi_socket_action(multi_, event.data.fd, what, &running);
  }
}

void TransferLoop::FinishWhatEnded() {
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg == CURLMSG_DONE) Finish(message->easy_handle, message->data.result);
  }
}

void TransferLoop::Finish(void* easy, int code) {
  const Ticket ticket = active_.at(easy);
  Active& active = *entries_.at(ticket)->active;
  long status = 0;
  curl_off_t connected_us = 0;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(easy, CURLINFO_PRETRANSFER_TIME_T, &connected_us);
  const auto result = static_cast<CURLcode>(code);
  TransferEnd end = std::move(active.end);
  end.kind = KindOf(result, active.stopped, connected_us > 0);
  end.status = static_cast<int>(status);
  if (result != CURLE_OK) {
    end.reason = active.error[0] != '\0' ? active.error.data() : curl_easy_strerror(result);
  }
  Release(easy);
  EndTry(ticket, end);
}

// The handle is used again; a stream that is not at its end is closed.
void TransferLoop::Release(void* easy) {
  active_.erase(easy);
  curl_multi_remove_handle(multi_, easy);
  curl_easy_reset(easy);
  idle_handles_.push_back(easy);
}

void TransferLoop::EndTry(Ticket ticket, const TransferEnd& end) {
  Entry& entry = *entries_.at(ticket);
  Admission& admission = lanes_.at(entry.lane);
  entry.active.reset();
  const std::optional<Transfer::Again> again = entry.transfer->End(end);
  admission.Ended(ticket, entry.transfer->TokensUsed());
  if (!again || end.kind == TransferEnd::Kind::kCancelled) {
    entries_.erase(ticket);
    return;
  }
  const int64_t due_us = Now() + again->after_ms * 1000;
  if (again->all_wait) admission.PauseUntil(due_us);
  delayed_.emplace(due_us, ticket);
}

void TransferLoop::Cancel(Ticket ticket) {
  const auto found = entries_.find(ticket);
  if (found == entries_.end()) return;  // it ended meanwhile
  Entry& entry = *found->second;
  if (entry.active) {
    Release(entry.active->easy);
    EndTry(ticket, TransferEnd{});
    return;
  }
  lanes_.at(entry.lane).Forget(ticket);
  std::erase_if(delayed_, [ticket](const auto& delayed) { return delayed.second == ticket; });
  const std::unique_ptr<Entry> gone = std::move(found->second);
  entries_.erase(found);
  gone->transfer->End(TransferEnd{});
}

void TransferLoop::CloseLanes(const std::vector<LaneId>& lanes) {
  std::vector<Ticket> tickets;
  for (const auto& [ticket, entry] : entries_) {
    if (std::find(lanes.begin(), lanes.end(), entry->lane) != lanes.end()) {
      tickets.push_back(ticket);
    }
  }
  std::sort(tickets.begin(), tickets.end());
  for (const Ticket ticket : tickets) Cancel(ticket);
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (const LaneId lane : lanes) {
      lanes_.erase(lane);
      open_.erase(lane);
    }
  }
  lane_closed_.notify_all();
}

}  // namespace kw::llm

namespace kw {

std::shared_ptr<HttpIo> MakeHttpIo() { return std::make_shared<HttpIo>(); }

}  // namespace kw
