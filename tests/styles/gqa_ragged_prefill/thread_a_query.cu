// style: one thread a new token and query head, its 32 elements in registers, float4 keys and
// values straight from memory, online softmax to base 2.
#include <cmath>
#include <cstdint>

#define QO_HEADS 6
#define KV_HEADS 2
#define QUADS 8

__device__ float dot4(float4 a, float4 b) {
  return fmaf(a.x, b.x, fmaf(a.y, b.y, fmaf(a.z, b.z, a.w * b.w)));
}

__global__ void prefill_threads(const float4* __restrict__ q, const float4* __restrict__ k,
                                const float4* __restrict__ v, const int32_t* qo_indptr,
                                const int32_t* kv_indptr, float scale_of_log2, float4* output,
                                float* lse, int64_t queries) {
  const int64_t query = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (query >= queries) return;
  const int token = (int)(query / QO_HEADS);
  const int kv_head = (int)(query % QO_HEADS) / (QO_HEADS / KV_HEADS);
  int sequence = 0;
  while (qo_indptr[sequence + 1] <= token) ++sequence;
  const int begin = kv_indptr[sequence];
  const int end = kv_indptr[sequence + 1] - (qo_indptr[sequence + 1] - 1 - token);
  float4 mine[QUADS], sum[QUADS];
#pragma unroll
  for (int d = 0; d < QUADS; ++d) {
    mine[d] = q[query * QUADS + d];
    sum[d] = make_float4(0.0f, 0.0f, 0.0f, 0.0f);
  }
  float largest = -INFINITY, total = 0.0f;
  for (int t = begin; t < end; ++t) {
    const int64_t place = ((int64_t)t * KV_HEADS + kv_head) * QUADS;
    float logit = 0.0f;
#pragma unroll
    for (int d = 0; d < QUADS; ++d) logit += dot4(mine[d], k[place + d]);
    logit *= scale_of_log2;
    const float next = fmaxf(largest, logit);
    const float kept = exp2f(largest - next), weight = exp2f(logit - next);
    largest = next;
    total = total * kept + weight;
#pragma unroll
    for (int d = 0; d < QUADS; ++d) {
      const float4 value = v[place + d];
      sum[d].x = sum[d].x * kept + weight * value.x;
      sum[d].y = sum[d].y * kept + weight * value.y;
      sum[d].z = sum[d].z * kept + weight * value.z;
      sum[d].w = sum[d].w * kept + weight * value.w;
    }
  }
  const float factor = total > 0.0f ? 1.0f / total : 0.0f;
#pragma unroll
  for (int d = 0; d < QUADS; ++d) {
    output[query * QUADS + d] =
        make_float4(sum[d].x * factor, sum[d].y * factor, sum[d].z * factor, sum[d].w * factor);
  }
  lse[query] = total > 0.0f ? largest + log2f(total) : -INFINITY;
}

extern "C" void run(const float* q, const float* k, const float* v, const int32_t* qo_indptr,
                    const int32_t* kv_indptr, float sm_scale, float* output, float* lse,
                    int64_t len_indptr, int64_t total_q, int64_t total_kv, cudaStream_t stream) {
  const int64_t queries = total_q * QO_HEADS;
  prefill_threads<<<(unsigned)((queries + 63) / 64), 64, 0, stream>>>(
      reinterpret_cast<const float4*>(q), reinterpret_cast<const float4*>(k),
      reinterpret_cast<const float4*>(v), qo_indptr, kv_indptr, sm_scale * 1.4426950408889634f,
      reinterpret_cast<float4*>(output), lse, queries);
}
