// style: exp2f of x log2(e) and a rounded reciprocal, grid-stride.
#include <cstdint>

__global__ void silu_by_exp2(const float* __restrict__ x, float* __restrict__ y, int64_t n) {
  const float log2e = 1.4426950408889634f;
  const int64_t step = (int64_t)gridDim.x * blockDim.x;
  for (int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += step) {
    const float value = x[i];
    y[i] = value * __frcp_rn(1.0f + exp2f(-log2e * value));
  }
}

extern "C" void run(const float* x, float* y, int64_t n, cudaStream_t stream) {
  const int64_t wanted = (n + 127) / 128;
  silu_by_exp2<<<(unsigned)(wanted < 864 ? wanted : 864), 128, 0, stream>>>(x, y, n);
}
