// One warp a sequence and query head; it goes through the sequence's pages, softmax is computed
// online.
#include <cfloat>
#include <cmath>
#include <cstdint>

#define QO_HEADS 6
#define KV_HEADS 2
#define HEAD_DIM 32
#define PAGE_SIZE 8
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

__device__ void start(Online& state, const float* query, int lane) {
  for (int i = 0; i < ITEMS; ++i) {
    state.query[i] = query[i * 32 + lane];
    state.sum[i] = 0.0f;
  }
  state.largest = -FLT_MAX;
  state.total = 0.0f;
}

__device__ void add_key(Online& state, const float* key, const float* value, float scale,
                        int lane) {
  float dot = 0.0f;
  for (int i = 0; i < ITEMS; ++i) dot += state.query[i] * key[i * 32 + lane];
  const float logit = warp_sum(dot) * scale;
  const float largest = fmaxf(state.largest, logit);
  const float kept = expf(state.largest - largest);
  const float weight = expf(logit - largest);
  state.largest = largest;
  state.total = state.total * kept + weight;
  for (int i = 0; i < ITEMS; ++i) {
    state.sum[i] = state.sum[i] * kept + weight * value[i * 32 + lane];
  }
}

// Zeros and -infinity where there was no key.
__device__ void store(const Online& state, float* output, float* lse, int lane) {
  const bool empty = state.total == 0.0f;
  for (int i = 0; i < ITEMS; ++i) {
    output[i * 32 + lane] = empty ? 0.0f : state.sum[i] / state.total;
  }
  if (lane == 0) {
    *lse = empty ? -INFINITY : (state.largest + logf(state.total)) * 1.4426950408889634f;
  }
}

__global__ void gqa_paged_decode_queries(const float* q, const float* kv_cache,
                                         const int32_t* kv_indptr, const int32_t* kv_indices,
                                         const int32_t* kv_last_page_len, float sm_scale,
                                         float* output, float* lse, int64_t queries) {
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
    const float* keys = kv_cache + (int64_t)kv_indices[page] * 2 * PAGE_SIZE * KV_HEADS * HEAD_DIM;
    const float* values = keys + PAGE_SIZE * KV_HEADS * HEAD_DIM;
    const int tokens = page + 1 == end ? kv_last_page_len[sequence] : PAGE_SIZE;
    for (int t = 0; t < tokens; ++t) {
      const int place = (t * KV_HEADS + kv_head) * HEAD_DIM;
      add_key(state, keys + place, values + place, sm_scale, lane);
    }
  }
  store(state, output + query * HEAD_DIM, lse + query, lane);
}

extern "C" void run(const float* q, const float* kv_cache, const int32_t* kv_indptr,
                    const int32_t* kv_indices, const int32_t* kv_last_page_len, float sm_scale,
                    float* output, float* lse, int64_t batch_size, int64_t num_pages,
                    int64_t len_indptr, int64_t num_kv_indices, cudaStream_t stream) {
  const int64_t queries = batch_size * QO_HEADS;
  const unsigned blocks = (unsigned)((queries + WARPS - 1) / WARPS);
  gqa_paged_decode_queries<<<blocks, WARPS * 32, 0, stream>>>(
      q, kv_cache, kv_indptr, kv_indices, kv_last_page_len, sm_scale, output, lse, queries);
}
