// style: one block a token, a warp a head; the row of the cache is read once and shuffled.
#include <cstdint>

#define HEAD_DIM 64

__device__ void rotate(const float* in, float* out, float cosine, float sine, int lane) {
  const float low = in[lane], high = in[lane + 32];
  out[lane] = fmaf(low, cosine, -__fmul_rn(high, sine));
  out[lane + 32] = fmaf(high, cosine, __fmul_rn(low, sine));
}

__global__ void rope_heads(const float* q, const float* k, const float* cache,
                           const int32_t* positions, float* q_out, float* k_out, int64_t q_heads,
                           int64_t k_heads) {
  const int lane = threadIdx.x % 32;
  const int warp = threadIdx.x / 32;
  const int64_t token = blockIdx.x;
  const float2 mine =
      reinterpret_cast<const float2*>(cache + (int64_t)positions[token] * HEAD_DIM)[lane];
  // Element i of the row is in lane i / 2.
  const float even_cos = __shfl_sync(0xffffffffu, mine.x, lane / 2);
  const float odd_cos = __shfl_sync(0xffffffffu, mine.y, lane / 2);
  const float even_sin = __shfl_sync(0xffffffffu, mine.x, 16 + lane / 2);
  const float odd_sin = __shfl_sync(0xffffffffu, mine.y, 16 + lane / 2);
  const float cosine = lane % 2 == 0 ? even_cos : odd_cos;
  const float sine = lane % 2 == 0 ? even_sin : odd_sin;
  for (int64_t head = warp; head < q_heads + k_heads; head += blockDim.x / 32) {
    if (head < q_heads) {
      const int64_t at = (token * q_heads + head) * HEAD_DIM;
      rotate(q + at, q_out + at, cosine, sine, lane);
    } else {
      const int64_t at = (token * k_heads + head - q_heads) * HEAD_DIM;
      rotate(k + at, k_out + at, cosine, sine, lane);
    }
  }
}

extern "C" void run(const float* q, const float* k, const float* cos_sin_cache,
                    const int32_t* positions, float* q_out, float* k_out, int64_t num_tokens,
                    int64_t num_qo_heads, int64_t num_kv_heads, int64_t max_positions,
                    cudaStream_t stream) {
  rope_heads<<<(unsigned)num_tokens, 128, 0, stream>>>(q, k, cos_sin_cache, positions, q_out, k_out,
                                                       num_qo_heads, num_kv_heads);
}
