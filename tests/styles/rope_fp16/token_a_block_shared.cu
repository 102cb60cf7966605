// style: one block a token; its cosines and sines in shared memory, all heads of q, then of k.
#include <cuda_fp16.h>

#include <cstdint>

#define HEAD_DIM 64
#define HALF 32

__global__ void rope_tokens(const __half* q, const __half* k, const float* cache,
                            const int32_t* positions, __half* q_out, __half* k_out, int64_t q_heads,
                            int64_t k_heads) {
  __shared__ float angles[HEAD_DIM];
  const int64_t token = blockIdx.x;
  if (threadIdx.x < HEAD_DIM) {
    angles[threadIdx.x] = cache[(int64_t)positions[token] * HEAD_DIM + threadIdx.x];
  }
  __syncthreads();
  const auto rotate = [&](const __half* in, __half* out, int64_t heads) {
    for (int64_t i = threadIdx.x; i < heads * HEAD_DIM; i += blockDim.x) {
      const int d = (int)(i % HEAD_DIM);
      const bool low = d < HALF;
      const float value = __half2float(in[i]);
      const float other = __half2float(in[low ? i + HALF : i - HALF]);
      const float sine = angles[HALF + d % HALF];
      out[i] = __float2half(value * angles[d % HALF] + (low ? -other : other) * sine);
    }
  };
  rotate(q + token * q_heads * HEAD_DIM, q_out + token * q_heads * HEAD_DIM, q_heads);
  rotate(k + token * k_heads * HEAD_DIM, k_out + token * k_heads * HEAD_DIM, k_heads);
}

extern "C" void run(const __half* q, const __half* k, const float* cos_sin_cache,
                    const int32_t* positions, __half* q_out, __half* k_out, int64_t num_tokens,
                    int64_t num_qo_heads, int64_t num_kv_heads, int64_t max_positions,
                    cudaStream_t stream) {
  rope_tokens<<<(unsigned)num_tokens, 128, 0, stream>>>(q, k, cos_sin_cache, positions, q_out,
                                                        k_out, num_qo_heads, num_kv_heads);
}
