#include "cage.h"

#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "kw/base/confine.h"
#include "ring.h"

namespace kw::eval {
namespace {

// Far above what the calls of a whole verdict may use together: the worker watches each call.
constexpr uint64_t kGuestCpuSeconds = 3600;

volatile uint64_t* g_crash_address = nullptr;
volatile uint32_t* g_crash_signal = nullptr;

void OnCrash(int signal, siginfo_t* info, void*) {
  *g_crash_address = reinterpret_cast<uint64_t>(info->si_addr);
  *g_crash_signal = static_cast<uint32_t>(signal);
  // The handler is reset: the instruction faults again and ends the process.
}

// What a single-threaded computation may ask of the kernel; all else answers EPERM.
constexpr int kAllowed[] = {
    SCMP_SYS(read),
    SCMP_SYS(write),
    SCMP_SYS(close),
    SCMP_SYS(recvfrom),
    SCMP_SYS(sendto),
    SCMP_SYS(futex),
    SCMP_SYS(mmap),
    SCMP_SYS(munmap),
    SCMP_SYS(mprotect),
    SCMP_SYS(mremap),
    SCMP_SYS(madvise),
    SCMP_SYS(brk),
    SCMP_SYS(fstat),
    SCMP_SYS(lseek),
    SCMP_SYS(pread64),
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(sigaltstack),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(time),
    SCMP_SYS(clock_getres),
    SCMP_SYS(nanosleep),
    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(restart_syscall),
    SCMP_SYS(sched_yield),
    SCMP_SYS(sched_getaffinity),
    SCMP_SYS(getpid),
    SCMP_SYS(gettid),
    SCMP_SYS(getuid),
    SCMP_SYS(geteuid),
    SCMP_SYS(getgid),
    SCMP_SYS(getegid),
    SCMP_SYS(getrusage),
    SCMP_SYS(times),
    SCMP_SYS(sysinfo),
    SCMP_SYS(uname),
    SCMP_SYS(getrandom),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
    SCMP_SYS(set_robust_list),
    SCMP_SYS(rseq),
    SCMP_SYS(membarrier),
    SCMP_SYS(poll),
};

bool AddRules(scmp_filter_ctx filter, Calls calls) {
  for (int call : kAllowed) {
    if (seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 0) != 0) return false;
  }
  // abort() raises its signal at its own process.
  auto self = static_cast<scmp_datum_t>(getpid());
  bool added = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
                                SCMP_A0(SCMP_CMP_EQ, self)) == 0;
  if (calls == Calls::kComputing) {
    added &= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
                              SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD)) == 0;
  } else {
    // For the loader: opening to read, which ForbidOpening ends.
    added &= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1,
                              SCMP_A2(SCMP_CMP_MASKED_EQ, kWritingFlags, 0)) == 0;
    added &= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(seccomp), 0) == 0;
  }
  // The size of an open file: fstat() is this call too. ForbidOpening ends it for the guest.
  added &= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(newfstatat), 0) == 0;
  // A library that sees ENOSYS falls back to clone, whose flags can be seen.
  added &= seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0) == 0;
  return added;
}

}  // namespace

const char* CageGuest(int first_unused, int64_t memory_bytes, bool is_program) {
  int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null < 0) return "/dev/null";
  for (int standard : {0, 1, 2}) {
    if (is_program && standard != 0) continue;
    if (dup2(null, standard) < 0) return "the standard streams";
  }
  if (close_range(static_cast<unsigned>(first_unused), ~0u, 0) != 0) return "closing descriptors";
  LoadStandardLibraries();
  void* range = mmap(reinterpret_cast<void*>(ring::kDeviceBase), ring::kDeviceBytes, PROT_NONE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
  if (range != reinterpret_cast<void*>(ring::kDeviceBase)) return "the device's addresses";
  if (!LimitTo(RLIMIT_AS, ring::kDeviceBytes + static_cast<uint64_t>(memory_bytes)) ||
      !LimitTo(RLIMIT_DATA, static_cast<uint64_t>(memory_bytes)) ||
      !LimitTo(RLIMIT_CPU, kGuestCpuSeconds) || !LimitTo(RLIMIT_NPROC, 0) ||
      !LimitTo(RLIMIT_CORE, 0) || !LimitTo(RLIMIT_FSIZE, 0) || !LimitTo(RLIMIT_NOFILE, 64) ||
      !LimitTo(RLIMIT_MEMLOCK, 0) || !LimitTo(RLIMIT_MSGQUEUE, 0)) {
    return "the limits";
  }
  return GiveUpRights();
}

const char* CageEmulator() {
  if (!LimitTo(RLIMIT_CORE, 0) || !LimitTo(RLIMIT_FSIZE, 0) || !LimitTo(RLIMIT_MSGQUEUE, 0)) {
    return "the limits";
  }
  return GiveUpRights();
}

void NoteCrashes(volatile uint64_t* address, volatile uint32_t* signal) {
  g_crash_address = address;
  g_crash_signal = signal;
  static char stack[16 << 10];
  stack_t alternate{};
  alternate.ss_sp = stack;
  alternate.ss_size = sizeof stack;
  sigaltstack(&alternate, nullptr);
  struct sigaction action {};
  action.sa_sigaction = OnCrash;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESETHAND;
  for (int crash : {SIGSEGV, SIGBUS, SIGFPE, SIGILL}) sigaction(crash, &action, nullptr);
}

const char* ForbidSystemCalls(Calls calls) {
  scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
  if (!filter) return "seccomp";
  bool loaded = AddRules(filter, calls) && seccomp_load(filter) == 0;
  seccomp_release(filter);
  return loaded ? nullptr : "the system call filter";
}

}  // namespace kw::eval
