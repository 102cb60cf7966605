// One warp a sequence and query head; it goes through the sequence's pages, softmax is computed
// online.
#include <cuda_fp16.h>

#include <cfloat>
#include <cmath>
#include <cstdint>

#define QO_HEADS 8
#define KV_HEADS 2
#define HEAD_DIM 64
#define PAGE_SIZE 16
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

__device__ void start(Online& state, const __half* query, int lane) {
  for (int i = 0; i < ITEMS; ++i) {
    state.query[i] = __half2float(query[i * 32 + lane]);
    state.sum[i] = 0.0f;
  }
  state.largest = -FLT_MAX;
  state.total = 0.0f;
}

__device__ void add_key(Online& state, const __half* key, const __half* value, float scale,
                        int lane) {
  float dot = 0.0f;
  for (int i = 0; i < ITEMS; ++i) dot += state.query[i] * __half2float(key[i * 32 + lane]);
  const float logit = warp_sum(dot) * scale;
  const float largest = fmaxf(state.largest, logit);
  const float kept = expf(state.largest - largest);
  const float weight = expf(logit - largest);
  state.largest = largest;
  state.total = state.total * kept + weight;
  for (int i = 0; i < ITEMS; ++i) {
    state.sum[i] = state.sum[i] * kept + weight * __half2float(value[i * 32 + lane]);
  }
}

// Zeros and -infinity where there was no key.
__device__ void store(const Online& state, __half* output, float* lse, int lane) {
  const bool empty = state.total == 0.0f;
  for (int i = 0; i < ITEMS; ++i) {
    output[i * 32 + lane] = __float2half(empty ? 0.0f : state.sum[i] / state.total);
  }
  if (lane == 0) {
    *lse = empty ? -INFINITY : (state.largest + logf(state.total)) * 1.4426950408889634f;
  }
}

__global__ void gqa_paged_decode_fp16_queries(const __half* q, const __half* k_cache,
                                              const __half* v_cache, const int32_t* kv_indptr,
                                              const int32_t* kv_indices,
                                              const int32_t* kv_last_page_len, float sm_scale,
                                              __half* output, float* lse, int64_t queries) {
  const int lane = threadIdx.x % 32;
  const int64_t query = (int64_t)blockIdx.x * WARPS + threadIdx.x / 32;
  if (query >= queries) return;
  const int64_t sequence = query / QO_HEADS;
  const int kv_head = (int)(query % QO_HEADS) / (QO_HEADS / KV_HEADS);
  const int begin = kv_indptr[sequence];
  const int end = kv_indptr[sequence + 1];

  Online state;
  start(state, q + query * HEAD_DIM, lane);
  for (int page = begin; page < end; ++page) {
    const int64_t start_of_page = (int64_t)kv_indices[page] * PAGE_SIZE * KV_HEADS * HEAD_DIM;
    const __half* keys = k_cache + start_of_page;
    const __half* values = v_cache + start_of_page;
    const int tokens = page + 1 == end ? kv_last_page_len[sequence] : PAGE_SIZE;
    for (int t = 0; t < tokens; ++t) {
      const int place = (t * KV_HEADS + kv_head) * HEAD_DIM;
      add_key(state, keys + place, values + place, sm_scale, lane);
    }
  }
  store(state, output + query * HEAD_DIM, lse + query, lane);
}

extern "C" void run(const __half* q, const __half* k_cache, const __half* v_cache,
                    const int32_t* kv_indptr, const int32_t* kv_indices,
                    const int32_t* kv_last_page_len, float sm_scale, __half* output, float* lse,
                    int64_t batch_size, int64_t num_pages, int64_t len_indptr,
                    int64_t num_kv_indices, cudaStream_t stream) {
  const int64_t queries = batch_size * QO_HEADS;
  const unsigned blocks = (unsigned)((queries + WARPS - 1) / WARPS);
  gqa_paged_decode_fp16_queries<<<blocks, WARPS * 32, 0, stream>>>(
      q, k_cache, v_cache, kv_indptr, kv_indices, kv_last_page_len, sm_scale, output, lse, queries);
}
