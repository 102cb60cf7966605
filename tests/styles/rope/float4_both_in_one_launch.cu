// style: a thread rotates four pairs by float4; queries and keys in one launch.
#include <cstdint>

#define HEAD_DIM 64
#define HALF 32

__global__ void rope_quads(const float* q, const float* k, const float* cache,
                           const int32_t* positions, float* q_out, float* k_out, int64_t tokens,
                           int64_t q_heads, int64_t k_heads) {
  const int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  const int64_t heads = q_heads + k_heads;
  if (i >= tokens * heads * (HALF / 4)) return;
  const int quad = (int)(i % (HALF / 4));
  const int64_t token = i / (HALF / 4) / heads;
  const int64_t head = i / (HALF / 4) % heads;
  const bool is_key = head >= q_heads;
  const int64_t at =
      (is_key ? token * k_heads + head - q_heads : token * q_heads + head) * HEAD_DIM;
  const float4* in = reinterpret_cast<const float4*>((is_key ? k : q) + at);
  float4* out = reinterpret_cast<float4*>((is_key ? k_out : q_out) + at);
  const float4* row = reinterpret_cast<const float4*>(cache + (int64_t)positions[token] * HEAD_DIM);
  const float4 c = row[quad], s = row[quad + HALF / 4];
  const float4 a = in[quad], b = in[quad + HALF / 4];
  out[quad] = make_float4(a.x * c.x - b.x * s.x, a.y * c.y - b.y * s.y, a.z * c.z - b.z * s.z,
                          a.w * c.w - b.w * s.w);
  out[quad + HALF / 4] = make_float4(b.x * c.x + a.x * s.x, b.y * c.y + a.y * s.y,
                                     b.z * c.z + a.z * s.z, b.w * c.w + a.w * s.w);
}

extern "C" void run(const float* q, const float* k, const float* cos_sin_cache,
                    const int32_t* positions, float* q_out, float* k_out, int64_t num_tokens,
                    int64_t num_qo_heads, int64_t num_kv_heads, int64_t max_positions,
                    cudaStream_t stream) {
  const int64_t count = num_tokens * (num_qo_heads + num_kv_heads) * (HALF / 4);
  rope_quads<<<(unsigned)((count + 127) / 128), 128, 0, stream>>>(
      q, k, cos_sin_cache, positions, q_out, k_out, num_tokens, num_qo_heads, num_kv_heads);
}
