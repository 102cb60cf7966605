// style: one block a sequence and key head; its four warps share out the tokens and each does all
// three query heads of the group; their online states are merged in shared memory.
#include <cmath>
#include <cstdint>

#define QO_HEADS 6
#define KV_HEADS 2
#define GROUP 3
#define HEAD_DIM 32
#define PAGE_SIZE 8
#define WARPS 4

__device__ float warp_sum(float value) {
  for (int step = 16; step > 0; step /= 2) value += __shfl_xor_sync(0xffffffffu, value, step);
  return value;
}

__global__ void decode_groups(const float* q, const float* kv_cache, const int32_t* kv_indptr,
                              const int32_t* kv_indices, const int32_t* kv_last_page_len,
                              float sm_scale, float* output, float* lse) {
  __shared__ float maxima[WARPS][GROUP], totals[WARPS][GROUP], sums[WARPS][GROUP][HEAD_DIM];
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  const int64_t sequence = blockIdx.x;
  const int kv_head = blockIdx.y;
  const int begin = kv_indptr[sequence];
  const int pages = kv_indptr[sequence + 1] - begin;
  const int tokens = pages == 0 ? 0 : (pages - 1) * PAGE_SIZE + kv_last_page_len[sequence];
  const int64_t first = sequence * QO_HEADS + kv_head * GROUP;
  float query[GROUP], sum[GROUP], largest[GROUP], total[GROUP];
#pragma unroll
  for (int g = 0; g < GROUP; ++g) {
    query[g] = q[(first + g) * HEAD_DIM + lane] * sm_scale;
    sum[g] = total[g] = 0.0f;
    largest[g] = -INFINITY;
  }
  for (int t = warp; t < tokens; t += WARPS) {
    const int64_t page = kv_indices[begin + t / PAGE_SIZE];
    const int64_t row = page * 2 * PAGE_SIZE + t % PAGE_SIZE;
    const float key = kv_cache[(row * KV_HEADS + kv_head) * HEAD_DIM + lane];
    const float value = kv_cache[((row + PAGE_SIZE) * KV_HEADS + kv_head) * HEAD_DIM + lane];
#pragma unroll
    for (int g = 0; g < GROUP; ++g) {
      const float logit = warp_sum(query[g] * key);
      const float next = fmaxf(largest[g], logit);
      const float kept = __expf(largest[g] - next), weight = __expf(logit - next);
      sum[g] = sum[g] * kept + weight * value;
      total[g] = total[g] * kept + weight;
      largest[g] = next;
    }
  }
#pragma unroll
  for (int g = 0; g < GROUP; ++g) {
    sums[warp][g][lane] = sum[g];
    if (lane == 0) {
      maxima[warp][g] = largest[g];
      totals[warp][g] = total[g];
    }
  }
  __syncthreads();
  if (warp >= GROUP) return;
  float most = -INFINITY, all = 0.0f, out = 0.0f;
  for (int w = 0; w < WARPS; ++w) most = fmaxf(most, maxima[w][warp]);
  for (int w = 0; w < WARPS && tokens > 0; ++w) {
    const float factor = __expf(maxima[w][warp] - most);
    all += factor * totals[w][warp];
    out += factor * sums[w][warp][lane];
  }
  output[(first + warp) * HEAD_DIM + lane] = tokens > 0 ? out / all : 0.0f;
  if (lane == 0) {
    lse[first + warp] = tokens > 0 ? most * 1.4426950408889634f + log2f(all) : -INFINITY;
  }
}

extern "C" void run(const float* q, const float* kv_cache, const int32_t* kv_indptr,
                    const int32_t* kv_indices, const int32_t* kv_last_page_len, float sm_scale,
                    float* output, float* lse, int64_t batch_size, int64_t num_pages,
                    int64_t len_indptr, int64_t num_kv_indices, cudaStream_t stream) {
  decode_groups<<<dim3((unsigned)batch_size, KV_HEADS), WARPS * 32, 0, stream>>>(
      q, kv_cache, kv_indptr, kv_indices, kv_last_page_len, sm_scale, output, lse);
}
