// style: one block a new token, a warp a query head; tiles of 16 keys and values of both key heads
// are loaded once for all six; the logits of a tile lie one in a lane.
#include <cmath>
#include <cstdint>

#define QO_HEADS 6
#define KV_HEADS 2
#define HEAD_DIM 32
#define TILE 16

__global__ void prefill_tokens(const float* q, const float* k, const float* v,
                               const int32_t* qo_indptr, const int32_t* kv_indptr, float sm_scale,
                               float* output, float* lse, int sequences) {
  __shared__ float keys[TILE][KV_HEADS][HEAD_DIM + 1];
  __shared__ float values[TILE][KV_HEADS][HEAD_DIM];
  __shared__ float queries[QO_HEADS][HEAD_DIM];
  const int lane = threadIdx.x, head = threadIdx.y;
  const int kv_head = head / (QO_HEADS / KV_HEADS);
  const int token = blockIdx.x;
  int sequence = 0;
  while (sequence + 1 < sequences && qo_indptr[sequence + 1] <= token) ++sequence;
  const int begin = kv_indptr[sequence];
  const int seen = kv_indptr[sequence + 1] - begin - (qo_indptr[sequence + 1] - 1 - token);
  const int64_t at = (int64_t)token * QO_HEADS + head;
  queries[head][lane] = q[at * HEAD_DIM + lane] * sm_scale;
  float sum = 0.0f, largest = -INFINITY, total = 0.0f;
  for (int start = 0; start < seen; start += TILE) {
    const int count = seen - start < TILE ? seen - start : TILE;
    __syncthreads();
    for (int row = head; row < count * KV_HEADS; row += QO_HEADS) {
      const int64_t from = ((int64_t)(begin + start) * KV_HEADS + row) * HEAD_DIM + lane;
      keys[row / KV_HEADS][row % KV_HEADS][lane] = k[from];
      values[row / KV_HEADS][row % KV_HEADS][lane] = v[from];
    }
    __syncthreads();
    float logit = -INFINITY;
    if (lane < count) {
      logit = 0.0f;
      for (int d = 0; d < HEAD_DIM; ++d) logit += queries[head][d] * keys[lane][kv_head][d];
    }
    float next = logit;
    for (int step = 16; step > 0; step /= 2) {
      next = fmaxf(next, __shfl_xor_sync(0xffffffffu, next, step));
    }
    next = fmaxf(next, largest);
    const float kept = __expf(largest - next);
    largest = next;
    const float weight = __expf(logit - largest);
    float of_tile = weight;
    for (int step = 16; step > 0; step /= 2) {
      of_tile += __shfl_xor_sync(0xffffffffu, of_tile, step);
    }
    total = total * kept + of_tile;
    sum *= kept;
    for (int j = 0; j < count; ++j) {
      sum += __shfl_sync(0xffffffffu, weight, j) * values[j][kv_head][lane];
    }
  }
  output[at * HEAD_DIM + lane] = seen > 0 ? __fdividef(sum, total) : 0.0f;
  if (lane == 0) lse[at] = seen > 0 ? (largest + logf(total)) * 1.4426950408889634f : -INFINITY;
}

extern "C" void run(const float* q, const float* k, const float* v, const int32_t* qo_indptr,
                    const int32_t* kv_indptr, float sm_scale, float* output, float* lse,
                    int64_t len_indptr, int64_t total_q, int64_t total_kv, cudaStream_t stream) {
  prefill_tokens<<<(unsigned)total_q, dim3(32, QO_HEADS), 0, stream>>>(
      q, k, v, qo_indptr, kv_indptr, sm_scale, output, lse, (int)(len_indptr - 1));
}
