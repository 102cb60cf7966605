#include "transfer_loop.h"

#include <curl/curl.h>

#include <algorithm>
#include <array>

#include "kw/base.h"

namespace kw::llm {

struct TransferLoop::Active {
  std::unique_ptr<Transfer> transfer;
  HttpRequest request;
  curl_slist* headers = nullptr;
  std::array<char, CURL_ERROR_SIZE> error{};
  TransferEnd end;
  bool stopped = false;

  ~Active() { curl_slist_free_all(headers); }
};

namespace {

// Process-wide, once; libcurl is initialised before the first handle of any loop.
void InitialiseCurl() {
  static const CURLcode status = curl_global_init(CURL_GLOBAL_DEFAULT);
  KW_CHECK(status == CURLE_OK, "libcurl does not initialise");
}

bool IsHeader(std::string_view line, std::string_view name) {
  return line.size() > name.size() && line[name.size()] == ':' &&
         ToLower(line.substr(0, name.size())) == name;
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

}  // namespace

TransferLoop::TransferLoop(int max_in_flight)
    : max_in_flight_(static_cast<size_t>(std::max(1, max_in_flight))) {
  InitialiseCurl();
  multi_ = curl_multi_init();
  KW_CHECK(multi_ != nullptr, "libcurl is out of memory");
  curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, static_cast<long>(max_in_flight_));
  thread_ = std::thread([this] { Run(); });
}

TransferLoop::~TransferLoop() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  curl_multi_wakeup(multi_);
  thread_.join();
  for (void* easy : idle_handles_) curl_easy_cleanup(easy);
  curl_multi_cleanup(multi_);
}

void TransferLoop::Add(std::unique_ptr<Transfer> transfer) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    incoming_.push_back(std::move(transfer));
  }
  curl_multi_wakeup(multi_);
}

void TransferLoop::Run() {
  while (TakeIncoming()) {
    StartWhatMay(SystemClock().MonotonicMicros());
    int running = 0;
    curl_multi_perform(multi_, &running);
    FinishWhatEnded();
    const int64_t wait_ms = WaitMs(SystemClock().MonotonicMicros());
    curl_multi_poll(multi_, nullptr, 0, static_cast<int>(wait_ms), nullptr);
  }
  EndAll();
}

bool TransferLoop::TakeIncoming() {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (stopping_) return false;
  for (auto& transfer : incoming_) waiting_.push_back(std::move(transfer));
  incoming_.clear();
  return true;
}

void TransferLoop::StartWhatMay(int64_t now_us) {
  // Those that were tried before go first.
  std::vector<std::unique_ptr<Transfer>> due;
  while (!delayed_.empty() && delayed_.begin()->first <= now_us) {
    due.push_back(std::move(delayed_.begin()->second));
    delayed_.erase(delayed_.begin());
  }
  for (auto transfer = due.rbegin(); transfer != due.rend(); ++transfer) {
    waiting_.push_front(std::move(*transfer));
  }
  while (now_us >= paused_until_us_ && !waiting_.empty() && active_.size() < max_in_flight_) {
    std::unique_ptr<Transfer> next = std::move(waiting_.front());
    waiting_.pop_front();
    Start(std::move(next));
  }
}

int64_t TransferLoop::WaitMs(int64_t now_us) const {
  int64_t until_us = now_us + 10'000'000;
  if (!delayed_.empty()) until_us = std::min(until_us, delayed_.begin()->first);
  if (!waiting_.empty() && active_.size() < max_in_flight_) {
    until_us = std::min(until_us, paused_until_us_);
  }
  return std::max<int64_t>(0, (until_us - now_us + 999) / 1000);
}

void TransferLoop::Start(std::unique_ptr<Transfer> transfer) {
  CURL* easy = idle_handles_.empty() ? curl_easy_init() : idle_handles_.back();
  KW_CHECK(easy != nullptr, "libcurl is out of memory");
  if (!idle_handles_.empty()) idle_handles_.pop_back();
  auto owned = std::make_unique<Active>();
  Active& active = *owned;
  active.transfer = std::move(transfer);
  active.transfer->Begin();
  active.request = active.transfer->Request();
  for (const std::string& header : active.request.headers) {
    active.headers = curl_slist_append(active.headers, header.c_str());
  }
  const auto set = [easy](CURLoption option, auto value) { curl_easy_setopt(easy, option, value); };
  set(CURLOPT_URL, active.request.url.c_str());
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_HTTPHEADER, active.headers);
  set(CURLOPT_USERAGENT, "kwright");
  set(CURLOPT_ACCEPT_ENCODING, "");
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_TCP_KEEPALIVE, 1L);
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
        active->stopped = !active->transfer->Receive({bytes, size});
        return active->stopped ? CURL_WRITEFUNC_ERROR : size;
      });
  set(CURLOPT_HEADERDATA, static_cast<void*>(&active));
  set(
      CURLOPT_HEADERFUNCTION, +[](char* bytes, size_t, size_t size, void* data) -> size_t {
        TransferEnd& end = static_cast<Active*>(data)->end;
        const std::string_view line(bytes, size);
        if (line.rfind("HTTP/", 0) == 0) end = TransferEnd{};  // after a 1xx comes another head
        if (IsHeader(line, "retry-after")) end.retry_after = Trim(line.substr(12));
        if (IsHeader(line, "location")) end.location = Trim(line.substr(9));
        return size;
      });
  active_.emplace(easy, std::move(owned));
  curl_multi_add_handle(multi_, easy);
}

void TransferLoop::FinishWhatEnded() {
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg == CURLMSG_DONE) Finish(message->easy_handle, message->data.result);
  }
}

void TransferLoop::Finish(void* easy, int code) {
  const auto found = active_.find(easy);
  const std::unique_ptr<Active> active = std::move(found->second);
  active_.erase(found);
  long status = 0;
  curl_off_t connected_us = 0;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(easy, CURLINFO_PRETRANSFER_TIME_T, &connected_us);
  curl_multi_remove_handle(multi_, easy);
  curl_easy_reset(easy);
  idle_handles_.push_back(easy);

  const auto result = static_cast<CURLcode>(code);
  TransferEnd end = std::move(active->end);
  end.kind = KindOf(result, active->stopped, connected_us > 0);
  end.status = static_cast<int>(status);
  if (result != CURLE_OK) {
    end.reason = active->error[0] != '\0' ? active->error.data() : curl_easy_strerror(result);
  }
  const std::optional<Transfer::Again> again = active->transfer->End(end);
  if (!again) return;
  const int64_t due_us = SystemClock().MonotonicMicros() + again->after_ms * 1000;
  if (again->all_wait) paused_until_us_ = std::max(paused_until_us_, due_us);
  delayed_.emplace(due_us, std::move(active->transfer));
}

void TransferLoop::EndAll() {
  std::vector<std::unique_ptr<Transfer>> left;
  for (auto& [easy, active] : active_) {
    curl_multi_remove_handle(multi_, easy);
    curl_easy_cleanup(easy);
    left.push_back(std::move(active->transfer));
  }
  active_.clear();
  for (auto& [due, transfer] : delayed_) left.push_back(std::move(transfer));
  for (auto& transfer : waiting_) left.push_back(std::move(transfer));
  delayed_.clear();
  waiting_.clear();
  // What is added from here on comes from the callbacks below, and ends like the rest.
  while (!left.empty()) {
    for (auto& transfer : left) transfer->End(TransferEnd{});
    left.clear();
    const std::lock_guard<std::mutex> lock(mutex_);
    for (auto& transfer : incoming_) left.push_back(std::move(transfer));
    incoming_.clear();
  }
}

}  // namespace kw::llm
