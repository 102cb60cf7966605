// attack: allocations: takes and touches all the host memory it can get
// task: leaky_relu
// expect: RUNTIME_ERROR, TIMEOUT host_crash|host_cpu
#include <cstdint>
#include <cstdlib>

__global__ void unused() {}
extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  for (;;) {
    char* piece = (char*)malloc(64 << 20);
    for (int64_t i = 0; i < 64 << 20; i += 4096) piece[i] = 1;
  }
}
