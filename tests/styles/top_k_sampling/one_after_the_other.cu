// style: one warp a row; the top is found one element after the other, then drawn from the short
// list in shared memory.
#include <cstdint>

#define WARPS 4
#define MOST 64

__global__ void sample_warps(const float* probs, const int32_t* top_k, const float* uniforms,
                             int64_t* samples, int64_t* totals, int64_t rows, int64_t size) {
  __shared__ int columns[WARPS][MOST];
  __shared__ int weights[WARPS][MOST];
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  const int64_t row = (int64_t)blockIdx.x * WARPS + warp;
  if (row >= rows) return;
  const float* p = probs + row * size;
  const int wanted = (int)(top_k[row] < size ? top_k[row] : size);
  float last = 2.0f;
  int last_column = -1;
  for (int found = 0; found < wanted; ++found) {
    float best = -1.0f;
    int at = 0x7fffffff;
    for (int i = lane; i < size; i += 32) {
      const bool open = p[i] < last || (p[i] == last && i > last_column);
      if (open && p[i] > best) {
        best = p[i];
        at = i;
      }
    }
    for (int step = 16; step > 0; step /= 2) {
      const float other = __shfl_xor_sync(0xffffffffu, best, step);
      const int other_at = __shfl_xor_sync(0xffffffffu, at, step);
      if (other > best || (other == best && other_at < at)) {
        best = other;
        at = other_at;
      }
    }
    if (lane == 0) {
      columns[warp][found] = at;
      weights[warp][found] = (int)floorf(best * 1024.0f);
    }
    last = best;
    last_column = at;
  }
  if (lane != 0) return;
  int64_t total = 0;
  for (int i = 0; i < wanted; ++i) total += weights[warp][i];
  const int64_t threshold = (int64_t)floorf(uniforms[row] * 16777216.0f) * total;
  int drawn = total == 0 ? 0 : 0x7fffffff;
  for (int i = 0; i < wanted && total > 0; ++i) {
    int64_t sum = 0;
    for (int j = 0; j < wanted; ++j) {
      if (columns[warp][j] <= columns[warp][i]) sum += weights[warp][j];
    }
    if (sum * 16777216 > threshold && columns[warp][i] < drawn) drawn = columns[warp][i];
  }
  samples[row] = drawn;
  totals[row] = total;
}

extern "C" void run(const float* probs, const int32_t* top_k, const float* uniforms,
                    int64_t* samples, int64_t* totals, int64_t batch_size, int64_t vocab_size,
                    cudaStream_t stream) {
  sample_warps<<<(unsigned)((batch_size + WARPS - 1) / WARPS), WARPS * 32, 0, stream>>>(
      probs, top_k, uniforms, samples, totals, batch_size, vocab_size);
}
