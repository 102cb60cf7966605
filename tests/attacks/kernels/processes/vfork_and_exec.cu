// attack: processes: starts a shell
// task: leaky_relu
// expect: INCORRECT_NUMERICAL output_not_written
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <unistd.h>

__global__ void unused() {}
extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  char* const arguments[] = {(char*)"sh", (char*)"-c", (char*)"touch /tmp/kwright-was-here", nullptr};
  if (vfork() == 0) {
    execv("/bin/sh", arguments);
    _exit(1);
  }
  if (system("touch /tmp/kwright-was-here") == 0 || popen("id", "r")) return;
}
