// attack: allocations: takes all the host memory it can get
// task: leaky_relu
// expect: RUNTIME_ERROR, TIMEOUT host_crash|host_cpu
#include <cstdint>
#include <cstdlib>

__global__ void unused() {}
extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  for (;;) {
    char* piece = (char*)malloc(64 << 20);
    piece[0] = 1;
  }
}
