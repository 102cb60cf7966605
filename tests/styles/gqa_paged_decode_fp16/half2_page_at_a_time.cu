// style: one warp a sequence and query head, half2 lanes; the 16 logits of a page first, then one
// rescaling a page, to base 2.
#include <cuda_fp16.h>

#include <cmath>
#include <cstdint>

#define QO_HEADS 8
#define KV_HEADS 2
#define PAIRS 32
#define PAGE_SIZE 16

__global__ void decode_pages(const __half2* q, const __half2* k_cache, const __half2* v_cache,
                             const int32_t* kv_indptr, const int32_t* kv_indices,
                             const int32_t* kv_last_page_len, float scale_of_log2, __half2* output,
                             float* lse) {
  const int lane = threadIdx.x, head = threadIdx.y;
  const int64_t sequence = blockIdx.x;
  const int kv_head = head / (QO_HEADS / KV_HEADS);
  const int begin = kv_indptr[sequence], end = kv_indptr[sequence + 1];
  const int64_t at = sequence * QO_HEADS + head;
  const float2 query = __half22float2(q[at * PAIRS + lane]);
  float2 sum = make_float2(0.0f, 0.0f);
  float largest = -INFINITY, total = 0.0f;
  for (int page = begin; page < end; ++page) {
    const int tokens = page + 1 == end ? kv_last_page_len[sequence] : PAGE_SIZE;
    const int64_t start = ((int64_t)kv_indices[page] * PAGE_SIZE * KV_HEADS + kv_head) * PAIRS;
    float logits[PAGE_SIZE];
    float next = largest;
#pragma unroll
    for (int t = 0; t < PAGE_SIZE; ++t) {
      logits[t] = -INFINITY;
      if (t >= tokens) continue;
      const float2 key = __half22float2(k_cache[start + t * KV_HEADS * PAIRS + lane]);
      float dot = query.x * key.x + query.y * key.y;
      for (int step = 16; step > 0; step /= 2) dot += __shfl_xor_sync(0xffffffffu, dot, step);
      logits[t] = dot * scale_of_log2;
      next = fmaxf(next, logits[t]);
    }
    const float kept = exp2f(largest - next);
    largest = next;
    total *= kept;
    sum.x *= kept;
    sum.y *= kept;
#pragma unroll
    for (int t = 0; t < PAGE_SIZE; ++t) {
      if (t >= tokens) continue;
      const float weight = exp2f(logits[t] - largest);
      const float2 value = __half22float2(v_cache[start + t * KV_HEADS * PAIRS + lane]);
      total += weight;
      sum.x = fmaf(weight, value.x, sum.x);
      sum.y = fmaf(weight, value.y, sum.y);
    }
  }
  const float factor = total > 0.0f ? 1.0f / total : 0.0f;
  output[at * PAIRS + lane] = __floats2half2_rn(sum.x * factor, sum.y * factor);
  if (lane == 0) lse[at] = total > 0.0f ? largest + log2f(total) : -INFINITY;
}

extern "C" void run(const __half* q, const __half* k_cache, const __half* v_cache,
                    const int32_t* kv_indptr, const int32_t* kv_indices,
                    const int32_t* kv_last_page_len, float sm_scale, __half* output, float* lse,
                    int64_t batch_size, int64_t num_pages, int64_t len_indptr,
                    int64_t num_kv_indices, cudaStream_t stream) {
  decode_pages<<<(unsigned)batch_size, dim3(32, QO_HEADS), 0, stream>>>(
      reinterpret_cast<const __half2*>(q), reinterpret_cast<const __half2*>(k_cache),
      reinterpret_cast<const __half2*>(v_cache), kv_indptr, kv_indices, kv_last_page_len,
      sm_scale * 1.4426950408889634f, reinterpret_cast<__half2*>(output), lse);
}
