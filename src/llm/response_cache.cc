#include "response_cache.h"

#include <fmt/format.h>

#include <algorithm>

#include "kw/base.h"
#include "request_diff.h"
#include "request_key.h"
#include "request_sketch.h"

namespace kw {
namespace recording {
namespace {

Result<ResponseCache::Impl::Found> ReadFound(const StoredRow& row, const std::string& text) {
  KW_ASSIGN(const std::string recorded, RequestTextOf(row));
  if (recorded != text) {
    return Fail(ErrorCode::kCorrupt, "two requests have one key; one of them was made to have it");
  }
  KW_ASSIGN(ChatAnswer answer, AnswerOf(row));
  return ResponseCache::Impl::Found{std::move(answer), row.simulated};
}

Error InFile(Error error, const std::string& file, const std::string& key) {
  error.message = fmt::format("{}: entry {}: {}", file, key, error.message);
  return error;
}

}  // namespace
}  // namespace recording

ResponseCache::Impl::Impl(std::string path, CacheMode cache_mode,
                          std::unique_ptr<recording::RecordingFile> open_file)
    : file(std::move(path)), mode(cache_mode), reader(std::move(open_file)) {}

Result<void> ResponseCache::Impl::StartWriter() {
  KW_ASSIGN(writer_, reader->OpenBeside());
  thread_ = std::thread([this] { Write(); });
  return {};
}

ResponseCache::Impl::~Impl() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(queue_mutex_);
    closing_ = true;
  }
  queue_changed_.notify_all();
  thread_.join();
  reader.reset();
  writer_->JoinLogs();
}

void ResponseCache::Impl::Write() {
  std::unique_lock lock(queue_mutex_);
  while (true) {
    queue_changed_.wait(lock, [this] { return closing_ || !queue_.empty(); });
    if (queue_.empty()) return;
    writing_ = true;
    {
      const std::function<void()> write = std::move(queue_.front());
      queue_.pop_front();
      lock.unlock();
      write();
    }
    lock.lock();
    writing_ = false;
    queue_changed_.notify_all();
  }
}

void ResponseCache::Impl::Drain() {
  if (std::this_thread::get_id() == thread_.get_id()) return;
  std::unique_lock lock(queue_mutex_);
  queue_changed_.wait(lock, [this] { return queue_.empty() && !writing_; });
}

Result<ResponseCache::Impl::Asked> ResponseCache::Impl::Ask(const ChatRequest& request,
                                                            const std::string& variant) {
  Asked asked;
  KW_ASSIGN(asked.text, recording::CanonicalRequest(request, variant, 0));
  asked.key = ContentHash(asked.text);
  if (!recording::IsUnrepeatable(request)) return asked;
  asked.base = asked.key;
  {
    const std::lock_guard lock(numbers_mutex_);
    Numbers& numbers = numbers_[asked.base];
    if (numbers.free.empty()) {
      asked.occurrence = numbers.next++;
    } else {
      asked.occurrence = numbers.free.extract(numbers.free.begin()).value();
    }
  }
  KW_ASSIGN(asked.text, recording::CanonicalRequest(request, variant, asked.occurrence));
  asked.key = ContentHash(asked.text);
  return asked;
}

void ResponseCache::Impl::GiveBack(const Asked& asked) {
  if (asked.occurrence == 0) return;
  const std::lock_guard lock(numbers_mutex_);
  numbers_[asked.base].free.insert(asked.occurrence);
}

Result<std::optional<ResponseCache::Impl::Found>> ResponseCache::Impl::Find(const Asked& asked) {
  std::optional<recording::StoredRow> row;
  {
    const std::lock_guard lock(read_mutex);
    KW_ASSIGN(row, reader->Find(asked.key));
  }
  if (!row) return std::nullopt;
  auto found = recording::ReadFound(*row, asked.text);
  if (!found) return Fail(recording::InFile(std::move(found).error(), file, asked.key));
  return std::move(*found);
}

Error ResponseCache::Impl::Missing(const Asked& asked) {
  const auto explain = [&]() -> Result<std::string> {
    KW_ASSIGN(const auto counted, recording::ParseCanonicalRequest(asked.text));
    const std::string sketch = recording::SketchOf(counted);
    std::optional<recording::StoredRow> row;
    int64_t entries = 0;
    {
      const std::lock_guard lock(read_mutex);
      KW_ASSIGN(entries, reader->Entries());
      KW_ASSIGN(row, reader->Nearest(sketch));
    }
    if (!row) return fmt::format("{} holds no answers at all: record it first", file);
    const std::string head =
        fmt::format("{} holds no answer to this request of {} (key {}): record it", file,
                    Shorten(counted.request.model, 100), asked.key);
    const auto text = recording::RequestTextOf(*row);
    const auto nearest = text ? recording::ParseCanonicalRequest(*text) : Fail(text.error());
    if (!nearest) {
      return fmt::format("{}. The nearest of {} entries cannot be read: {}", head, entries,
                         nearest.error().message);
    }
    return fmt::format("{}. The nearest of {} {} (key {}) differs:\n{}", head, entries,
                       entries == 1 ? "entry" : "entries", row->key,
                       recording::DescribeDifference(*nearest, counted));
  };
  auto message = explain();
  if (!message) return std::move(message).error();
  while (message->ends_with('\n')) message->pop_back();
  return {ErrorCode::kNotFound, std::move(*message), {}};
}

void ResponseCache::Impl::Keep(Asked asked, ChatAnswer answer, bool simulated,
                               std::function<void(Result<Found>)> done) {
  {
    const std::lock_guard lock(queue_mutex_);
    queue_.emplace_back([this, asked = std::move(asked), answer = std::move(answer), simulated,
                         done = std::move(done)]() mutable {
      auto found = KeepNow(asked, answer, simulated);
      if (!found) {
        ++not_kept;
        log::Warn(fmt::format("an answer was not recorded, and a replay will miss it: {}",
                              found.error().ToString()));
        found = Found{std::move(answer), simulated};
      }
      done(std::move(found));
    });
  }
  queue_changed_.notify_all();
}

Result<ResponseCache::Impl::Found> ResponseCache::Impl::KeepNow(const Asked& asked,
                                                                const ChatAnswer& answer,
                                                                bool simulated) {
  KW_ASSIGN(const auto counted, recording::ParseCanonicalRequest(asked.text));
  const std::string text = recording::EncodeAnswer(answer);
  // What is returned now is what a replay will return, and it can be read.
  KW_ASSIGN(ChatAnswer kept, recording::DecodeAnswer(text));
  recording::StoredRow row;
  row.key = asked.key;
  row.sketch = recording::SketchOf(counted);
  row.request = recording::Pack(asked.text);
  row.answer = recording::Pack(text);
  row.simulated = simulated;
  row.recorded_unix_us = SystemClock().UnixMicros();
  KW_ASSIGN(const bool is_new, writer_->Insert(row, answer.cost_usd > 0));
  if (is_new) return Found{std::move(kept), simulated};
  KW_ASSIGN(const auto first, writer_->Find(asked.key));
  if (!first) return Fail(ErrorCode::kCorrupt, file + ": an entry is there and is not");
  auto found = recording::ReadFound(*first, asked.text);
  if (!found) return Fail(recording::InFile(std::move(found).error(), file, asked.key));
  return found;
}

ResponseCache::ResponseCache(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ResponseCache::~ResponseCache() = default;

Result<std::shared_ptr<ResponseCache>> ResponseCache::Open(const std::string& file,
                                                           CacheMode mode) {
  if (mode == CacheMode::kOff) {
    return Fail(ErrorCode::kInvalid, "a recording is opened to record or to replay, not for 'off'");
  }
  if (file.empty()) return Fail(ErrorCode::kInvalid, "a recording needs the name of a file");
  using recording::RecordingFile;
  const auto access =
      mode == CacheMode::kRecord ? RecordingFile::Access::kWrite : RecordingFile::Access::kRead;
  auto open = RecordingFile::Open(file, access);
  if (!open) return Fail(std::move(open).error().While("opening the recorded answers"));
  auto impl = std::make_unique<Impl>(file, mode, std::move(*open));
  if (mode == CacheMode::kRecord) KW_TRY(impl->StartWriter());
  return std::shared_ptr<ResponseCache>(new ResponseCache(std::move(impl)));
}

Result<ResponseCacheStats> ResponseCache::Stats() const {
  ResponseCacheStats stats;
  stats.hits = impl_->hits;
  stats.misses = impl_->misses;
  stats.not_kept = impl_->not_kept;
  const std::lock_guard lock(impl_->read_mutex);
  KW_ASSIGN(stats.entries, impl_->reader->Entries());
  KW_ASSIGN(stats.bytes, impl_->reader->Bytes());
  return stats;
}

Result<std::vector<RecordedCall>> ResponseCache::ListRequests(int64_t limit) const {
  constexpr int64_t kRowsAtOnce = 64;
  std::vector<RecordedCall> calls;
  int64_t after = 0;
  while (static_cast<int64_t>(calls.size()) < limit) {
    const int64_t wanted = std::min(kRowsAtOnce, limit - static_cast<int64_t>(calls.size()));
    std::vector<recording::StoredRow> rows;
    {
      const std::lock_guard lock(impl_->read_mutex);
      KW_ASSIGN(rows, impl_->reader->List(after, wanted));
    }
    if (rows.empty()) break;
    for (const recording::StoredRow& row : rows) {
      auto call = recording::DescribeRow(row);
      if (!call) return Fail(recording::InFile(std::move(call).error(), impl_->file, row.key));
      calls.push_back(std::move(*call));
      after = row.id;
    }
  }
  return calls;
}

Result<CacheMode> ParseCacheMode(std::string_view name) {
  if (name == "off") return CacheMode::kOff;
  if (name == "record") return CacheMode::kRecord;
  if (name == "replay") return CacheMode::kReplay;
  return Fail(ErrorCode::kInvalid,
              UnknownName("mode of the response cache", name, {"off", "record", "replay"}));
}

}  // namespace kw
