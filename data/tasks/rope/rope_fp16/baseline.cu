// One thread a pair of elements; queries and keys in a launch each.
#include <cuda_fp16.h>

#include <cstdint>

#define HEAD_DIM 64
#define HALF (HEAD_DIM / 2)

__global__ void rope_pairs(const __half* x, const float* cos_sin_cache, const int32_t* positions,
                           __half* y, int64_t pairs, int64_t heads) {
  const int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= pairs) return;
  const int64_t head = i / HALF;
  const int d = (int)(i % HALF);
  const float* row = cos_sin_cache + (int64_t)positions[head / heads] * HEAD_DIM;
  const float cosine = row[d];
  const float sine = row[d + HALF];
  const float low = __half2float(x[head * HEAD_DIM + d]);
  const float high = __half2float(x[head * HEAD_DIM + d + HALF]);
  y[head * HEAD_DIM + d] = __float2half(low * cosine - high * sine);
  y[head * HEAD_DIM + d + HALF] = __float2half(high * cosine + low * sine);
}

extern "C" void run(const __half* q, const __half* k, const float* cos_sin_cache,
                    const int32_t* positions, __half* q_out, __half* k_out, int64_t num_tokens,
                    int64_t num_qo_heads, int64_t num_kv_heads, int64_t max_positions,
                    cudaStream_t stream) {
  const int threads = 256;
  const int64_t q_pairs = num_tokens * num_qo_heads * HALF;
  const int64_t k_pairs = num_tokens * num_kv_heads * HALF;
  rope_pairs<<<(unsigned)((q_pairs + threads - 1) / threads), threads, 0, stream>>>(
      q, cos_sin_cache, positions, q_out, q_pairs, num_qo_heads);
  rope_pairs<<<(unsigned)((k_pairs + threads - 1) / threads), threads, 0, stream>>>(
      k, cos_sin_cache, positions, k_out, k_pairs, num_kv_heads);
}
