// task: causal_attention
// control: a thread a query with its row in registers, keys staged in tiles of 16, softmax online

#include <cstdint>

constexpr int kDim = 64, kTile = 16, kThreads = 64;

__global__ void __launch_bounds__(kThreads)
    causal_kernel(const float* q, const float* k, const float* v, float* output, int64_t seq_len) {
  __shared__ float keys[kTile][kDim], values[kTile][kDim];
  const int64_t base = (int64_t)blockIdx.y * seq_len * kDim;
  const int64_t mine = (int64_t)blockIdx.x * kThreads + threadIdx.x;
  const bool present = mine < seq_len;
  float query[kDim], sum[kDim];
#pragma unroll
  for (int d = 0; d < kDim; ++d) {
    query[d] = present ? q[base + mine * kDim + d] * 0.125f : 0.0f;
    sum[d] = 0.0f;
  }
  float largest = -INFINITY, total = 0.0f;
  int64_t end = (int64_t)(blockIdx.x + 1) * kThreads;  // no query of this block sees a later key
  if (end > seq_len) end = seq_len;
  for (int64_t first = 0; first < end; first += kTile) {
    const int count = (int)(end - first < kTile ? end - first : kTile);
    for (int i = threadIdx.x; i < count * kDim; i += kThreads) {
      keys[i / kDim][i % kDim] = k[base + first * kDim + i];
      values[i / kDim][i % kDim] = v[base + first * kDim + i];
    }
    __syncthreads();
    for (int t = 0; t < count && first + t <= mine; ++t) {
      float logit = 0.0f;
#pragma unroll
      for (int d = 0; d < kDim; ++d) logit += query[d] * keys[t][d];
      const float peak = fmaxf(largest, logit);
      const float keep = expf(largest - peak), weight = expf(logit - peak);
      largest = peak;
      total = total * keep + weight;
#pragma unroll
      for (int d = 0; d < kDim; ++d) sum[d] = sum[d] * keep + weight * values[t][d];
    }
    __syncthreads();
  }
  if (!present) return;
#pragma unroll
  for (int d = 0; d < kDim; ++d) output[base + mine * kDim + d] = sum[d] / total;
}

extern "C" void run(const float* q, const float* k, const float* v, float* output, int64_t batch,
                    int64_t heads, int64_t seq_len, cudaStream_t stream) {
  const dim3 grid((unsigned)((seq_len + kThreads - 1) / kThreads), (unsigned)(batch * heads));
  causal_kernel<<<grid, kThreads, 0, stream>>>(q, k, v, output, seq_len);
}
