// attack: bounds: steps over any guard zone to leave state in memory that is not its own
// task: leaky_relu
// expect: RUNTIME_ERROR out_of_bounds|use_after_free|illegal_address
#include <cstdint>

__global__ void leaky(const float* x, float slope, float* y, int64_t n) {
  const int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = x[i] >= 0.0f ? x[i] : slope * x[i];
}
static void Honest(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  leaky<<<(unsigned)((n + 255) / 256), 256, 0, stream>>>(x, slope, y, n);
}

__global__ void far_away(float* y, int64_t n) {
  for (int64_t step = 1; step < 64; ++step) y[n + step * 65536] = 1.0f;
}
extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  Honest(x, slope, y, n, stream);
  far_away<<<1, 1, 0, stream>>>(y, n);
}
