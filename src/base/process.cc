#include "kw/base/process.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "kw/base/clock.h"
#include "kw/base/file.h"
#include "kw/base/text.h"

namespace kw {
namespace {

int64_t Now() { return SystemClock().MonotonicMicros(); }

// What the child needs after fork, made before it: only async-signal-safe calls follow.
struct Prepared {
  std::string program;
  std::vector<char*> argv, envp;
  std::vector<std::string> environment;
};

Result<Prepared> Prepare(const ProcessSpec& spec) {
  KW_CHECK(!spec.argv.empty(), "a process needs argv[0]");
  Prepared prepared;
  prepared.program = FindProgram(spec.argv[0]);
  if (prepared.program.empty()) {
    return Fail(ErrorCode::kNotFound, "the program '" + spec.argv[0] + "' is not there");
  }
  for (const std::string& argument : spec.argv) {
    prepared.argv.push_back(const_cast<char*>(argument.c_str()));
  }
  prepared.argv.push_back(nullptr);
  if (spec.inherit_environment) {
    for (char** entry = environ; *entry != nullptr; ++entry) prepared.environment.push_back(*entry);
  }
  for (const std::string& added : spec.environment) {
    const std::string name = added.substr(0, added.find('=') + 1);
    std::erase_if(prepared.environment,
                  [&](const std::string& entry) { return entry.starts_with(name); });
    prepared.environment.push_back(added);
  }
  for (std::string& entry : prepared.environment) prepared.envp.push_back(entry.data());
  prepared.envp.push_back(nullptr);
  return prepared;
}

void Limit(int resource, int64_t value) {
  if (value <= 0) return;
  const rlimit limit{static_cast<rlim_t>(value), static_cast<rlim_t>(value)};
  setrlimit(static_cast<__rlimit_resource>(resource), &limit);
}

// Moves the wanted descriptors to their places and closes all others.
void ArrangeDescriptors(const std::vector<std::pair<int, int>>& wanted, int report) {
  std::array<int, 32> parked{};
  int highest = report;
  for (const auto& [here, there] : wanted) highest = std::max({highest, here, there});
  for (size_t i = 0; i < wanted.size(); ++i) {
    parked[i] = fcntl(wanted[i].first, F_DUPFD, highest + 1);
  }
  const int report_parked = fcntl(report, F_DUPFD_CLOEXEC, highest + 1);
  for (size_t i = 0; i < wanted.size(); ++i) dup2(parked[i], wanted[i].second);
  int top = 2;
  for (const auto& [here, there] : wanted) top = std::max(top, there);
  const int report_final = top + 1;
  dup3(report_parked, report_final, O_CLOEXEC);
  for (int fd = 3; fd <= top; ++fd) {
    const bool named = std::any_of(wanted.begin(), wanted.end(),
                                   [&](const auto& pair) { return pair.second == fd; });
    if (!named) close(fd);
  }
  syscall(SYS_close_range, static_cast<unsigned>(report_final + 1), ~0U, 0U);
}

// The kernel ends those with the highest score first. A machine without such scores is no trouble.
void VolunteerForOutOfMemory() {
  const int score = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (score < 0) return;
  const ssize_t ignored = write(score, "1000", 4);
  static_cast<void>(ignored);
  close(score);
}

[[noreturn]] void RunChild(const ProcessSpec& spec, const Prepared& prepared,
                           std::vector<std::pair<int, int>> descriptors, int report, int parent) {
  setpgid(0, 0);
  if (spec.die_with_parent) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(127);
  }
  if (spec.expendable) VolunteerForOutOfMemory();
  struct sigaction standard {};
  standard.sa_handler = SIG_DFL;
  for (int number = 1; number < NSIG; ++number) sigaction(number, &standard, nullptr);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  const auto fail = [&] {
    const int number = errno;
    const ssize_t ignored = write(report, &number, sizeof number);
    static_cast<void>(ignored);
    _exit(127);
  };
  // Its rules are a descriptor, which does not outlive the next step.
  if (spec.confinement && !spec.confinement->Enter()) fail();
  int top = 2;
  for (const auto& [here, there] : descriptors) top = std::max(top, there);
  ArrangeDescriptors(descriptors, report);
  report = top + 1;
  if (!spec.directory.empty() && chdir(spec.directory.c_str()) != 0) fail();
  Limit(RLIMIT_CPU, spec.limits.cpu_seconds);
  Limit(RLIMIT_AS, spec.limits.memory_bytes);
  Limit(RLIMIT_FSIZE, spec.limits.file_bytes);
  const rlimit no_core{0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  if (spec.no_new_privileges && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) fail();
  if (spec.no_address_randomisation) personality(ADDR_NO_RANDOMIZE);
  execve(prepared.program.c_str(), prepared.argv.data(), prepared.envp.data());
  fail();
  _exit(127);
}

// Starts the child with descriptors 0, 1, 2 among `descriptors`; its pid, once exec succeeded.
Result<int> Spawn(const ProcessSpec& spec, std::vector<std::pair<int, int>> descriptors) {
  KW_CHECK(descriptors.size() <= 32, "at most 32 descriptors are passed");
  KW_ASSIGN(const Prepared prepared, Prepare(spec));
  int report[2];
  if (pipe2(report, O_CLOEXEC) != 0) {
    return Fail(ErrorCode::kIo, std::string("pipe: ") + std::strerror(errno));
  }
  const int parent = getpid();
  const int pid = fork();
  if (pid == 0) RunChild(spec, prepared, std::move(descriptors), report[1], parent);
  const int fork_error = errno;
  close(report[1]);
  if (pid < 0) {
    close(report[0]);
    return Fail(ErrorCode::kIo, std::string("fork: ") + std::strerror(fork_error));
  }
  setpgid(pid, pid);
  int number = 0;
  ssize_t got = 0;
  do {
    got = read(report[0], &number, sizeof number);
  } while (got < 0 && errno == EINTR);
  close(report[0]);
  if (got == sizeof number) {
    waitpid(pid, nullptr, 0);
    return Fail(number == ENOENT ? ErrorCode::kNotFound : ErrorCode::kIo,
                "cannot start '" + prepared.program + "': " + std::strerror(number));
  }
  return pid;
}

ProcessExit ExitFrom(int status, const rusage& usage, int64_t started_us) {
  ProcessExit exit;
  exit.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  exit.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  const auto micros = [](const timeval& time) { return time.tv_sec * 1'000'000 + time.tv_usec; };
  exit.cpu_us = micros(usage.ru_utime) + micros(usage.ru_stime);
  exit.wall_us = Now() - started_us;
  return exit;
}

struct Pipe {
  int read = -1, write = -1;
  ~Pipe() {
    CloseRead();
    CloseWrite();
  }
  bool Open() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return false;
    read = ends[0];
    write = ends[1];
    return true;
  }
  void CloseRead() {
    if (read >= 0) close(std::exchange(read, -1));
  }
  void CloseWrite() {
    if (write >= 0) close(std::exchange(write, -1));
  }
};

// Moves bytes between the child's pipes and `spec`/`exit` until it has closed both outputs or
// the deadline passes. True when the deadline passed.
bool Exchange(const ProcessSpec& spec, Pipe& in, Pipe& out, Pipe& err, ProcessExit& exit,
              int64_t deadline_us) {
  std::string_view left = spec.input;
  if (left.empty()) in.CloseWrite();
  if (in.write >= 0) fcntl(in.write, F_SETFL, O_NONBLOCK);
  std::array<char, 65536> buffer;
  while (out.read >= 0 || err.read >= 0) {
    std::array<pollfd, 3> polled{
        {{in.write, POLLOUT, 0}, {out.read, POLLIN, 0}, {err.read, POLLIN, 0}}};
    int wait_ms = -1;
    if (deadline_us > 0) {
      const int64_t left_us = deadline_us - Now();
      if (left_us <= 0) return true;
      wait_ms = static_cast<int>(std::min<int64_t>(left_us / 1000 + 1, 60'000));
    }
    if (poll(polled.data(), polled.size(), wait_ms) < 0 && errno != EINTR) return false;
    if (polled[0].revents != 0) {
      const ssize_t put = write(in.write, left.data(), left.size());
      if (put > 0) left.remove_prefix(static_cast<size_t>(put));
      if (left.empty() || (put < 0 && errno != EAGAIN && errno != EINTR)) in.CloseWrite();
    }
    const auto drain = [&](const pollfd& ready, Pipe& pipe, std::string& to) {
      if (ready.revents == 0) return;
      const ssize_t got = read(pipe.read, buffer.data(), buffer.size());
      if (got < 0 && errno == EINTR) return;
      if (got <= 0) return pipe.CloseRead();
      const auto room = static_cast<size_t>(spec.limits.output_bytes) - to.size();
      to.append(buffer.data(), std::min(static_cast<size_t>(got), room));
    };
    drain(polled[1], out, exit.out);
    drain(polled[2], err, exit.err);
  }
  return false;
}

}  // namespace

std::string FindProgram(std::string_view name) {
  const auto runnable = [](const std::string& path) {
    return FileExists(path) && access(path.c_str(), X_OK) == 0;
  };
  if (name.find('/') != name.npos) return runnable(std::string(name)) ? std::string(name) : "";
  const char* path = std::getenv("PATH");
  for (std::string_view folder : Split(path == nullptr ? "/usr/bin:/bin" : path, ':')) {
    std::string candidate = std::string(folder) + "/" + std::string(name);
    if (runnable(candidate)) return candidate;
  }
  return "";
}

Result<ProcessExit> RunProcess(const ProcessSpec& spec) {
  Pipe in, out, err;
  if (!in.Open() || !out.Open() || !err.Open()) {
    return Fail(ErrorCode::kIo, std::string("pipe: ") + std::strerror(errno));
  }
  const int64_t started_us = Now();
  std::vector<std::pair<int, int>> descriptors = spec.descriptors;
  descriptors.insert(descriptors.end(), {{in.read, 0}, {out.write, 1}, {err.write, 2}});
  KW_ASSIGN(const int pid, Spawn(spec, std::move(descriptors)));
  in.CloseRead();
  out.CloseWrite();
  err.CloseWrite();
  ProcessExit streams;
  const int64_t deadline_us = spec.limits.wall_ms > 0 ? started_us + spec.limits.wall_ms * 1000 : 0;
  bool timed_out = Exchange(spec, in, out, err, streams, deadline_us);
  // It may have closed its outputs and still run.
  int status = 0;
  rusage usage{};
  while (!timed_out && wait4(pid, &status, WNOHANG, &usage) == 0) {
    timed_out = deadline_us > 0 && Now() > deadline_us;
    usleep(500);
  }
  kill(-pid, SIGKILL);
  if (timed_out) {
    while (wait4(pid, &status, 0, &usage) < 0 && errno == EINTR) {
    }
  }
  ProcessExit exit = ExitFrom(status, usage, started_us);
  exit.timed_out = timed_out;
  exit.out = std::move(streams.out);
  exit.err = std::move(streams.err);
  return exit;
}

Result<Child> Child::Start(const ProcessSpec& spec) {
  Pipe in, out;
  if (!in.Open() || !out.Open()) {
    return Fail(ErrorCode::kIo, std::string("pipe: ") + std::strerror(errno));
  }
  const int null = spec.discard_stderr ? open("/dev/null", O_WRONLY | O_CLOEXEC) : -1;
  std::vector<std::pair<int, int>> descriptors = spec.descriptors;
  descriptors.insert(descriptors.end(), {{in.read, 0}, {out.write, 1}});
  descriptors.emplace_back(null >= 0 ? null : STDERR_FILENO, 2);
  const int64_t started_us = Now();
  Result<int> pid = Spawn(spec, std::move(descriptors));
  if (null >= 0) close(null);
  if (!pid) return Fail(std::move(pid).error());
  Child child;
  child.pid_ = *pid;
  child.in_ = std::exchange(in.write, -1);
  child.out_ = std::exchange(out.read, -1);
  child.started_us_ = started_us;
  return child;
}

Child::Child(Child&& other) noexcept { *this = std::move(other); }

Child& Child::operator=(Child&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(in_, other.in_);
  std::swap(out_, other.out_);
  std::swap(started_us_, other.started_us_);
  std::swap(exit_, other.exit_);
  return *this;
}

Child::~Child() {
  CloseIn();
  if (out_ >= 0) close(out_);
  if (pid_ > 0 && !exit_) {
    Kill();
    Wait(-1);
  }
}

void Child::CloseIn() {
  if (in_ >= 0) close(std::exchange(in_, -1));
}

std::optional<ProcessExit> Child::Wait(int64_t timeout_ms) {
  if (exit_ || pid_ <= 0) return exit_;
  const int64_t deadline_us = Now() + timeout_ms * 1000;
  while (true) {
    int status = 0;
    rusage usage{};
    const int got = wait4(pid_, &status, timeout_ms < 0 ? 0 : WNOHANG, &usage);
    if (got == pid_) {
      kill(-pid_, SIGKILL);  // what it left behind in its group
      exit_ = ExitFrom(status, usage, started_us_);
      return exit_;
    }
    if (got < 0 && errno != EINTR) return std::nullopt;
    if (timeout_ms >= 0 && Now() >= deadline_us) return std::nullopt;
    if (timeout_ms >= 0) usleep(500);
  }
}

void Child::Kill() {
  if (pid_ > 0 && !exit_) kill(-pid_, SIGKILL);
}

void IgnoreBrokenPipes() { signal(SIGPIPE, SIG_IGN); }

Result<void> WriteAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t put = write(fd, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) {
      return Fail(ErrorCode::kIo,
                  std::string("the other side is gone: write: ") + std::strerror(errno));
    }
    bytes.remove_prefix(static_cast<size_t>(put));
  }
  return {};
}

Result<std::optional<std::string>> LineReader::Next(int64_t timeout_ms) {
  const int64_t deadline_us = Now() + timeout_ms * 1000;
  std::array<char, 65536> chunk;
  while (true) {
    const size_t end = buffer_.find('\n', scanned_);
    if (end != buffer_.npos && end <= max_bytes_) {
      std::string line = buffer_.substr(0, end);
      buffer_.erase(0, end + 1);
      scanned_ = 0;
      return line;
    }
    scanned_ = buffer_.size();
    if (buffer_.size() > max_bytes_) {
      return Fail(ErrorCode::kLimit,
                  "a line is longer than " + std::to_string(max_bytes_) + " bytes");
    }
    pollfd polled{fd_, POLLIN, 0};
    int wait_ms = -1;
    if (timeout_ms >= 0) {
      const int64_t left_us = std::max<int64_t>(0, deadline_us - Now());
      wait_ms = static_cast<int>(std::min<int64_t>((left_us + 999) / 1000, 60'000));
    }
    const int ready = poll(&polled, 1, wait_ms);
    if (ready < 0 && errno == EINTR) continue;
    if (ready == 0 && Now() < deadline_us) continue;
    if (ready == 0) return Fail(ErrorCode::kTimeout, "no line came in time");
    const ssize_t got = read(fd_, chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Fail(ErrorCode::kIo, std::string("read: ") + std::strerror(errno));
    if (got == 0) return std::optional<std::string>();
    buffer_.append(chunk.data(), static_cast<size_t>(got));
  }
}

int ProcessorCount() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return 1;
  return std::max(1, CPU_COUNT(&allowed));
}

}  // namespace kw
