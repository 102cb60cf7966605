// style: __expf(x) - 1 as it stands in most activations, grid-stride, two loads in flight.
#include <cstdint>

__global__ void elu_fast(const float* x, float alpha, float* y, int64_t n) {
  const int64_t threads = (int64_t)gridDim.x * blockDim.x;
  for (int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += 2 * threads) {
    const int64_t j = i + threads;
    const float a = x[i];
    const float b = j < n ? x[j] : 0.0f;
    y[i] = a > 0.0f ? a : alpha * (__expf(a) - 1.0f);
    if (j < n) y[j] = b > 0.0f ? b : alpha * (__expf(b) - 1.0f);
  }
}

extern "C" void run(const float* x, float alpha, float* y, int64_t n, cudaStream_t stream) {
  const int64_t wanted = (n + 255) / 256;
  elu_fast<<<(unsigned)(wanted < 432 ? wanted : 432), 256, 0, stream>>>(x, alpha, y, n);
}
