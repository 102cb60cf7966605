// Child processes with limits: compilers, workers, guests.
//
//   ProcessSpec spec{.argv = {"nvcc", "-shared", "k.cu"}, .limits = {.cpu_seconds = 60}};
//   KW_ASSIGN(ProcessExit exit, RunProcess(spec));     // a failing compiler is no error
//   if (exit.code != 0) ... exit.err ...
//
// Every child leads a process group of its own and is killed as a group; it inherits no
// descriptors but those named, default signal dispositions, and only the environment given.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kw/base/confine.h"
#include "kw/base/error.h"

namespace kw {

struct ProcessLimits {
  int64_t cpu_seconds = 0;         // RLIMIT_CPU; 0: none
  int64_t wall_ms = 0;             // killed after this; 0: none
  int64_t memory_bytes = 0;        // RLIMIT_AS; 0: none
  int64_t file_bytes = 0;          // RLIMIT_FSIZE; 0: none
  int64_t output_bytes = 1 << 20;  // stdout and stderr are each kept up to here, then dropped
};

struct ProcessSpec {
  std::vector<std::string> argv;  // argv[0] is looked up in $PATH unless it holds a '/'
  bool inherit_environment = false;
  std::vector<std::string> environment;  // "NAME=value", added to (or instead of) the inherited
  std::string directory;                 // working directory; empty: inherited
  std::string input;                     // RunProcess: given on stdin
  std::vector<std::pair<int, int>> descriptors;  // (here, there), besides 0, 1 and 2
  bool no_new_privileges = false;                // prctl(PR_SET_NO_NEW_PRIVS)
  bool no_address_randomisation = false;
  bool die_with_parent = false;                    // SIGKILL when the thread that started it ends
  bool expendable = false;                         // the first to go when memory runs out
  bool discard_stderr = false;                     // to /dev/null instead of inherited (Child only)
  std::shared_ptr<const Confinement> confinement;  // nullptr: the files of this user
  ProcessLimits limits;
};

struct ProcessExit {
  int code = -1;           // exit status, or -1 when a signal ended it
  int signal = 0;          // the signal that ended it, or 0
  bool timed_out = false;  // the wall limit ended it
  std::string out, err;    // RunProcess only
  int64_t cpu_us = 0;      // user + system, of the child and what it waited for
  int64_t wall_us = 0;
  bool ok() const { return code == 0; }
};

// Runs to its end. An error only when it could not be started (kNotFound, kIo).
[[nodiscard]] Result<ProcessExit> RunProcess(const ProcessSpec& spec);

// A child that talks: stdin and stdout are pipes here, stderr is inherited or dropped.
// Move-only; the destructor kills the whole group and reaps it.
class Child {
 public:
  static Result<Child> Start(const ProcessSpec& spec);
  Child(Child&& other) noexcept;
  Child& operator=(Child&& other) noexcept;
  ~Child();

  int pid() const { return pid_; }
  int in() const { return in_; }    // write end of its stdin
  int out() const { return out_; }  // read end of its stdout
  void CloseIn();
  // Waits at most timeout_ms (negative: for ever); nothing when it still runs.
  std::optional<ProcessExit> Wait(int64_t timeout_ms);
  void Kill();  // SIGKILL to the group; Wait still works

 private:
  Child() = default;
  int pid_ = -1, in_ = -1, out_ = -1;
  int64_t started_us_ = 0;
  std::optional<ProcessExit> exit_;
};

// Writes all of it (kIo when the other side is gone; never raises SIGPIPE on a socket or pipe
// once IgnoreBrokenPipes was called, which every program does first thing).
[[nodiscard]] Result<void> WriteAll(int fd, std::string_view bytes);
void IgnoreBrokenPipes();

// Reads lines of at most max_bytes from a descriptor.
class LineReader {
 public:
  explicit LineReader(int fd, size_t max_bytes = 1 << 20) : fd_(fd), max_bytes_(max_bytes) {}
  // The next line without its end; nothing at the end of input. kTimeout, kLimit, kIo.
  [[nodiscard]] Result<std::optional<std::string>> Next(int64_t timeout_ms = -1);

 private:
  int fd_;
  size_t max_bytes_;
  std::string buffer_;
  size_t scanned_ = 0;
};

// The file of a program: argv[0] looked up in $PATH, or "" when there is none.
std::string FindProgram(std::string_view name);

// The processors that this process may run on, at least 1.
int ProcessorCount();

}  // namespace kw
