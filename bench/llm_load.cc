// Streams of the model client against an endpoint, for bench/llm: many at once, and what they cost.
//
//   bench_llm_load BASE_URL STREAMS CHUNKS RATE [--no-guard | --unread]
//
// The endpoint sends CHUNKS pieces of text to each stream, RATE a second (0: as fast as it can).
// --unread: the bytes are received and dropped, which is what libcurl and the kernel cost.
// Prints one JSON object: processor time of this process, wall time, the delay of each stream's end
// behind the ideal, the largest resident set.
#include <sys/resource.h>

#include <algorithm>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>
#include <vector>

#include "kw/base.h"
#include "kw/base/json.h"
#include "kw/llm.h"
#include "src/llm/transfer_loop.h"

namespace kw {
namespace {

// Behind the text: the reason of its end, the usage, the end. The server keeps its pace with them.
constexpr int64_t kClosingEvents = 3;

struct Load {
  std::string base_url;
  int streams = 1;
  int64_t chunks = 100;
  double rate = 0;
  bool guard = true, read = true;

  double ideal_s() const {
    return rate > 0 ? static_cast<double>(chunks - 1 + kClosingEvents) / rate : 0;
  }
};

// Waits for all streams; thread-safe.
class Ends {
 public:
  void Add(bool ok, double delay_ms) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (ok) {
      delays_ms_.push_back(delay_ms);
    } else {
      ++failed_;
    }
    came_.notify_one();
  }
  void WaitFor(int streams) {
    std::unique_lock<std::mutex> lock(mutex_);
    came_.wait(lock, [&] { return static_cast<int>(delays_ms_.size()) + failed_ == streams; });
  }
  // Once all have come.
  const std::vector<double>& delays_ms() const { return delays_ms_; }
  int failed() const { return failed_; }

 private:
  std::mutex mutex_;
  std::condition_variable came_;
  std::vector<double> delays_ms_;
  int failed_ = 0;
};

int64_t NowUs() { return SystemClock().MonotonicMicros(); }

// A stream whose bytes nobody reads.
class UnreadStream : public llm::Transfer {
 public:
  UnreadStream(const Load& load, Ends& ends) : load_(load), ends_(ends) {
    body_ = DumpJson({{"model", "mock"},
                      {"messages", {{{"role", "user"}, {"content", "stream"}}}},
                      {"max_tokens", load.chunks * 4},
                      {"stream", true}});
  }
  llm::HttpRequest Request() const override {
    llm::HttpRequest request;
    request.url = load_.base_url + "/chat/completions";
    request.headers = {"Content-Type: application/json", "Expect:"};
    request.body = &body_;
    request.use_proxy = false;
    request.connect_timeout_ms = 10'000;
    request.timeout_ms = 600'000;
    return request;
  }
  void Begin() override {}
  bool Receive(std::string_view) override {
    if (first_us_ == 0) first_us_ = NowUs();
    return true;
  }
  std::optional<Again> End(const llm::TransferEnd& end) override {
    const double took_s = static_cast<double>(NowUs() - first_us_) / 1e6;
    ends_.Add(end.status == 200, (took_s - load_.ideal_s()) * 1000);
    return std::nullopt;
  }

 private:
  const Load& load_;
  Ends& ends_;
  std::string body_;
  int64_t first_us_ = 0;
};

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double PeakMiB() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

double Percentile(std::vector<double> values, double share) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[static_cast<size_t>(share * static_cast<double>(values.size() - 1))];
}

void AskUnread(const Load& load, Ends& ends) {
  llm::TransferLoop loop;
  const auto lane = loop.OpenLane({.in_flight = load.streams});
  for (int i = 0; i < load.streams; ++i) {
    loop.Add(lane, std::make_unique<UnreadStream>(load, ends));
  }
  ends.WaitFor(load.streams);
  loop.CloseLane(lane);
}

Result<void> Ask(const Load& load, Ends& ends) {
  HttpModelConfig config;
  config.base_url = load.base_url;
  config.max_in_flight = load.streams;
  config.stream.guard.enabled = load.guard;
  config.max_retries = 0;
  KW_ASSIGN(const auto model, MakeHttpModel(config));
  for (int i = 0; i < load.streams; ++i) {
    ChatRequest request;
    request.model = "mock";
    request.messages = {{"user", "stream " + std::to_string(i)}};
    request.max_tokens = static_cast<int>(load.chunks) * 4;
    model->Submit(std::move(request), [&](const Result<ChatAnswer>& answer) {
      if (!answer) std::fprintf(stderr, "%s\n", answer.error().ToString().c_str());
      const int64_t took_us = answer ? answer->latency_us - answer->first_token_us : 0;
      ends.Add(answer.has_value(), static_cast<double>(took_us) / 1000 - load.ideal_s() * 1000);
    });
  }
  ends.WaitFor(load.streams);
  return {};
}

int Run(const Load& load) {
  Ends ends;
  const double cpu_before = CpuSeconds();
  const int64_t began_us = NowUs();
  if (!load.read) {
    AskUnread(load, ends);
  } else if (auto asked = Ask(load, ends); !asked) {
    std::fprintf(stderr, "%s\n", asked.error().ToString().c_str());
    return 1;
  }
  const double wall = static_cast<double>(NowUs() - began_us) / 1e6;
  const double cpu = CpuSeconds() - cpu_before;
  const double chunks = static_cast<double>(load.chunks * load.streams);
  const Json result = {{"streams", load.streams},
                       {"chunks", chunks},
                       {"failed", ends.failed()},
                       {"wall_s", wall},
                       {"cpu_s", cpu},
                       {"cpu_us_per_chunk", cpu * 1e6 / chunks},
                       {"delay_ms_p50", Percentile(ends.delays_ms(), 0.5)},
                       {"delay_ms_p99", Percentile(ends.delays_ms(), 0.99)},
                       {"peak_rss_mib", PeakMiB()}};
  std::printf("%s\n", DumpJson(result).c_str());
  return ends.failed() == 0 ? 0 : 1;
}

}  // namespace
}  // namespace kw

int main(int argc, char** argv) {
  if (argc < 5) {
    std::fprintf(stderr,
                 "usage: bench_llm_load BASE_URL STREAMS CHUNKS RATE [--no-guard | --unread]\n");
    return 2;
  }
  const std::string mode = argc < 6 ? "" : argv[5];
  return kw::Run({.base_url = argv[1],
                  .streams = std::atoi(argv[2]),
                  .chunks = std::atoll(argv[3]),
                  .rate = std::atof(argv[4]),
                  .guard = mode != "--no-guard",
                  .read = mode != "--unread"});
}
