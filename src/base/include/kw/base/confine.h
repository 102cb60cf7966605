// Rights that a process gives up for good, before it touches what a stranger wrote. Each layer is
// the kernel's; a kernel may lack some of them. docs/design/sandbox.md says what each denies.
//
//   if (const char* hole = GiveUpRights()) ... the process must not go on: a required layer failed
//
//   auto rules = Confinement::Make({.read = {"/usr"}, .write = {scratch}});
//   RunProcess({.argv = {"g++", ...}, .confinement = rules});   // a program of others
//
// Nothing here throws or needs another room: the guest, which links no library of ours, compiles
// this file by itself.
#pragma once

#include <fcntl.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace kw {

// One layer, tried in a child of this process.
struct CageLayer {
  std::string name;       // "landlock"
  bool required = false;  // without it no process of a stranger runs
  bool active = false;
  std::string why;  // what it denies; when it is not active: why not, and what is open then
};

// All layers in the order in which they are taken. Starts short-lived children.
[[nodiscard]] std::vector<CageLayer> ProbeLayers();

// The version of Landlock that the kernel has; 0: none.
[[nodiscard]] int LandlockVersion();

// A resource limit (RLIMIT_...) of the calling process, soft and hard.
[[nodiscard]] bool LimitTo(int resource, uint64_t value);

// openat() with any of these flags writes or makes a file: for lists that let the loader read.
inline constexpr uint64_t kWritingFlags =
    O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | (O_TMPFILE & ~O_DIRECTORY);

// The calling process, for ever: no new privileges, no files at all (Landlock), a network and IPC
// of its own with nothing in it (namespaces), another user where it is root, no capabilities. Asks
// for one thread. Returns the required layer that could not be had, or nullptr; an optional one
// that the kernel does not have is left out, which ProbeLayers tells.
// Descriptors that are open stay so, and /proc/self/fd/N opens a memory file still.
[[nodiscard]] const char* GiveUpRights();

// Loads the libraries that a stranger's object may name, before files are out of reach: the loader
// then finds them by their sonames. What is not there is missed when an object asks for it.
void LoadStandardLibraries();

// On top of a list of system calls that holds openat, newfstatat and seccomp for the loader's sake:
// none of them any more. nullptr, or what could not be had.
[[nodiscard]] const char* ForbidOpening();

// What a program of others may do: read and run what lies in `read`, change what lies in `write`,
// reach no network, look into no other process. Prepared before fork, entered between fork and
// exec. Immutable; shared by threads.
class Confinement {
 public:
  struct Files {
    std::vector<std::string> read;   // files, or folders and all in them; what is not there is
    std::vector<std::string> write;  // left out
  };
  // Where the kernel has no Landlock, files are not confined.
  static std::shared_ptr<const Confinement> Make(const Files& files);
  ~Confinement();
  Confinement(const Confinement&) = delete;
  Confinement& operator=(const Confinement&) = delete;

  bool confines_files() const { return ruleset_ >= 0; }
  // For the child of fork: async-signal-safe. False, with errno, when it must not go on.
  bool Enter() const;

 private:
  explicit Confinement(int ruleset) : ruleset_(ruleset) {}
  int ruleset_;
};

}  // namespace kw
