// style: one block a row, maximum and sum in one pass by exp2f; warps merge in shared memory.
#include <cmath>
#include <cstdint>

#define WARPS 8
#define LOG2E 1.4426950408889634f

struct Part {
  float largest, sum;
};

__device__ Part merge(Part a, Part b) {
  const float largest = fmaxf(a.largest, b.largest);
  if (largest == -INFINITY) return a;
  return {largest, a.sum * exp2f((a.largest - largest) * LOG2E) +
                       b.sum * exp2f((b.largest - largest) * LOG2E)};
}

__global__ void softmax_online(const float* x, float* y, int64_t cols) {
  __shared__ Part of_warps[WARPS];
  const float* in = x + (int64_t)blockIdx.x * cols;
  float* out = y + (int64_t)blockIdx.x * cols;
  Part part = {-INFINITY, 0.0f};
  for (int64_t i = threadIdx.x; i < cols; i += WARPS * 32) part = merge(part, {in[i], 1.0f});
  for (int step = 16; step > 0; step /= 2) {
    part = merge(part, {__shfl_xor_sync(0xffffffffu, part.largest, step),
                        __shfl_xor_sync(0xffffffffu, part.sum, step)});
  }
  if (threadIdx.x % 32 == 0) of_warps[threadIdx.x / 32] = part;
  __syncthreads();
  part = of_warps[0];
  for (int i = 1; i < WARPS; ++i) part = merge(part, of_warps[i]);
  const float factor = 1.0f / part.sum;
  for (int64_t i = threadIdx.x; i < cols; i += WARPS * 32) {
    out[i] = exp2f((in[i] - part.largest) * LOG2E) * factor;
  }
}

extern "C" void run(const float* x, float* y, int64_t rows, int64_t cols, cudaStream_t stream) {
  softmax_online<<<(unsigned)rows, WARPS * 32, 0, stream>>>(x, y, cols);
}
