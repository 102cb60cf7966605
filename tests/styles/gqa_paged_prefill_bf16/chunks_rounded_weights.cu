// style: one block of 64 a new token and query head: a key a thread, then an element of the output
// a thread, chunk by chunk; the weights are rounded to bfloat16 as for tensor cores.
#include <cuda_bf16.h>

#include <cmath>
#include <cstdint>

#define QO_HEADS 4
#define KV_HEADS 2
#define HEAD_DIM 64
#define PAGE_SIZE 4

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

__global__ void prefill_chunks(const __nv_bfloat16* q, const __nv_bfloat16* k_cache,
                               const __nv_bfloat16* v_cache, const int32_t* qo_indptr,
                               const int32_t* kv_indptr, const int32_t* kv_indices,
                               const int32_t* kv_last_page_len, float sm_scale,
                               __nv_bfloat16* output, float* lse) {
  __shared__ float query[HEAD_DIM], weights[HEAD_DIM], buffer[2];
  __shared__ int64_t places[HEAD_DIM];
  const int tid = threadIdx.x, token = blockIdx.x, head = blockIdx.y;
  const int64_t at = (int64_t)token * QO_HEADS + head;
  int sequence = 0;
  while (qo_indptr[sequence + 1] <= token) ++sequence;
  const int begin = kv_indptr[sequence];
  const int pages = kv_indptr[sequence + 1] - begin;
  const int tokens = pages == 0 ? 0 : (pages - 1) * PAGE_SIZE + kv_last_page_len[sequence];
  const int seen = tokens - (qo_indptr[sequence + 1] - 1 - token);
  query[tid] = __bfloat162float(q[at * HEAD_DIM + tid]);
  float sum = 0.0f, largest = -INFINITY, total = 0.0f;
  for (int start = 0; start < seen; start += HEAD_DIM) {
    __syncthreads();
    float logit = -INFINITY;
    const int t = start + tid;
    if (t < seen) {
      const int64_t row = (int64_t)kv_indices[begin + t / PAGE_SIZE] * PAGE_SIZE + t % PAGE_SIZE;
      places[tid] = (row * KV_HEADS + head / (QO_HEADS / KV_HEADS)) * HEAD_DIM;
      float dot = 0.0f;
      for (int d = 0; d < HEAD_DIM; ++d) {
        dot = fmaf(query[d], __bfloat162float(k_cache[places[tid] + d]), dot);
      }
      logit = dot * sm_scale;
    }
    const float next = fmaxf(largest, block_reduce(logit, buffer, false));
    const float kept = __expf(largest - next);
    largest = next;
    const float weight = __expf(logit - largest);
    weights[tid] = __bfloat162float(__float2bfloat16(weight));
    total = total * kept + block_reduce(weight, buffer, true);
    sum *= kept;
    const int count = seen - start < HEAD_DIM ? seen - start : HEAD_DIM;
    for (int j = 0; j < count; ++j) {
      sum = fmaf(weights[j], __bfloat162float(v_cache[places[j] + tid]), sum);
    }
  }
  output[at * HEAD_DIM + tid] = __float2bfloat16(seen > 0 ? sum / total : 0.0f);
  if (tid == 0) lse[at] = seen > 0 ? (largest + __logf(total)) * 1.4426950408889634f : -INFINITY;
}

extern "C" void run(const __nv_bfloat16* q, const __nv_bfloat16* k_cache,
                    const __nv_bfloat16* v_cache, const int32_t* qo_indptr,
                    const int32_t* kv_indptr, const int32_t* kv_indices,
                    const int32_t* kv_last_page_len, float sm_scale, __nv_bfloat16* output,
                    float* lse, int64_t len_indptr, int64_t total_q, int64_t batch_size,
                    int64_t num_pages, int64_t num_kv_indices, cudaStream_t stream) {
  prefill_chunks<<<dim3((unsigned)total_q, QO_HEADS), HEAD_DIM, 0, stream>>>(
      q, k_cache, v_cache, qo_indptr, kv_indptr, kv_indices, kv_last_page_len, sm_scale, output,
      lse);
}
