// style: softmax over all experts first, kept in a workspace; the four most probable by a block,
// one after the other; their probabilities scaled to 1.
#include <cuda_bf16.h>

#include <cmath>
#include <cstdint>

#define TOP_K 4
#define THREADS 64

__device__ float block_reduce(float value, float* of_warps, bool sum) {
  for (int step = 16; step > 0; step /= 2) {
    const float other = __shfl_xor_sync(0xffffffffu, value, step);
    value = sum ? value + other : fmaxf(value, other);
  }
  if (threadIdx.x % 32 == 0) of_warps[threadIdx.x / 32] = value;
  __syncthreads();
  value = sum ? of_warps[0] + of_warps[1] : fmaxf(of_warps[0], of_warps[1]);
  __syncthreads();
  return value;
}

__global__ void moe_gate_blocks(const __nv_bfloat16* logits, float* probabilities,
                                float* topk_weights, int32_t* topk_ids, int experts) {
  __shared__ float of_warps[2];
  __shared__ int chosen[TOP_K];
  const __nv_bfloat16* in = logits + (int64_t)blockIdx.x * experts;
  float* p = probabilities + (int64_t)blockIdx.x * experts;
  float largest = -INFINITY, sum = 0.0f;
  for (int i = threadIdx.x; i < experts; i += THREADS) {
    largest = fmaxf(largest, __bfloat162float(in[i]));
  }
  largest = block_reduce(largest, of_warps, false);
  for (int i = threadIdx.x; i < experts; i += THREADS) {
    p[i] = expf(__bfloat162float(in[i]) - largest);
    sum += p[i];
  }
  sum = block_reduce(sum, of_warps, true);
  for (int i = threadIdx.x; i < experts; i += THREADS) p[i] /= sum;
  float weights[TOP_K], total = 0.0f;
  for (int k = 0; k < TOP_K; ++k) {
    float best = -1.0f;
    for (int i = threadIdx.x; i < experts; i += THREADS) best = fmaxf(best, p[i]);
    best = block_reduce(best, of_warps, false);
    if (threadIdx.x == 0) chosen[k] = experts;
    __syncthreads();
    for (int i = threadIdx.x; i < experts; i += THREADS) {
      if (p[i] == best) atomicMin(&chosen[k], i);
    }
    __syncthreads();
    if (chosen[k] % THREADS == threadIdx.x) p[chosen[k]] = -1.0f;
    weights[k] = best;
    total += best;
  }
  if (threadIdx.x < TOP_K) {
    topk_weights[(int64_t)blockIdx.x * TOP_K + threadIdx.x] = weights[threadIdx.x] / total;
    topk_ids[(int64_t)blockIdx.x * TOP_K + threadIdx.x] = chosen[threadIdx.x];
  }
}

extern "C" void run(const __nv_bfloat16* logits, float* topk_weights, int32_t* topk_ids,
                    int64_t num_tokens, int64_t num_experts, cudaStream_t stream) {
  float* probabilities = nullptr;
  cudaMallocAsync(&probabilities, num_tokens * num_experts * sizeof(float), stream);
  moe_gate_blocks<<<(unsigned)num_tokens, THREADS, 0, stream>>>(logits, probabilities, topk_weights,
                                                                topk_ids, (int)num_experts);
  cudaFreeAsync(probabilities, stream);
}
