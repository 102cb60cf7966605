#include "kw/base/confine.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>

namespace kw {
namespace {

// Landlock's interface as of version 7: the header of an older system knows less of it than the
// kernel, which says by its version how much of this it takes.
struct LandlockRuleset {
  uint64_t files, network, scoped;
};
struct LandlockPath {
  uint64_t allowed;
  int32_t parent;
} __attribute__((packed));
constexpr uint64_t kExecute = 1 << 0, kWriteFile = 1 << 1, kReadFile = 1 << 2, kReadFolder = 1 << 3,
                   kTruncate = 1 << 14, kDeviceControl = 1 << 15;
constexpr uint64_t kReading = kExecute | kReadFile | kReadFolder;
constexpr uint64_t kOfOneFile = kExecute | kWriteFile | kReadFile | kTruncate | kDeviceControl;
constexpr uint64_t kAllNetwork = 3, kAllScopes = 3;
constexpr int kVersionFlag = 1, kPathRule = 1;
constexpr int kSysCreate = 444, kSysAddRule = 445, kSysRestrict = 446;
constexpr uid_t kNobody = 65534;

uint64_t FileRights(int version) {
  if (version >= 5) return (1 << 16) - 1;
  if (version >= 3) return (1 << 15) - 1;
  return version == 2 ? (1 << 14) - 1 : (1 << 13) - 1;
}

// A ruleset that allows nothing yet, or -1.
int NewRuleset(int version) {
  if (version <= 0) return -1;
  LandlockRuleset rules{FileRights(version), version >= 4 ? kAllNetwork : 0,
                        version >= 6 ? kAllScopes : 0};
  const size_t known = version >= 6 ? 24 : version >= 4 ? 16 : 8;
  return static_cast<int>(syscall(kSysCreate, &rules, known, 0));
}

void AllowPath(int ruleset, const std::string& path, uint64_t rights) {
  const int fd = open(path.c_str(), O_PATH | O_CLOEXEC);
  if (fd < 0) return;
  struct stat status;
  if (fstat(fd, &status) == 0) {
    LandlockPath rule{S_ISDIR(status.st_mode) ? rights : rights & kOfOneFile, fd};
    syscall(kSysAddRule, ruleset, kPathRule, &rule, 0);
  }
  close(fd);
}

bool ForbidNewPrivileges() { return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0; }

bool ForbidFiles() {
  const int ruleset = NewRuleset(LandlockVersion());
  if (ruleset < 0) return false;
  const bool done = syscall(kSysRestrict, ruleset, 0) == 0;
  const int number = errno;
  close(ruleset);
  errno = number;
  return done;
}

// With a user namespace where the user may make no other without one.
bool LeaveNetwork() {
  constexpr int kOwn = CLONE_NEWNET | CLONE_NEWIPC;
  return unshare(kOwn) == 0 || unshare(CLONE_NEWUSER | kOwn) == 0;
}

bool HasCapabilities(std::initializer_list<int> wanted) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  if (syscall(SYS_capget, &header, data) != 0) return false;
  for (const int capability : wanted) {
    if ((data[capability / 32].effective >> (capability % 32) & 1) == 0) return false;
  }
  return true;
}

// Only where the parent, which has the same capabilities, can still end a process of that user.
bool BecomeNobody() {
  if (!HasCapabilities({CAP_SETUID, CAP_SETGID, CAP_KILL})) {
    errno = EPERM;
    return false;
  }
  int at_parents_end = 0;
  prctl(PR_GET_PDEATHSIG, &at_parents_end);
  const pid_t parent = getppid();
  if (setgroups(0, nullptr) != 0 || setresgid(kNobody, kNobody, kNobody) != 0 ||
      setresuid(kNobody, kNobody, kNobody) != 0) {
    return false;
  }
  // The change of user took it away.
  if (at_parents_end != 0) {
    prctl(PR_SET_PDEATHSIG, at_parents_end);
    if (getppid() != parent) _exit(127);
  }
  return true;
}

bool DropCapabilities() {
  for (int capability = 0; capability <= CAP_LAST_CAP; ++capability) {
    prctl(PR_CAPBSET_DROP, capability);  // refused where there is none to drop
  }
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct none[2] = {};
  return syscall(SYS_capset, &header, none) == 0;
}

// What no compiler needs: the network, other processes, the kernel's own doors. All else is
// allowed: the program is not hostile, only what it reads is.
constexpr uint32_t kRefused[] = {SYS_socket,
                                 SYS_socketpair,
                                 SYS_connect,
                                 SYS_bind,
                                 SYS_ptrace,
                                 SYS_bpf,
                                 SYS_keyctl,
                                 SYS_add_key,
                                 SYS_request_key,
                                 SYS_mount,
                                 SYS_umount2,
                                 SYS_unshare,
                                 SYS_setns,
                                 SYS_pivot_root,
                                 SYS_chroot,
                                 SYS_perf_event_open,
                                 SYS_process_vm_readv,
                                 SYS_init_module,
                                 SYS_finit_module,
                                 SYS_process_vm_writev,
                                 SYS_kexec_load,
                                 SYS_reboot,
                                 SYS_io_uring_setup,
                                 SYS_userfaultfd};

bool RefuseSystemCalls() {
  constexpr size_t kCount = std::size(kRefused);
  constexpr uint32_t kX32 = 0x40000000;
  sock_filter program[kCount + 7];
  size_t length = 0;
  const auto add = [&](uint16_t code, uint32_t value, uint8_t yes = 0, uint8_t no = 0) {
    program[length++] = sock_filter{code, yes, no, value};
  };
  constexpr uint16_t kLoad = BPF_LD | BPF_W | BPF_ABS, kEqual = BPF_JMP | BPF_JEQ | BPF_K,
                     kAtLeast = BPF_JMP | BPF_JGE | BPF_K, kReturn = BPF_RET | BPF_K;
  add(kLoad, offsetof(seccomp_data, arch));
  add(kEqual, AUDIT_ARCH_X86_64, 1, 0);
  add(kReturn, SECCOMP_RET_KILL_PROCESS);
  add(kLoad, offsetof(seccomp_data, nr));
  add(kAtLeast, kX32, static_cast<uint8_t>(kCount + 1), 0);
  for (size_t i = 0; i < kCount; ++i) {
    add(kEqual, kRefused[i], static_cast<uint8_t>(kCount - i), 0);
  }
  add(kReturn, SECCOMP_RET_ALLOW);
  add(kReturn, SECCOMP_RET_ERRNO | EPERM);
  const sock_fprog filter{static_cast<uint16_t>(length), program};
  return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0) == 0;
}

// 0 when a child of this process can do it, or the errno of its refusal.
int Try(bool (*step)()) {
  const pid_t child = fork();
  if (child == 0) {
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    errno = ENOSYS;
    _exit(step() ? 0 : errno);
  }
  int status = 0;
  if (child < 0) return errno;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
}

struct LayerText {
  const char* name;
  bool required;
  bool (*step)();
  const char* denies;
  const char* missing;
};

constexpr LayerText kLayers[] = {
    {"no_new_privs", true, ForbidNewPrivileges, "no program gives a guest more rights than it has",
     "nothing of a stranger can run"},
    {"limits", true, [] { return LimitTo(RLIMIT_CORE, 0); },
     "memory, CPU time, file size and core dumps are bounded", "nothing of a stranger can run"},
    {"landlock", false, ForbidFiles,
     "guests and references open no file, compilers only the toolkit, the system's headers and "
     "their scratch folder",
     "while it is loaded a candidate's object can read files of this user, and what compilers read "
     "is checked after they have read it (Linux 5.13 or newer with landlock among its lsm= has "
     "it)"},
    {"network", false, LeaveNetwork,
     "guests have a network and an IPC namespace of their own with nothing in it",
     "the system call filter alone keeps guests off the network (user namespaces may be switched "
     "off: sysctl user.max_user_namespaces)"},
    {"user", false, BecomeNobody, "guests run as nobody, not as root",
     "guests run as this user, without capabilities (only root can change that)"},
    {"capabilities", true, DropCapabilities, "guests hold no capability, even those of root",
     "nothing of a stranger can run"},
    {"seccomp", true, RefuseSystemCalls,
     "guests have the system calls of a computation and no others: no process, thread, socket, "
     "signal, path",
     "nothing of a stranger can run"},
};

}  // namespace

bool LimitTo(int resource, uint64_t value) {
  const rlimit limit{value, value};
  return setrlimit(static_cast<__rlimit_resource>(resource), &limit) == 0;
}

int LandlockVersion() {
  const long version = syscall(kSysCreate, nullptr, 0, kVersionFlag);
  return version > 0 ? static_cast<int>(version) : 0;
}

std::vector<CageLayer> ProbeLayers() {
  std::vector<CageLayer> layers;
  for (const LayerText& text : kLayers) {
    const int error = Try(text.step);
    CageLayer layer{text.name, text.required, error == 0, text.denies};
    if (error == 0 && layer.name == "landlock") {
      layer.why = "version " + std::to_string(LandlockVersion()) + ": " + layer.why;
    }
    if (error != 0) layer.why = std::string(std::strerror(error)) + ": " + text.missing;
    layers.push_back(std::move(layer));
  }
  return layers;
}

const char* GiveUpRights() {
  if (!ForbidNewPrivileges()) return "no_new_privs";
  // What is optional: a kernel that lacks it is reported by ProbeLayers.
  (void)LeaveNetwork();
  (void)ForbidFiles();
  (void)BecomeNobody();
  return DropCapabilities() ? nullptr : "the capabilities";
}

void LoadStandardLibraries() {
  for (const char* name : {"libm.so.6", "libdl.so.2", "librt.so.1", "libpthread.so.0",
                           "libgcc_s.so.1", "libstdc++.so.6"}) {
    dlopen(name, RTLD_NOW | RTLD_LOCAL);
  }
}

const char* ForbidOpening() {
  constexpr uint16_t kEqual = BPF_JMP | BPF_JEQ | BPF_K;
  // The list below this filter has seen to the architecture.
  sock_filter program[] = {
      {BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(seccomp_data, nr)},
      {kEqual, 3, 0, SYS_openat},
      {kEqual, 2, 0, SYS_newfstatat},
      {kEqual, 1, 0, SYS_seccomp},
      {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW},
      {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | EPERM},
  };
  const sock_fprog filter{static_cast<uint16_t>(std::size(program)), program};
  return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) == 0 ? nullptr
                                                                        : "the second filter";
}

std::shared_ptr<const Confinement> Confinement::Make(const Files& files) {
  const int version = LandlockVersion();
  const int ruleset = NewRuleset(version);
  if (ruleset >= 0) {
    for (const std::string& path : files.read) AllowPath(ruleset, path, kReading);
    for (const std::string& path : files.write) AllowPath(ruleset, path, FileRights(version));
    fcntl(ruleset, F_SETFD, FD_CLOEXEC);
  }
  return std::shared_ptr<const Confinement>(new Confinement(ruleset));
}

Confinement::~Confinement() {
  if (ruleset_ >= 0) close(ruleset_);
}

bool Confinement::Enter() const {
  if (!ForbidNewPrivileges()) return false;
  if (ruleset_ >= 0 && syscall(kSysRestrict, ruleset_, 0) != 0) return false;
  return RefuseSystemCalls();
}

}  // namespace kw
