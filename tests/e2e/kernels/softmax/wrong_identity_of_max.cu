// expect: INCORRECT_NUMERICAL numerical
#include <cfloat>
#include <cstdint>

__global__ void softmax_rows(const float* x, float* y, int64_t cols) {
  __shared__ float part[256];
  const float* in = x + (int64_t)blockIdx.x * cols;
  float* out = y + (int64_t)blockIdx.x * cols;
  const int t = threadIdx.x;
  float m = 0.0f;
  for (int64_t i = t; i < cols; i += 256) m = fmaxf(m, in[i]);
  part[t] = m;
  __syncthreads();
  for (int d = 128; d > 0; d /= 2) {
    if (t < d) part[t] = fmaxf(part[t], part[t + d]);
    __syncthreads();
  }
  m = part[0];
  __syncthreads();
  float s = 0.0f;
  for (int64_t i = t; i < cols; i += 256) s += expf(in[i] - m);
  part[t] = s;
  __syncthreads();
  for (int d = 128; d > 0; d /= 2) {
    if (t < d) part[t] += part[t + d];
    __syncthreads();
  }
  s = part[0];
  for (int64_t i = t; i < cols; i += 256) out[i] = expf(in[i] - m) / s;
}

extern "C" void run(const float* x, float* y, int64_t rows, int64_t cols, cudaStream_t stream) {
  softmax_rows<<<(unsigned)rows, 256, 0, stream>>>(x, y, cols);
}
