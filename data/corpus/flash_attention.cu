// task: attention
// control: tiles of 32 keys in shared memory, softmax online, keys beyond the last one masked

#include <cstdint>

constexpr int kDim = 64, kTile = 32, kQueries = 4;

// A warp a query: its lane t holds the logit of key t of the tile, then columns t and t + 32.
__global__ void flash_kernel(const float* __restrict__ q, const float* __restrict__ k,
                             const float* __restrict__ v, float scale, float* __restrict__ output,
                             int64_t q_len, int64_t kv_len) {
  __shared__ float keys[kTile][kDim + 1], values[kTile][kDim];
  __shared__ float query[kQueries][kDim];
  const int lane = threadIdx.x, warp = threadIdx.y;
  const int64_t head = blockIdx.y;
  const int64_t row = (int64_t)blockIdx.x * kQueries + warp;
  const bool present = row < q_len;
  const int64_t query_at = (head * q_len + row) * kDim;
  for (int d = lane; d < kDim; d += 32) query[warp][d] = present ? q[query_at + d] * scale : 0.0f;

  float largest = -INFINITY, total = 0.0f, low = 0.0f, high = 0.0f;
  for (int64_t first = 0; first < kv_len; first += kTile) {
    __syncthreads();
    for (int i = warp * 32 + lane; i < kTile * kDim; i += 32 * kQueries) {
      const int t = i / kDim, d = i % kDim;
      const bool inside = first + t < kv_len;
      const int64_t at = (head * kv_len + first + t) * kDim + d;
      keys[t][d] = inside ? k[at] : 0.0f;
      values[t][d] = inside ? v[at] : 0.0f;
    }
    __syncthreads();
    float logit = 0.0f;
    for (int d = 0; d < kDim; ++d) logit += query[warp][d] * keys[lane][d];
    if (first + lane >= kv_len) logit = -INFINITY;
    float peak = logit;
    for (int step = 16; step > 0; step >>= 1) {
      peak = fmaxf(peak, __shfl_xor_sync(~0u, peak, step));
    }
    peak = fmaxf(peak, largest);
    const float weight = expf(logit - peak), rescale = expf(largest - peak);
    largest = peak;
    float sum = weight;
    for (int step = 16; step > 0; step >>= 1) sum += __shfl_xor_sync(~0u, sum, step);
    total = total * rescale + sum;
    low *= rescale;
    high *= rescale;
    for (int t = 0; t < kTile; ++t) {
      const float w = __shfl_sync(~0u, weight, t);
      low += w * values[t][lane];
      high += w * values[t][lane + 32];
    }
  }
  if (!present) return;
  output[query_at + lane] = low / total;
  output[query_at + lane + 32] = high / total;
}

extern "C" void run(const float* q, const float* k, const float* v, float scale, float* output,
                    int64_t batch, int64_t heads, int64_t q_len, int64_t kv_len,
                    cudaStream_t stream) {
  const dim3 grid((unsigned)((q_len + kQueries - 1) / kQueries), (unsigned)(batch * heads));
  flash_kernel<<<grid, dim3(32, kQueries), 0, stream>>>(q, k, v, scale, output, q_len, kv_len);
}
