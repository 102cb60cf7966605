// One warp a query; softmax is computed online.
#include <cuda_fp16.h>

#include <cfloat>
#include <cstdint>

#define HEAD_DIM 64
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

__global__ void attention_fp16_queries(const __half* q, const __half* k, const __half* v,
                                       __half* output, int64_t queries, int64_t q_len,
                                       int64_t kv_len) {
  const int lane = threadIdx.x % 32;
  const int64_t query = (int64_t)blockIdx.x * WARPS + threadIdx.x / 32;
  if (query >= queries) return;
  const int64_t first = query / q_len * kv_len;
  const int64_t seen = kv_len;

  Online state;
  start(state, q + query * HEAD_DIM, lane);
  for (int64_t j = first; j < first + seen; ++j) {
    add_key(state, k + j * HEAD_DIM, v + j * HEAD_DIM, 0.125f, lane);
  }
  for (int i = 0; i < ITEMS; ++i) {
    output[query * HEAD_DIM + i * 32 + lane] = __float2half(state.sum[i] / state.total);
  }
}

extern "C" void run(const __half* q, const __half* k, const __half* v, __half* output,
                    int64_t batch, int64_t heads, int64_t q_len, int64_t kv_len,
                    cudaStream_t stream) {
  const int64_t queries = batch * heads * q_len;
  const unsigned blocks = (unsigned)((queries + WARPS - 1) / WARPS);
  attention_fp16_queries<<<blocks, WARPS * 32, 0, stream>>>(q, k, v, output, queries, q_len,
                                                            kv_len);
}
