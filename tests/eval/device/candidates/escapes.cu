// Tries to get out, once while it is being loaded and once in `run`: y[0] and y[1] say which of the
// attempts below got something, one bit each.
#include <cuda_runtime.h>
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>
#include <cstdint>
#include <cstdlib>

static uint32_t Attempts() {
  uint32_t got = 0;
  int bit = 0;
  auto tried = [&](bool success) { got |= uint32_t{success} << bit++; };
  struct stat status;
  char text[256];
  tried(open("/etc/passwd", O_RDONLY) >= 0);                      // 0
  tried(open("/proc/self/maps", O_RDONLY) >= 0);                  // 1
  tried(open("/proc/self/fd/3", O_RDONLY) >= 0);                  // 2
  tried(open("/dev/null", O_RDONLY) >= 0);                        // 3
  tried(open("/tmp/kwright-escape", O_CREAT | O_WRONLY, 0600) >= 0);  // 4
  tried(stat("/etc/passwd", &status) == 0);                       // 5
  tried(syscall(SYS_stat, "/etc", &status) == 0);                 // 6
  tried(access("/etc/passwd", R_OK) == 0);                        // 7
  tried(readlink("/proc/self/exe", text, sizeof text) > 0);       // 8
  tried(getcwd(text, sizeof text) != nullptr);                    // 9
  tried(opendir("/") != nullptr);                                 // 10
  tried(chdir("/") == 0);                                         // 11
  tried(syscall(SYS_open, "/etc/passwd", O_RDONLY) >= 0);         // 12
  tried(syscall(SYS_memfd_create, "x", 0) >= 0);                  // 13
  tried(socket(AF_UNIX, SOCK_STREAM, 0) >= 0);                    // 14
  tried(syscall(SYS_fork) >= 0);                                  // 15
  tried(syscall(SYS_vfork) >= 0);                                 // 16
  tried(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0) >= 0);            // 17
  tried(kill(getppid(), 0) == 0 || kill(-1, 0) == 0);             // 18
  tried(ptrace(PTRACE_TRACEME, 0, 0, 0) == 0);                    // 19
  tried(unshare(CLONE_NEWUSER) == 0);                             // 20
  tried(setuid(0) == 0);                                          // 21
  tried(syscall(SYS_io_uring_setup, 1, text) >= 0);               // 22
  tried(syscall(SYS_bpf, 0, text, 64) >= 0);                      // 23
  tried(inotify_init() >= 0);                                     // 24
  iovec mine{text, 8}, theirs{reinterpret_cast<void*>(0x400000), 8};
  tried(process_vm_readv(getppid(), &mine, 1, &theirs, 1, 0) >= 0);  // 25
  tried(syscall(SYS_execve, "/bin/sh", nullptr, nullptr) == 0);   // 26
  tried(prctl(PR_SET_DUMPABLE, 1) == 0);                          // 27
  tried(getenv("PATH") != nullptr || getenv("HOME") != nullptr);  // 28
  int open_descriptors = 0;
  for (int fd = 6; fd < 1024; ++fd) open_descriptors += dup(fd) >= 0 || fstat(fd, &status) == 0;
  tried(open_descriptors > 0);                                    // 29
  tried(getuid() == 0 || getgid() == 0);                          // 30
  return got;
}

static uint32_t while_loading = ~0u;
__attribute__((constructor(101))) static void Early() { while_loading = Attempts(); }

__global__ void tell(float* y, int64_t n, float loading_low, float loading_high, float running_low,
                     float running_high) {
  int64_t i = blockIdx.x * 128ll + threadIdx.x;
  const float told[] = {loading_low, loading_high, running_low, running_high};
  if (i < n) y[i] = i < 4 ? told[i] : 0.0f;
}

extern "C" void run(const float* x, float* y, int64_t n, int64_t, cudaStream_t s) {
  const uint32_t running = Attempts();
  tell<<<(n + 127) / 128, 128, 0, s>>>(y, n, while_loading & 0xffff, while_loading >> 16,
                                       running & 0xffff, running >> 16);
}
