// style: one block a new token, a warp a query head, pairs of bfloat16, online softmax to base 2;
// the token's sequence is found by bisection.
#include <cuda_bf16.h>

#include <cmath>
#include <cstdint>

#define QO_HEADS 4
#define KV_HEADS 2
#define PAIRS 32
#define PAGE_SIZE 4

__global__ void prefill_tokens(const __nv_bfloat162* q, const __nv_bfloat162* k_cache,
                               const __nv_bfloat162* v_cache, const int32_t* qo_indptr,
                               const int32_t* kv_indptr, const int32_t* kv_indices,
                               const int32_t* kv_last_page_len, float scale_of_log2,
                               __nv_bfloat162* output, float* lse, int sequences) {
  const int lane = threadIdx.x % 32, head = threadIdx.x / 32;
  const int token = blockIdx.x;
  int low = 0, high = sequences - 1;
  while (low < high) {
    const int middle = (low + high) / 2;
    if (qo_indptr[middle + 1] <= token) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  const int begin = kv_indptr[low];
  const int pages = kv_indptr[low + 1] - begin;
  const int tokens = pages == 0 ? 0 : (pages - 1) * PAGE_SIZE + kv_last_page_len[low];
  const int seen = tokens - (qo_indptr[low + 1] - 1 - token);
  const int64_t at = (int64_t)token * QO_HEADS + head;
  const float2 query = __bfloat1622float2(q[at * PAIRS + lane]);
  float2 sum = make_float2(0.0f, 0.0f);
  float largest = -INFINITY, total = 0.0f;
  for (int t = 0; t < seen; ++t) {
    const int64_t row = (int64_t)kv_indices[begin + t / PAGE_SIZE] * PAGE_SIZE + t % PAGE_SIZE;
    const int64_t place = (row * KV_HEADS + head / (QO_HEADS / KV_HEADS)) * PAIRS + lane;
    const float2 key = __bfloat1622float2(k_cache[place]);
    float logit = query.x * key.x + query.y * key.y;
    for (int step = 16; step > 0; step /= 2) logit += __shfl_xor_sync(0xffffffffu, logit, step);
    logit *= scale_of_log2;
    if (logit > largest) {
      const float kept = exp2f(largest - logit);
      sum.x *= kept;
      sum.y *= kept;
      total *= kept;
      largest = logit;
    }
    const float weight = exp2f(logit - largest);
    const float2 value = __bfloat1622float2(v_cache[place]);
    sum.x = fmaf(weight, value.x, sum.x);
    sum.y = fmaf(weight, value.y, sum.y);
    total += weight;
  }
  const float factor = seen > 0 ? 1.0f / total : 0.0f;
  output[at * PAIRS + lane] = __floats2bfloat162_rn(sum.x * factor, sum.y * factor);
  if (lane == 0) lse[at] = seen > 0 ? largest + log2f(total) : -INFINITY;
}

extern "C" void run(const __nv_bfloat16* q, const __nv_bfloat16* k_cache,
                    const __nv_bfloat16* v_cache, const int32_t* qo_indptr,
                    const int32_t* kv_indptr, const int32_t* kv_indices,
                    const int32_t* kv_last_page_len, float sm_scale, __nv_bfloat16* output,
                    float* lse, int64_t len_indptr, int64_t total_q, int64_t batch_size,
                    int64_t num_pages, int64_t num_kv_indices, cudaStream_t stream) {
  prefill_tokens<<<(unsigned)total_q, QO_HEADS * 32, 0, stream>>>(
      reinterpret_cast<const __nv_bfloat162*>(q), reinterpret_cast<const __nv_bfloat162*>(k_cache),
      reinterpret_cast<const __nv_bfloat162*>(v_cache), qo_indptr, kv_indptr, kv_indices,
      kv_last_page_len, sm_scale * 1.4426950408889634f, reinterpret_cast<__nv_bfloat162*>(output),
      lse, (int)batch_size);
}
