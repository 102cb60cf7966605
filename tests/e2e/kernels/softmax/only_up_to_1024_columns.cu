// expect: INCORRECT_NUMERICAL numerical
// A thread a column: columns beyond 1024 are forgotten.
#include <cfloat>
#include <cstdint>
__global__ void k(const float* x, float* y, int64_t cols) {
  __shared__ float part[1024];
  const float* in = x + (int64_t)blockIdx.x * cols;
  const int t = threadIdx.x;
  const float v = t < cols ? in[t] : -FLT_MAX;
  part[t] = v;
  __syncthreads();
  for (int d = 512; d > 0; d /= 2) {
    if (t < d) part[t] = fmaxf(part[t], part[t + d]);
    __syncthreads();
  }
  const float m = part[0];
  __syncthreads();
  const float e = t < cols ? expf(v - m) : 0.0f;
  part[t] = e;
  __syncthreads();
  for (int d = 512; d > 0; d /= 2) {
    if (t < d) part[t] += part[t + d];
    __syncthreads();
  }
  if (t < cols) y[(int64_t)blockIdx.x * cols + t] = e / part[0];
}
extern "C" void run(const float* x, float* y, int64_t rows, int64_t cols, cudaStream_t stream) {
  k<<<(unsigned)rows, 1024, 0, stream>>>(x, y, cols);
}
