// expect: RUNTIME_ERROR launch_failed
// 1024 threads of a kernel whose registers do not fit so many.
#include <cstdint>

__global__ void greedy(const float* x, float* y, int64_t cols) {
  const float* in = x + blockIdx.x * cols;
  float kept[96];
#pragma unroll
  for (int k = 0; k < 96; ++k) {
    const int64_t i = threadIdx.x + k * 1024ll;
    kept[k] = i < cols ? in[i] : -INFINITY;
  }
  __shared__ float part[1024];
  float most = -INFINITY, sum = 0.0f;
#pragma unroll
  for (int k = 0; k < 96; ++k) most = fmaxf(most, kept[k]);
  part[threadIdx.x] = most;
  __syncthreads();
  for (int i = 0; i < 1024; ++i) most = fmaxf(most, part[i]);
  __syncthreads();
#pragma unroll
  for (int k = 0; k < 96; ++k) sum += expf(kept[k] - most);
  part[threadIdx.x] = sum;
  __syncthreads();
  sum = 0.0f;
  for (int i = 0; i < 1024; ++i) sum += part[i];
#pragma unroll
  for (int k = 0; k < 96; ++k) {
    const int64_t i = threadIdx.x + k * 1024ll;
    if (i < cols) y[blockIdx.x * cols + i] = expf(kept[k] - most) / sum;
  }
}
extern "C" void run(const float* x, float* y, int64_t rows, int64_t cols, cudaStream_t stream) {
  greedy<<<(unsigned)rows, 1024, 0, stream>>>(x, y, cols);
}
