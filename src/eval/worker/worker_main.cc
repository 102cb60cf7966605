// kwright-worker: judges candidates for a controller, over JSON lines on stdin and stdout.
#include <fcntl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>

#include "kw/base/file.h"
#include "kw/eval/worker.h"

namespace {

int Run(kw::eval::EvaluatorConfig config) {
  if (config.home.empty()) {
    auto home = kw::ProgramHome();
    if (!home) return std::fprintf(stderr, "%s\n", home.error().ToString().c_str()), 1;
    config.home = *home;
  }
  if (config.cache.empty()) {
    auto cache = kw::CacheDirectory();
    if (!cache) return std::fprintf(stderr, "%s\n", cache.error().ToString().c_str()), 1;
    config.cache = *cache;
  }
  // The protocol has a descriptor of its own: whatever else writes to stdout goes to stderr.
  const int out = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
  if (out < 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0) {
    std::perror("kwright-worker: stdout");
    return 1;
  }
  return kw::eval::ServeWorker(STDIN_FILENO, out, config);
}

}  // namespace

int main(int argc, char** argv) {
  kw::eval::EvaluatorConfig config;
  CLI::App app(
      "Judges candidates for kwright: speaks the worker protocol (docs/formats/worker-protocol.md) "
      "on stdin and stdout until the end of input.\n"
      "Example, in a configuration: worker.command = [\"ssh\", \"host\", \"kwright-worker\"]");
  app.add_option("--home", config.home, "folder that holds data/ (default: found)");
  app.add_option("--cache", config.cache,
                 "cache folder (default: $KWRIGHT_CACHE, ~/.cache/kwright)");
  app.add_option("--replays", config.replays, "where failures are kept (default: CACHE/replays)");
  app.add_option("--device", config.device, "data sheet of the device to judge for")
      ->capture_default_str();
  app.add_option("--threads", config.threads,
                 "threads that run the blocks of a large launch on the emulator (default: 1)")
      ->check(CLI::Range(1, 64));
  CLI11_PARSE(app, argc, argv);
  return Run(std::move(config));
}
