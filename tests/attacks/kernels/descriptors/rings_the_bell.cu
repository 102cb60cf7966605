// attack: descriptors: floods the doorbell with the largest numbers
// task: leaky_relu
// expect: INCORRECT_NUMERICAL, REJECTED, RUNTIME_ERROR output_not_written|protocol|SIGXFSZ
#include <cstdint>
#include <unistd.h>

__global__ void unused() {}
extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  for (uint64_t rings : {1ull, 0xffffffffull, 7ull, 1ull}) {
    for (int fd = 3; fd < 16; ++fd) {
      if (fd != 5 && write(fd, &rings, sizeof rings) < 0) continue;
    }
  }
}
