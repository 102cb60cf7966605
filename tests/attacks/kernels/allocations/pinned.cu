// attack: allocations: pins and registers host memory without end
// task: leaky_relu
// expect: RUNTIME_ERROR, TIMEOUT, INCORRECT_NUMERICAL host_crash|host_cpu|output_not_written
#include <cstdint>
#include <cstring>

__global__ void unused() {}
extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  void* piece = nullptr;
  while (cudaMallocHost(&piece, 256 << 20) == cudaSuccess) memset(piece, 1, 4096);
  *(volatile int*)nullptr = 1;
}
