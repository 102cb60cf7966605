// style: three kernels and a workspace: all logits, softmax of each row by a warp, weighted values.
#include <cmath>
#include <cstdint>

#define HEAD_DIM 64

__global__ void logits(const float* q, const float* k, float scale, float* p, int64_t count,
                       int64_t q_len, int64_t kv_len) {
  const int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= count) return;
  const int64_t query = i / kv_len;
  const float4* a = reinterpret_cast<const float4*>(q + query * HEAD_DIM);
  const float4* b =
      reinterpret_cast<const float4*>(k + (query / q_len * kv_len + i % kv_len) * HEAD_DIM);
  float4 sum = make_float4(0.0f, 0.0f, 0.0f, 0.0f);
  for (int d = 0; d < HEAD_DIM / 4; ++d) {
    const float4 x = a[d], y = b[d];
    sum.x = fmaf(x.x, y.x, sum.x);
    sum.y = fmaf(x.y, y.y, sum.y);
    sum.z = fmaf(x.z, y.z, sum.z);
    sum.w = fmaf(x.w, y.w, sum.w);
  }
  p[i] = ((sum.x + sum.y) + (sum.z + sum.w)) * scale;
}

__global__ void softmax(float* p, int64_t queries, int64_t kv_len) {
  const int lane = threadIdx.x % 32;
  const int64_t query = (int64_t)blockIdx.x * 4 + threadIdx.x / 32;
  if (query >= queries) return;
  float* row = p + query * kv_len;
  float largest = -INFINITY, sum = 0.0f;
  for (int64_t j = lane; j < kv_len; j += 32) largest = fmaxf(largest, row[j]);
  for (int step = 16; step > 0; step /= 2) {
    largest = fmaxf(largest, __shfl_xor_sync(0xffffffffu, largest, step));
  }
  for (int64_t j = lane; j < kv_len; j += 32) {
    row[j] = expf(row[j] - largest);
    sum += row[j];
  }
  for (int step = 16; step > 0; step /= 2) sum += __shfl_xor_sync(0xffffffffu, sum, step);
  for (int64_t j = lane; j < kv_len; j += 32) row[j] /= sum;
}

__global__ void weigh(const float* p, const float* v, float* output, int64_t q_len,
                      int64_t kv_len) {
  const int64_t query = blockIdx.x;
  const float* values = v + query / q_len * kv_len * HEAD_DIM + threadIdx.x;
  float sum = 0.0f;
  for (int64_t j = 0; j < kv_len; ++j) sum += p[query * kv_len + j] * values[j * HEAD_DIM];
  output[query * HEAD_DIM + threadIdx.x] = sum;
}

extern "C" void run(const float* q, const float* k, const float* v, float scale, float* output,
                    int64_t batch, int64_t heads, int64_t q_len, int64_t kv_len,
                    cudaStream_t stream) {
  const int64_t queries = batch * heads * q_len;
  float* p = nullptr;
  cudaMallocAsync(&p, queries * kv_len * sizeof(float), stream);
  logits<<<(unsigned)((queries * kv_len + 127) / 128), 128, 0, stream>>>(
      q, k, scale, p, queries * kv_len, q_len, kv_len);
  softmax<<<(unsigned)((queries + 3) / 4), 128, 0, stream>>>(p, queries, kv_len);
  weigh<<<(unsigned)queries, HEAD_DIM, 0, stream>>>(p, v, output, q_len, kv_len);
  cudaFreeAsync(p, stream);
}
