// task: cumsum
// fault: no barrier between two chunks of 1024: a fast warp overwrites what a slow one still reads

#include <cstdint>

__global__ void __launch_bounds__(1024)
    cumsum_kernel(const float* __restrict__ x, float* __restrict__ y, int64_t cols) {
  __shared__ float totals[32];
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  const int64_t start = blockIdx.x * cols;
  float carry = 0.0f;
  for (int64_t first = 0; first < cols; first += 1024) {
    const int64_t c = first + threadIdx.x;
    float sum = c < cols ? x[start + c] : 0.0f;
    for (int step = 1; step < 32; step *= 2) {
      const float before = __shfl_up_sync(0xffffffffu, sum, step);
      if (lane >= step) sum += before;
    }
    if (lane == 31) totals[warp] = sum;
    __syncthreads();
    float offset = carry;
    for (int w = 0; w < 32; ++w) {
      if (w < warp) offset += totals[w];
      carry += totals[w];
    }
    if (c < cols) y[start + c] = offset + sum;
  }
}

extern "C" void run(const float* x, float* y, int64_t rows, int64_t cols, cudaStream_t stream) {
  cumsum_kernel<<<(unsigned)rows, 1024, 0, stream>>>(x, y, cols);
}
