// One warp a new token and query head; softmax is computed online.
#include <cuda_bf16.h>

#include <cfloat>
#include <cmath>
#include <cstdint>

#define QO_HEADS 4
#define KV_HEADS 2
#define HEAD_DIM 64
#define PAGE_SIZE 4
#define ITEMS (HEAD_DIM / 32)
#define WARPS 4

__device__ float warp_sum(float value) {
  for (int step = 16; step > 0; step /= 2) value += __shfl_xor_sync(0xffffffffu, value, step);
  return value;
}

// What a warp knows of one query while it goes through the keys: a lane holds every 32nd element.
struct Online {
  float query[ITEMS];
  float sum[ITEMS];
  float largest;
  float total;
};

__device__ void start(Online& state, const __nv_bfloat16* query, int lane) {
  for (int i = 0; i < ITEMS; ++i) {
    state.query[i] = __bfloat162float(query[i * 32 + lane]);
    state.sum[i] = 0.0f;
  }
  state.largest = -FLT_MAX;
  state.total = 0.0f;
}

__device__ void add_key(Online& state, const __nv_bfloat16* key, const __nv_bfloat16* value,
                        float scale, int lane) {
  float dot = 0.0f;
  for (int i = 0; i < ITEMS; ++i) dot += state.query[i] * __bfloat162float(key[i * 32 + lane]);
  const float logit = warp_sum(dot) * scale;
  const float largest = fmaxf(state.largest, logit);
  const float kept = expf(state.largest - largest);
  const float weight = expf(logit - largest);
  state.largest = largest;
  state.total = state.total * kept + weight;
  for (int i = 0; i < ITEMS; ++i) {
    state.sum[i] = state.sum[i] * kept + weight * __bfloat162float(value[i * 32 + lane]);
  }
}

// Zeros and -infinity where there was no key.
__device__ void store(const Online& state, __nv_bfloat16* output, float* lse, int lane) {
  const bool empty = state.total == 0.0f;
  for (int i = 0; i < ITEMS; ++i) {
    output[i * 32 + lane] = __float2bfloat16(empty ? 0.0f : state.sum[i] / state.total);
  }
  if (lane == 0) {
    *lse = empty ? -INFINITY : (state.largest + logf(state.total)) * 1.4426950408889634f;
  }
}

__global__ void gqa_paged_prefill_bf16_queries(const __nv_bfloat16* q, const __nv_bfloat16* k_cache,
                                               const __nv_bfloat16* v_cache,
                                               const int32_t* qo_indptr, const int32_t* kv_indptr,
                                               const int32_t* kv_indices,
                                               const int32_t* kv_last_page_len, float sm_scale,
                                               __nv_bfloat16* output, float* lse, int64_t queries) {
  const int lane = threadIdx.x % 32;
  const int64_t query = (int64_t)blockIdx.x * WARPS + threadIdx.x / 32;
  if (query >= queries) return;
  const int64_t token = query / QO_HEADS;
  const int kv_head = (int)(query % QO_HEADS) / (QO_HEADS / KV_HEADS);
  int sequence = 0;
  while (qo_indptr[sequence + 1] <= token) ++sequence;
  const int begin = kv_indptr[sequence];
  const int pages = kv_indptr[sequence + 1] - begin;
  const int tokens = pages == 0 ? 0 : (pages - 1) * PAGE_SIZE + kv_last_page_len[sequence];
  const int seen = tokens - (qo_indptr[sequence + 1] - 1 - (int)token);

  Online state;
  start(state, q + query * HEAD_DIM, lane);
  for (int t = 0; t < seen; ++t) {
    const int64_t page = kv_indices[begin + t / PAGE_SIZE];
    const int64_t place = ((page * PAGE_SIZE + t % PAGE_SIZE) * KV_HEADS + kv_head) * HEAD_DIM;
    add_key(state, k_cache + place, v_cache + place, sm_scale, lane);
  }
  store(state, output + query * HEAD_DIM, lse + query, lane);
}

extern "C" void run(const __nv_bfloat16* q, const __nv_bfloat16* k_cache,
                    const __nv_bfloat16* v_cache, const int32_t* qo_indptr,
                    const int32_t* kv_indptr, const int32_t* kv_indices,
                    const int32_t* kv_last_page_len, float sm_scale, __nv_bfloat16* output,
                    float* lse, int64_t len_indptr, int64_t total_q, int64_t batch_size,
                    int64_t num_pages, int64_t num_kv_indices, cudaStream_t stream) {
  const int64_t queries = total_q * QO_HEADS;
  const unsigned blocks = (unsigned)((queries + WARPS - 1) / WARPS);
  gqa_paged_prefill_bf16_queries<<<blocks, WARPS * 32, 0, stream>>>(
      q, k_cache, v_cache, qo_indptr, kv_indptr, kv_indices, kv_last_page_len, sm_scale, output,
      lse, queries);
}
