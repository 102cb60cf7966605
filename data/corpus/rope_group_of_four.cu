// task: rope
// fault: takes four query heads for every key head, as the benchmark's shape has

#include <cstdint>

constexpr int kDim = 64, kHalf = kDim / 2, kGroup = 4;

__device__ void rotate(const float* in, float* out, float cosine, float sine, int d) {
  const float low = in[d], high = in[d + kHalf];
  out[d] = low * cosine - high * sine;
  out[d + kHalf] = high * cosine + low * sine;
}

// A block a token, a row of threads a query head; the first of each group takes its key head along.
__global__ void rope_kernel(const float* q, const float* k, const float* cache,
                            const int32_t* positions, float* q_out, float* k_out, int qo_heads) {
  const int64_t token = blockIdx.x;
  const int d = threadIdx.x;
  const float* angles = cache + (int64_t)positions[token] * kDim;
  const float cosine = angles[d], sine = angles[d + kHalf];
  for (int head = threadIdx.y; head < qo_heads; head += blockDim.y) {
    const int64_t at = (token * qo_heads + head) * kDim;
    rotate(q + at, q_out + at, cosine, sine, d);
    if (head % kGroup == 0) {
      const int64_t key_at = (token * (qo_heads / kGroup) + head / kGroup) * kDim;
      rotate(k + key_at, k_out + key_at, cosine, sine, d);
    }
  }
}

extern "C" void run(const float* q, const float* k, const float* cos_sin_cache,
                    const int32_t* positions, float* q_out, float* k_out, int64_t num_tokens,
                    int64_t num_qo_heads, int64_t num_kv_heads, int64_t max_positions,
                    cudaStream_t stream) {
  const dim3 block(kHalf, 8);
  rope_kernel<<<(unsigned)num_tokens, block, 0, stream>>>(q, k, cos_sin_cache, positions, q_out,
                                                          k_out, (int)num_qo_heads);
}
