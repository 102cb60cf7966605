// style: one warp a query, no online softmax: a first pass with a key a lane finds maximum and sum,
// a second computes the logits again and weighs the values.
#include <cmath>
#include <cstdint>

#define HEAD_DIM 64

__device__ float logit_of(const float4* query, const float* key) {
  float sum = 0.0f;
#pragma unroll
  for (int d = 0; d < HEAD_DIM / 4; ++d) {
    const float4 a = query[d], b = reinterpret_cast<const float4*>(key)[d];
    sum += a.x * b.x + a.y * b.y + a.z * b.z + a.w * b.w;
  }
  return 0.125f * sum;
}

__global__ void causal_two_passes(const float* q, const float* k, const float* v, float* output,
                                  int64_t queries, int64_t seq_len) {
  const int lane = threadIdx.x % 32;
  const int64_t query = (int64_t)blockIdx.x * 4 + threadIdx.x / 32;
  if (query >= queries) return;
  const float4* mine = reinterpret_cast<const float4*>(q + query * HEAD_DIM);
  const int64_t seen = query % seq_len + 1;
  const float* keys = k + query / seq_len * seq_len * HEAD_DIM;
  const float* values = v + query / seq_len * seq_len * HEAD_DIM;
  float largest = -INFINITY, sum = 0.0f;
  for (int64_t j = lane; j < seen; j += 32) {
    const float logit = logit_of(mine, keys + j * HEAD_DIM);
    const float next = fmaxf(largest, logit);
    sum = sum * expf(largest - next) + expf(logit - next);
    largest = next;
  }
  float both = largest;
  for (int step = 16; step > 0; step /= 2) {
    both = fmaxf(both, __shfl_xor_sync(0xffffffffu, both, step));
  }
  sum *= expf(largest - both);
  for (int step = 16; step > 0; step /= 2) sum += __shfl_xor_sync(0xffffffffu, sum, step);
  float2 out = make_float2(0.0f, 0.0f);
  for (int64_t start = 0; start < seen; start += 32) {
    const bool inside = start + lane < seen;
    const float p =
        inside ? expf(logit_of(mine, keys + (start + lane) * HEAD_DIM) - both) / sum : 0.0f;
    const int count = (int)(seen - start < 32 ? seen - start : 32);
    for (int j = 0; j < count; ++j) {
      const float weight = __shfl_sync(0xffffffffu, p, j);
      const float2 value = reinterpret_cast<const float2*>(values + (start + j) * HEAD_DIM)[lane];
      out.x = fmaf(weight, value.x, out.x);
      out.y = fmaf(weight, value.y, out.y);
    }
  }
  reinterpret_cast<float2*>(output + query * HEAD_DIM)[lane] = out;
}

extern "C" void run(const float* q, const float* k, const float* v, float* output, int64_t batch,
                    int64_t heads, int64_t seq_len, cudaStream_t stream) {
  const int64_t queries = batch * heads * seq_len;
  causal_two_passes<<<(unsigned)((queries + 3) / 4), 128, 0, stream>>>(q, k, v, output, queries,
                                                                       seq_len);
}
