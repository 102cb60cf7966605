// legal: a table made on the host once and copied up
// task: softmax
#include <cmath>
#include <cstdint>

__device__ float Across(float v, bool largest, float* shared) {
  for (int step = 16; step > 0; step /= 2) {
    const float other = __shfl_xor_sync(0xffffffffu, v, step);
    v = largest ? fmaxf(v, other) : v + other;
  }
  __syncthreads();
  if (threadIdx.x % 32 == 0) shared[threadIdx.x / 32] = v;
  __syncthreads();
  v = shared[0];
  for (int warp = 1; warp < 4; ++warp) v = largest ? fmaxf(v, shared[warp]) : v + shared[warp];
  return v;
}
__global__ void softmax_rows(const float* x, float* y, int64_t cols) {
  __shared__ float shared[4];
  const float* in = x + (int64_t)blockIdx.x * cols;
  float* out = y + (int64_t)blockIdx.x * cols;
  float largest = -INFINITY, sum = 0.0f;
  for (int64_t i = threadIdx.x; i < cols; i += 128) largest = fmaxf(largest, in[i]);
  largest = Across(largest, true, shared);
  for (int64_t i = threadIdx.x; i < cols; i += 128) sum += expf(in[i] - largest);
  sum = Across(sum, false, shared);
  for (int64_t i = threadIdx.x; i < cols; i += 128) out[i] = expf(in[i] - largest) / sum;
}
static void Honest(const float* x, float* y, int64_t rows, int64_t cols, cudaStream_t stream) {
  softmax_rows<<<(unsigned)rows, 128, 0, stream>>>(x, y, cols);
}

extern "C" void run(const float* x, float* y, int64_t rows, int64_t cols, cudaStream_t stream) {
  static float* table = nullptr;
  if (!table) {
    float values[256];
    for (int i = 0; i < 256; ++i) values[i] = 1.0f / (1.0f + i);
    cudaMalloc(&table, sizeof values);
    cudaMemcpy(table, values, sizeof values, cudaMemcpyHostToDevice);
  }
  Honest(x, y, rows, cols, stream);
}
