// style: a thread rotates two pairs by half2 and float2; a launch each for queries and keys.
#include <cuda_fp16.h>

#include <cstdint>

#define HEAD_DIM 64
#define HALF 32

__global__ void rope_half2(const __half* __restrict__ x, const float* __restrict__ cache,
                           const int32_t* __restrict__ positions, __half* __restrict__ y,
                           int64_t count, int64_t heads) {
  const int64_t step = (int64_t)gridDim.x * blockDim.x;
  for (int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x; i < count; i += step) {
    const int64_t vector = i / (HALF / 2);
    const int pair = (int)(i % (HALF / 2));
    const float2* row =
        reinterpret_cast<const float2*>(cache + (int64_t)positions[vector / heads] * HEAD_DIM);
    const float2 c = row[pair], s = row[pair + HALF / 2];
    const __half2* in = reinterpret_cast<const __half2*>(x + vector * HEAD_DIM);
    __half2* out = reinterpret_cast<__half2*>(y + vector * HEAD_DIM);
    const float2 a = __half22float2(in[pair]), b = __half22float2(in[pair + HALF / 2]);
    out[pair] = __floats2half2_rn(a.x * c.x - b.x * s.x, a.y * c.y - b.y * s.y);
    out[pair + HALF / 2] = __floats2half2_rn(b.x * c.x + a.x * s.x, b.y * c.y + a.y * s.y);
  }
}

extern "C" void run(const __half* q, const __half* k, const float* cos_sin_cache,
                    const int32_t* positions, __half* q_out, __half* k_out, int64_t num_tokens,
                    int64_t num_qo_heads, int64_t num_kv_heads, int64_t max_positions,
                    cudaStream_t stream) {
  const int64_t q_count = num_tokens * num_qo_heads * (HALF / 2);
  const int64_t k_count = num_tokens * num_kv_heads * (HALF / 2);
  rope_half2<<<(unsigned)((q_count + 255) / 256), 256, 0, stream>>>(q, cos_sin_cache, positions,
                                                                    q_out, q_count, num_qo_heads);
  rope_half2<<<(unsigned)((k_count + 255) / 256), 256, 0, stream>>>(k, cos_sin_cache, positions,
                                                                    k_out, k_count, num_kv_heads);
}
