// expect: REJECTED uninitialised
// The output is never set to zero.
#include <cstdint>
__global__ void row_sum(const float* x, float* y, int64_t cols) {
  float s = 0.0f;
  for (int64_t i = threadIdx.x; i < cols; i += 128) s += x[(int64_t)blockIdx.x * cols + i];
  atomicAdd(&y[blockIdx.x], s);
}
extern "C" void run(const float* x, float* y, int64_t rows, int64_t cols, cudaStream_t stream) {
  row_sum<<<(unsigned)rows, 128, 0, stream>>>(x, y, cols);
}
