// style: one block a query; a thread a key for chunks of 128 logits in shared memory, a thread two
// elements of the output; half2 products, float32 sums.
#include <cuda_fp16.h>

#include <cmath>
#include <cstdint>

#define HEAD_DIM 64
#define CHUNK 128

__device__ float block_reduce(float value, float* of_warps, bool sum) {
  for (int step = 16; step > 0; step /= 2) {
    const float other = __shfl_xor_sync(0xffffffffu, value, step);
    value = sum ? value + other : fmaxf(value, other);
  }
  if (threadIdx.x % 32 == 0) of_warps[threadIdx.x / 32] = value;
  __syncthreads();
  value = of_warps[0];
  for (int i = 1; i < CHUNK / 32; ++i) {
    value = sum ? value + of_warps[i] : fmaxf(value, of_warps[i]);
  }
  __syncthreads();
  return value;
}

__global__ void attention_chunks(const __half2* q, const __half2* k, const __half2* v,
                                 __half2* output, int64_t q_len, int64_t kv_len) {
  __shared__ float2 query[HEAD_DIM / 2];
  __shared__ float weights[CHUNK];
  __shared__ float of_warps[CHUNK / 32];
  __shared__ float2 parts[CHUNK];
  const int tid = threadIdx.x;
  const int64_t first = blockIdx.x / q_len * kv_len;
  if (tid < HEAD_DIM / 2) query[tid] = __half22float2(q[blockIdx.x * (HEAD_DIM / 2) + tid]);
  __syncthreads();
  const int pair = tid % 32, part = tid / 32;
  float largest = -INFINITY, total = 0.0f;
  float2 sum = make_float2(0.0f, 0.0f);
  for (int64_t start = 0; start < kv_len; start += CHUNK) {
    float logit = -INFINITY;
    if (start + tid < kv_len) {
      const __half2* key = k + (first + start + tid) * (HEAD_DIM / 2);
      float dot = 0.0f;
      for (int d = 0; d < HEAD_DIM / 2; ++d) {
        const float2 x = __half22float2(key[d]);
        dot = fmaf(query[d].x, x.x, fmaf(query[d].y, x.y, dot));
      }
      logit = dot * 0.125f;
    }
    const float next = fmaxf(largest, block_reduce(logit, of_warps, false));
    const float kept = expf(largest - next);
    largest = next;
    const float weight = expf(logit - largest);
    weights[tid] = weight;
    total = total * kept + block_reduce(weight, of_warps, true);
    sum.x *= kept;
    sum.y *= kept;
    const int count = (int)(kv_len - start < CHUNK ? kv_len - start : CHUNK);
    for (int j = part; j < count; j += CHUNK / 32) {
      const float2 x = __half22float2(v[(first + start + j) * (HEAD_DIM / 2) + pair]);
      sum.x = fmaf(weights[j], x.x, sum.x);
      sum.y = fmaf(weights[j], x.y, sum.y);
    }
    __syncthreads();
  }
  parts[tid] = sum;
  __syncthreads();
  if (part != 0) return;
  for (int i = 1; i < CHUNK / 32; ++i) {
    sum.x += parts[i * 32 + pair].x;
    sum.y += parts[i * 32 + pair].y;
  }
  output[blockIdx.x * (HEAD_DIM / 2) + pair] = __floats2half2_rn(sum.x / total, sum.y / total);
}

extern "C" void run(const __half* q, const __half* k, const __half* v, __half* output,
                    int64_t batch, int64_t heads, int64_t q_len, int64_t kv_len,
                    cudaStream_t stream) {
  attention_chunks<<<(unsigned)(batch * heads * q_len), CHUNK, 0, stream>>>(
      reinterpret_cast<const __half2*>(q), reinterpret_cast<const __half2*>(k),
      reinterpret_cast<const __half2*>(v), reinterpret_cast<__half2*>(output), q_len, kv_len);
}
