// attack: device: reads device memory at made-up addresses, where another process could be
// task: leaky_relu
// expect: RUNTIME_ERROR out_of_bounds|illegal_address|host_pointer|use_after_free
#include <cstdint>

__global__ void elsewhere(float* y, int64_t n, uint64_t base) {
  const int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = *(volatile float*)(base + i * 4096);
}
extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  elsewhere<<<(unsigned)((n + 255) / 256), 256, 0, stream>>>(y, n, 0x7f0000000000ull);
}
