// attack: clock: the kernel reads the clock and stops when its time is up
// task: leaky_relu
// expect: INCORRECT_NUMERICAL numerical|output_not_written
#include <cstdint>

__global__ void hurried(const float* x, float slope, float* y, int64_t n) {
  const long long start = clock64();
  for (int64_t i = threadIdx.x; i < n; i += blockDim.x) {
    if (clock64() - start > 3000) return;
    y[i] = x[i] >= 0.0f ? x[i] : slope * x[i];
  }
}
extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  hurried<<<1, 256, 0, stream>>>(x, slope, y, n);
}
