// attack: bounds: writes whole blocks of 256, past the end of the output
// task: leaky_relu
// expect: RUNTIME_ERROR out_of_bounds
#include <cstdint>

__global__ void whole(const float* x, float slope, float* y, int64_t n) {
  const int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  const float value = i < n ? x[i] : 0.0f;
  y[i] = value >= 0.0f ? value : slope * value;
}
extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  whole<<<(unsigned)((n + 255) / 256), 256, 0, stream>>>(x, slope, y, n);
}
