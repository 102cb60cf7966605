// style: split-kv: warps take pieces of four pages and leave their states in a workspace, a second
// kernel merges them; all exponentials to base 2.
#include <cmath>
#include <cstdint>

#define QO_HEADS 6
#define KV_HEADS 2
#define HEAD_DIM 32
#define PAGE_SIZE 8
#define PIECE 4

__global__ void decode_pieces(const float* q, const float* kv_cache, const int32_t* kv_indptr,
                              const int32_t* kv_indices, const int32_t* kv_last_page_len,
                              float scale_of_log2, float* sums, float2* states) {
  const int lane = threadIdx.x, head = threadIdx.y;
  const int64_t sequence = blockIdx.x, piece = blockIdx.y;
  const int begin = kv_indptr[sequence] + (int)piece * PIECE;
  const int last = kv_indptr[sequence + 1];
  const int end = begin + PIECE < last ? begin + PIECE : last;
  const int kv_head = head / (QO_HEADS / KV_HEADS);
  const float query = q[(sequence * QO_HEADS + head) * HEAD_DIM + lane];
  float sum = 0.0f, largest = -INFINITY, total = 0.0f;
  for (int page = begin; page < end; ++page) {
    const float* keys = kv_cache + (int64_t)kv_indices[page] * 2 * PAGE_SIZE * KV_HEADS * HEAD_DIM;
    const float* values = keys + PAGE_SIZE * KV_HEADS * HEAD_DIM;
    const int tokens = page + 1 == last ? kv_last_page_len[sequence] : PAGE_SIZE;
    for (int t = 0; t < tokens; ++t) {
      const int at = (t * KV_HEADS + kv_head) * HEAD_DIM + lane;
      float logit = query * keys[at];
      for (int step = 16; step > 0; step /= 2) {
        logit += __shfl_xor_sync(0xffffffffu, logit, step);
      }
      logit *= scale_of_log2;
      const float next = fmaxf(largest, logit);
      const float kept = exp2f(largest - next), weight = exp2f(logit - next);
      sum = fmaf(sum, kept, weight * values[at]);
      total = fmaf(total, kept, weight);
      largest = next;
    }
  }
  const int64_t at = (sequence * gridDim.y + piece) * QO_HEADS + head;
  sums[at * HEAD_DIM + lane] = sum;
  if (lane == 0) states[at] = make_float2(largest, total);
}

__global__ void merge_pieces(const float* sums, const float2* states, int64_t pieces, float* output,
                             float* lse) {
  const int lane = threadIdx.x, head = threadIdx.y;
  const int64_t sequence = blockIdx.x;
  float largest = -INFINITY, total = 0.0f, sum = 0.0f;
  for (int64_t piece = 0; piece < pieces; ++piece) {
    largest = fmaxf(largest, states[(sequence * pieces + piece) * QO_HEADS + head].x);
  }
  for (int64_t piece = 0; piece < pieces; ++piece) {
    const int64_t at = (sequence * pieces + piece) * QO_HEADS + head;
    if (states[at].y == 0.0f) continue;
    const float factor = exp2f(states[at].x - largest);
    total += factor * states[at].y;
    sum += factor * sums[at * HEAD_DIM + lane];
  }
  const int64_t out = sequence * QO_HEADS + head;
  output[out * HEAD_DIM + lane] = total > 0.0f ? sum / total : 0.0f;
  if (lane == 0) lse[out] = total > 0.0f ? largest + log2f(total) : -INFINITY;
}

extern "C" void run(const float* q, const float* kv_cache, const int32_t* kv_indptr,
                    const int32_t* kv_indices, const int32_t* kv_last_page_len, float sm_scale,
                    float* output, float* lse, int64_t batch_size, int64_t num_pages,
                    int64_t len_indptr, int64_t num_kv_indices, cudaStream_t stream) {
  const int64_t pieces = (num_kv_indices + PIECE - 1) / PIECE;  // if one sequence had all pages
  const int64_t states_count = batch_size * pieces * QO_HEADS;
  float* sums = nullptr;
  float2* states = nullptr;
  cudaMallocAsync(&sums, states_count * HEAD_DIM * sizeof(float), stream);
  cudaMallocAsync(&states, states_count * sizeof(float2), stream);
  const dim3 threads(32, QO_HEADS);
  decode_pieces<<<dim3((unsigned)batch_size, (unsigned)pieces), threads, 0, stream>>>(
      q, kv_cache, kv_indptr, kv_indices, kv_last_page_len, sm_scale * 1.4426950408889634f, sums,
      states);
  merge_pieces<<<(unsigned)batch_size, threads, 0, stream>>>(sums, states, pieces, output, lse);
  cudaFreeAsync(sums, stream);
  cudaFreeAsync(states, stream);
}
