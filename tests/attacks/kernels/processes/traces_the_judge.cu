// attack: processes: attaches to its parent and its siblings with ptrace
// task: leaky_relu
// expect: INCORRECT_NUMERICAL output_not_written
#include <cstdint>
#include <sys/ptrace.h>
#include <unistd.h>

__global__ void unused() {}
extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  const int self = getpid();
  for (int pid = self - 30; pid < self + 30; ++pid) {
    if (pid == self || pid <= 1) continue;
    if (ptrace(PTRACE_SEIZE, pid, nullptr, nullptr) == 0) ptrace(PTRACE_INTERRUPT, pid, 0, 0);
    if (ptrace(PTRACE_ATTACH, pid, nullptr, nullptr) == 0) ptrace(PTRACE_KILL, pid, 0, 0);
  }
  ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
}
