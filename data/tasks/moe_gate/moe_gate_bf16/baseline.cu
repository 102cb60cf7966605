// One warp a token. The experts are found one after the other, each the largest of those that come
// after the one before; of equal ones the first.
#include <cuda_bf16.h>

#include <cfloat>
#include <cstdint>

#define TOP_K 4
#define WARPS 4

__global__ void moe_gate_tokens(const __nv_bfloat16* logits, float* topk_weights, int32_t* topk_ids,
                                int64_t num_tokens, int64_t num_experts) {
  const int lane = threadIdx.x % 32;
  const int64_t token = (int64_t)blockIdx.x * WARPS + threadIdx.x / 32;
  if (token >= num_tokens) return;
  const __nv_bfloat16* in = logits + token * num_experts;

  float values[TOP_K];
  int ids[TOP_K];
  float last = FLT_MAX;
  int last_id = -1;
  for (int k = 0; k < TOP_K; ++k) {
    float best = -FLT_MAX;
    int best_id = (int)num_experts;
    for (int i = lane; i < num_experts; i += 32) {
      const float value = __bfloat162float(in[i]);
      const bool open = value < last || (value == last && i > last_id);
      if (open && value > best) {
        best = value;
        best_id = i;
      }
    }
    for (int step = 16; step > 0; step /= 2) {
      const float other = __shfl_xor_sync(0xffffffffu, best, step);
      const int other_id = __shfl_xor_sync(0xffffffffu, best_id, step);
      if (other > best || (other == best && other_id < best_id)) {
        best = other;
        best_id = other_id;
      }
    }
    values[k] = last = best;
    ids[k] = last_id = best_id;
  }
  if (lane != 0) return;
  float total = 0.0f;
  for (int k = 0; k < TOP_K; ++k) total += expf(values[k] - values[0]);
  for (int k = 0; k < TOP_K; ++k) {
    topk_weights[token * TOP_K + k] = expf(values[k] - values[0]) / total;
    topk_ids[token * TOP_K + k] = ids[k];
  }
}

extern "C" void run(const __nv_bfloat16* logits, float* topk_weights, int32_t* topk_ids,
                    int64_t num_tokens, int64_t num_experts, cudaStream_t stream) {
  const unsigned blocks = (unsigned)((num_tokens + WARPS - 1) / WARPS);
  moe_gate_tokens<<<blocks, WARPS * 32, 0, stream>>>(logits, topk_weights, topk_ids, num_tokens,
                                                     num_experts);
}
