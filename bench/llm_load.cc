// Streams of the model client against an endpoint, for bench/llm: many at once, and what they cost.
//
//   bench_llm_load BASE_URL STREAMS CHUNKS RATE [--no-guard]
//
// The endpoint sends CHUNKS pieces of text to each stream, RATE a second (0: as fast as it can).
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

namespace kw {
namespace {

// Behind the text: the reason of its end, the usage, the end. The server keeps its pace with them.
constexpr int64_t kClosingEvents = 3;

struct Load {
  std::string base_url;
  int streams = 1;
  int64_t chunks = 100;
  double rate = 0;
  bool guard = true;
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

int Run(const Load& load) {
  HttpModelConfig config;
  config.base_url = load.base_url;
  config.max_in_flight = load.streams;
  config.stream.guard.enabled = load.guard;
  config.max_retries = 0;
  auto made = MakeHttpModel(config);
  if (!made) {
    std::fprintf(stderr, "%s\n", made.error().ToString().c_str());
    return 1;
  }
  std::mutex mutex;
  std::condition_variable ended;
  std::vector<ChatAnswer> answers;
  int failed = 0;
  const double cpu_before = CpuSeconds();
  const int64_t began_us = SystemClock().MonotonicMicros();
  for (int i = 0; i < load.streams; ++i) {
    ChatRequest request;
    request.model = "mock";
    request.messages = {{"user", "stream " + std::to_string(i)}};
    request.max_tokens = static_cast<int>(load.chunks) * 4;
    (*made)->Submit(std::move(request), [&](Result<ChatAnswer> answer) {
      const std::lock_guard<std::mutex> lock(mutex);
      if (answer) {
        answers.push_back(*std::move(answer));
      } else {
        std::fprintf(stderr, "%s\n", answer.error().ToString().c_str());
        ++failed;
      }
      ended.notify_one();
    });
  }
  std::unique_lock<std::mutex> lock(mutex);
  ended.wait(lock, [&] { return static_cast<int>(answers.size()) + failed == load.streams; });
  const double wall = static_cast<double>(SystemClock().MonotonicMicros() - began_us) / 1e6;
  const double cpu = CpuSeconds() - cpu_before;
  std::vector<double> delays;
  for (const ChatAnswer& answer : answers) {
    const double ideal =
        load.rate > 0 ? static_cast<double>(load.chunks - 1 + kClosingEvents) / load.rate : 0;
    const double took = static_cast<double>(answer.latency_us - answer.first_token_us) / 1e6;
    delays.push_back((took - ideal) * 1000);
  }
  const double chunks = static_cast<double>(load.chunks * load.streams);
  const Json result = {{"streams", load.streams},
                       {"chunks", chunks},
                       {"failed", failed},
                       {"wall_s", wall},
                       {"cpu_s", cpu},
                       {"cpu_us_per_chunk", cpu * 1e6 / chunks},
                       {"delay_ms_p50", Percentile(delays, 0.5)},
                       {"delay_ms_p99", Percentile(delays, 0.99)},
                       {"peak_rss_mib", PeakMiB()}};
  std::printf("%s\n", DumpJson(result).c_str());
  return failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace kw

int main(int argc, char** argv) {
  if (argc < 5) {
    std::fprintf(stderr, "usage: bench_llm_load BASE_URL STREAMS CHUNKS RATE [--no-guard]\n");
    return 2;
  }
  return kw::Run({.base_url = argv[1],
                  .streams = std::atoi(argv[2]),
                  .chunks = std::atoll(argv[3]),
                  .rate = std::atof(argv[4]),
                  .guard = argc < 6 || std::string(argv[5]) != "--no-guard"});
}
