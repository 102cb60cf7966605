// style: one thread a query with query and sum in registers; 16 keys and values at a time in shared
// memory; online softmax to base 2, rescaled once a tile.
#include <cmath>
#include <cstdint>

#define HEAD_DIM 64
#define QUERIES 32
#define KEYS 16

__global__ void attention_tiles(const float* q, const float* k, const float* v, float scale,
                                float* output, int64_t q_len, int64_t kv_len, int64_t tiles) {
  __shared__ float4 keys[KEYS][HEAD_DIM / 4];
  __shared__ float4 values[KEYS][HEAD_DIM / 4];
  const int64_t head = blockIdx.x / tiles;
  const int64_t row = blockIdx.x % tiles * QUERIES + threadIdx.x;
  const bool active = row < q_len;
  float query[HEAD_DIM], sum[HEAD_DIM];
#pragma unroll
  for (int d = 0; d < HEAD_DIM; ++d) {
    query[d] =
        active ? q[(head * q_len + row) * HEAD_DIM + d] * (scale * 1.4426950408889634f) : 0.0f;
    sum[d] = 0.0f;
  }
  float largest = -INFINITY, total = 0.0f;
  for (int64_t start = 0; start < kv_len; start += KEYS) {
    const int count = (int)(kv_len - start < KEYS ? kv_len - start : KEYS);
    __syncthreads();
    const float4* from_k = reinterpret_cast<const float4*>(k + (head * kv_len + start) * HEAD_DIM);
    const float4* from_v = reinterpret_cast<const float4*>(v + (head * kv_len + start) * HEAD_DIM);
    for (int i = threadIdx.x; i < count * (HEAD_DIM / 4); i += QUERIES) {
      keys[i / (HEAD_DIM / 4)][i % (HEAD_DIM / 4)] = from_k[i];
      values[i / (HEAD_DIM / 4)][i % (HEAD_DIM / 4)] = from_v[i];
    }
    __syncthreads();
    float logit[KEYS];
    float next = largest;
#pragma unroll
    for (int j = 0; j < KEYS; ++j) {
      float dot = 0.0f;
#pragma unroll
      for (int d = 0; d < HEAD_DIM / 4; ++d) {
        const float4 key = j < count ? keys[j][d] : make_float4(0.0f, 0.0f, 0.0f, 0.0f);
        dot += query[4 * d] * key.x + query[4 * d + 1] * key.y + query[4 * d + 2] * key.z +
               query[4 * d + 3] * key.w;
      }
      logit[j] = j < count ? dot : -INFINITY;
      next = fmaxf(next, logit[j]);
    }
    const float kept = exp2f(largest - next);
    largest = next;
    total *= kept;
#pragma unroll
    for (int d = 0; d < HEAD_DIM; ++d) sum[d] *= kept;
#pragma unroll
    for (int j = 0; j < KEYS; ++j) {
      if (j >= count) continue;
      const float weight = exp2f(logit[j] - largest);
      total += weight;
#pragma unroll
      for (int d = 0; d < HEAD_DIM / 4; ++d) {
        const float4 value = values[j][d];
        sum[4 * d] += weight * value.x;
        sum[4 * d + 1] += weight * value.y;
        sum[4 * d + 2] += weight * value.z;
        sum[4 * d + 3] += weight * value.w;
      }
    }
  }
  if (!active) return;
#pragma unroll
  for (int d = 0; d < HEAD_DIM; ++d) {
    output[(head * q_len + row) * HEAD_DIM + d] = sum[d] / total;
  }
}

extern "C" void run(const float* q, const float* k, const float* v, float scale, float* output,
                    int64_t batch, int64_t heads, int64_t q_len, int64_t kv_len,
                    cudaStream_t stream) {
  const int64_t tiles = (q_len + QUERIES - 1) / QUERIES;
  attention_tiles<<<(unsigned)(batch * heads * tiles), QUERIES, 0, stream>>>(q, k, v, scale, output,
                                                                             q_len, kv_len, tiles);
}
