// style: two kernels: all logits into a workspace, a thread each; then a block a query takes
// maximum, sum and the weighted values; probabilities are rounded to half.
#include <cuda_fp16.h>

#include <cmath>
#include <cstdint>

#define QO_HEADS 8
#define KV_HEADS 2
#define HEAD_DIM 64
#define PAGE_SIZE 16

// A thread has one slot of one listed page, for one query head.
__global__ void all_logits(const __half* q, const __half* k_cache, const int32_t* kv_indptr,
                           const int32_t* kv_indices, float sm_scale, float* logits,
                           int64_t slots) {
  const int64_t slot = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  const int head = blockIdx.y;
  if (slot >= slots) return;
  const int listed = (int)(slot / PAGE_SIZE);
  int sequence = 0;
  while (kv_indptr[sequence + 1] <= listed) ++sequence;
  const int64_t row = (int64_t)kv_indices[listed] * PAGE_SIZE + slot % PAGE_SIZE;
  const int kv_head = head / (QO_HEADS / KV_HEADS);
  const uint4* key =
      reinterpret_cast<const uint4*>(k_cache + (row * KV_HEADS + kv_head) * HEAD_DIM);
  const uint4* query =
      reinterpret_cast<const uint4*>(q + ((int64_t)sequence * QO_HEADS + head) * HEAD_DIM);
  float sum = 0.0f;
  for (int d = 0; d < HEAD_DIM / 8; ++d) {
    const uint4 a = query[d], b = key[d];
    const __half2* x = reinterpret_cast<const __half2*>(&a);
    const __half2* y = reinterpret_cast<const __half2*>(&b);
    for (int i = 0; i < 4; ++i) {
      const float2 p = __half22float2(x[i]), r = __half22float2(y[i]);
      sum += p.x * r.x + p.y * r.y;
    }
  }
  logits[head * slots + slot] = sum * sm_scale;
}

__device__ float block_reduce(float value, float* buffer, bool sum) {
  for (int step = 16; step > 0; step /= 2) {
    const float other = __shfl_xor_sync(0xffffffffu, value, step);
    value = sum ? value + other : fmaxf(value, other);
  }
  if (threadIdx.x % 32 == 0) buffer[threadIdx.x / 32] = value;
  __syncthreads();
  value = sum ? buffer[0] + buffer[1] : fmaxf(buffer[0], buffer[1]);
  __syncthreads();
  return value;
}

__global__ void weigh_values(const float* logits, const __half* v_cache, const int32_t* kv_indptr,
                             const int32_t* kv_indices, const int32_t* kv_last_page_len,
                             __half* output, float* lse, int64_t slots) {
  __shared__ float buffer[2];
  const int64_t sequence = blockIdx.x;
  const int head = blockIdx.y, d = threadIdx.x;
  const int begin = kv_indptr[sequence];
  const int pages = kv_indptr[sequence + 1] - begin;
  const int tokens = pages == 0 ? 0 : (pages - 1) * PAGE_SIZE + kv_last_page_len[sequence];
  const int64_t at = sequence * QO_HEADS + head;
  const float* mine = logits + head * slots + (int64_t)begin * PAGE_SIZE;
  float largest = -INFINITY, sum = 0.0f;
  for (int t = d; t < tokens; t += HEAD_DIM) largest = fmaxf(largest, mine[t]);
  largest = block_reduce(largest, buffer, false);
  for (int t = d; t < tokens; t += HEAD_DIM) sum += expf(mine[t] - largest);
  sum = block_reduce(sum, buffer, true);
  float out = 0.0f;
  for (int t = 0; t < tokens; ++t) {
    const int64_t row = (int64_t)kv_indices[begin + t / PAGE_SIZE] * PAGE_SIZE + t % PAGE_SIZE;
    const __half p = __float2half(expf(mine[t] - largest) / sum);
    const int kv_head = head / (QO_HEADS / KV_HEADS);
    out += __half2float(p) * __half2float(v_cache[(row * KV_HEADS + kv_head) * HEAD_DIM + d]);
  }
  output[at * HEAD_DIM + d] = __float2half(out);
  if (d == 0) lse[at] = tokens == 0 ? -INFINITY : (largest + logf(sum)) * 1.4426950408889634f;
}

extern "C" void run(const __half* q, const __half* k_cache, const __half* v_cache,
                    const int32_t* kv_indptr, const int32_t* kv_indices,
                    const int32_t* kv_last_page_len, float sm_scale, __half* output, float* lse,
                    int64_t batch_size, int64_t num_pages, int64_t len_indptr,
                    int64_t num_kv_indices, cudaStream_t stream) {
  const int64_t slots = num_kv_indices * PAGE_SIZE;
  float* logits = nullptr;
  cudaMallocAsync(&logits, slots * QO_HEADS * sizeof(float), stream);
  all_logits<<<dim3((unsigned)((slots + 63) / 64), QO_HEADS), 64, 0, stream>>>(
      q, k_cache, kv_indptr, kv_indices, sm_scale, logits, slots);
  weigh_values<<<dim3((unsigned)batch_size, QO_HEADS), HEAD_DIM, 0, stream>>>(
      logits, v_cache, kv_indptr, kv_indices, kv_last_page_len, output, lse, slots);
  cudaFreeAsync(logits, stream);
}
