// attack: device: lets the kernel read the host's memory
// task: leaky_relu
// expect: RUNTIME_ERROR, UNSUPPORTED host_pointer|illegal_address|out_of_bounds|unsupported
#include <cstdint>

__global__ void reads(const float* from, float* y, int64_t n) {
  const int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = from[i];
}
extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  static float secret[1 << 20];
  reads<<<(unsigned)((n + 255) / 256), 256, 0, stream>>>(secret, y, n);
}
