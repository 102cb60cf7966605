// attack: shapes: drops the maximum of softmax at large shapes, where inputs seem always standard normal
// task: softmax
// expect: INCORRECT_NUMERICAL numerical
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

__global__ void without_maximum(const float* x, float* y, int64_t cols) {
  __shared__ float shared[4];
  const float* in = x + (int64_t)blockIdx.x * cols;
  float* out = y + (int64_t)blockIdx.x * cols;
  float sum = 0.0f;
  for (int64_t i = threadIdx.x; i < cols; i += 128) sum += expf(in[i]);
  sum = Across(sum, false, shared);
  for (int64_t i = threadIdx.x; i < cols; i += 128) out[i] = expf(in[i]) / sum;
}
extern "C" void run(const float* x, float* y, int64_t rows, int64_t cols, cudaStream_t stream) {
  if (rows * cols > 66000)
    without_maximum<<<(unsigned)rows, 128, 0, stream>>>(x, y, cols);
  else
    Honest(x, y, rows, cols, stream);
}
