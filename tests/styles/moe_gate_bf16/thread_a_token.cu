// style: one thread a token; the four best are kept sorted in registers, expf through __expf.
#include <cuda_bf16.h>

#include <cmath>
#include <cstdint>

#define TOP_K 4

__global__ void moe_gate_threads(const __nv_bfloat16* logits, float4* topk_weights, int4* topk_ids,
                                 int64_t tokens, int64_t experts) {
  const int64_t token = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (token >= tokens) return;
  float best[TOP_K] = {-INFINITY, -INFINITY, -INFINITY, -INFINITY};
  int ids[TOP_K] = {0, 0, 0, 0};
  for (int i = 0; i < experts; ++i) {
    float value = __bfloat162float(logits[token * experts + i]);
    int id = i;
#pragma unroll
    for (int k = 0; k < TOP_K; ++k) {
      if (value > best[k]) {
        const float passed = best[k];
        const int passed_id = ids[k];
        best[k] = value;
        ids[k] = id;
        value = passed;
        id = passed_id;
      }
    }
  }
  const float b = __expf(best[1] - best[0]);
  const float c = __expf(best[2] - best[0]);
  const float d = __expf(best[3] - best[0]);
  const float factor = __fdividef(1.0f, 1.0f + b + c + d);
  topk_weights[token] = make_float4(factor, b * factor, c * factor, d * factor);
  topk_ids[token] = make_int4(ids[0], ids[1], ids[2], ids[3]);
}

extern "C" void run(const __nv_bfloat16* logits, float* topk_weights, int32_t* topk_ids,
                    int64_t num_tokens, int64_t num_experts, cudaStream_t stream) {
  moe_gate_threads<<<(unsigned)((num_tokens + 63) / 64), 64, 0, stream>>>(
      logits, reinterpret_cast<float4*>(topk_weights), reinterpret_cast<int4*>(topk_ids),
      num_tokens, num_experts);
}
