// attack: processes: replaces itself by another program
// task: leaky_relu
// expect: INCORRECT_NUMERICAL output_not_written
#include <cstdint>
#include <unistd.h>

__global__ void unused() {}
extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  char* const arguments[] = {(char*)"true", nullptr};
  execv("/bin/true", arguments);
  execv("/proc/self/exe", arguments);
}
