// task: moe_gate_bf16
// control: a warp a token: four rounds of an argmax, none overwrites what was chosen before

#include <cuda_bf16.h>

#include <cstdint>

constexpr int kTop = 4;

__global__ void gate_kernel(const __nv_bfloat16* logits, float* weights, int32_t* ids,
                            int64_t tokens, int experts) {
  const int lane = threadIdx.x % 32;
  const int64_t token = ((int64_t)blockIdx.x * blockDim.x + threadIdx.x) / 32;
  if (token >= tokens) return;
  const __nv_bfloat16* row = logits + token * experts;
  int chosen[kTop];
  float logit[kTop];
#pragma unroll
  for (int round = 0; round < kTop; ++round) {
    float best = 0.0f;
    int at = -1;
    for (int e = lane; e < experts; e += 32) {
      bool taken = false;
#pragma unroll
      for (int r = 0; r < round; ++r) taken = taken || chosen[r] == e;
      const float value = __bfloat162float(row[e]);
      if (!taken && (at < 0 || value > best)) {
        best = value;
        at = e;
      }
    }
    for (int step = 16; step > 0; step /= 2) {
      const float other = __shfl_xor_sync(0xffffffffu, best, step);
      const int other_at = __shfl_xor_sync(0xffffffffu, at, step);
      const bool better =
          other_at >= 0 && (at < 0 || other > best || (other == best && other_at < at));
      if (better) {
        best = other;
        at = other_at;
      }
    }
    chosen[round] = at;
    logit[round] = best;
  }
  if (lane != 0) return;
  float total = 0.0f;
  for (int i = 0; i < kTop; ++i) total += expf(logit[i] - logit[0]);
  for (int i = 0; i < kTop; ++i) {
    ids[token * kTop + i] = chosen[i];
    weights[token * kTop + i] = expf(logit[i] - logit[0]) / total;
  }
}

extern "C" void run(const __nv_bfloat16* logits, float* topk_weights, int32_t* topk_ids,
                    int64_t num_tokens, int64_t num_experts, cudaStream_t stream) {
  gate_kernel<<<(unsigned)((num_tokens * 32 + 127) / 128), 128, 0, stream>>>(
      logits, topk_weights, topk_ids, num_tokens, (int)num_experts);
}
