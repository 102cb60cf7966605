// A block has some queries of one head, a thread one query. Tiles of keys and values go through
// shared memory, softmax is computed online, a tile at a time.
#include <cfloat>
#include <cstdint>

#define HEAD_DIM 64
#define QUERIES 32
#define KEYS 16

__global__ void attention_tiles(const float* q, const float* k, const float* v, float scale,
                                float* output, int64_t q_len, int64_t kv_len) {
  __shared__ float keys[KEYS][HEAD_DIM];
  __shared__ float values[KEYS][HEAD_DIM];
  const int tid = threadIdx.x;
  const int64_t head = blockIdx.y;
  const int64_t row = (int64_t)blockIdx.x * QUERIES + tid;
  const float* query = q + (head * q_len + row) * HEAD_DIM;
  float sums[HEAD_DIM];
  for (int d = 0; d < HEAD_DIM; ++d) sums[d] = 0.0f;
  float largest = -FLT_MAX;
  float total = 0.0f;

  for (int64_t start = 0; start < kv_len; start += KEYS) {
    for (int i = tid; i < KEYS * HEAD_DIM; i += QUERIES) {
      const int64_t key = start + i / HEAD_DIM;
      const int64_t place = (head * kv_len + key) * HEAD_DIM + i % HEAD_DIM;
      keys[i / HEAD_DIM][i % HEAD_DIM] = key < kv_len ? k[place] : 0.0f;
      values[i / HEAD_DIM][i % HEAD_DIM] = key < kv_len ? v[place] : 0.0f;
    }
    __syncthreads();
    if (row < q_len) {
      float logits[KEYS];
      float larger = largest;
      for (int j = 0; j < KEYS; ++j) {
        float dot = 0.0f;
        for (int d = 0; d < HEAD_DIM; ++d) dot += query[d] * keys[j][d];
        logits[j] = start + j < kv_len ? dot * scale : -FLT_MAX;
        larger = fmaxf(larger, logits[j]);
      }
      const float kept = expf(largest - larger);
      largest = larger;
      total = total * kept;
      for (int d = 0; d < HEAD_DIM; ++d) sums[d] = sums[d] * kept;
      for (int j = 0; j < KEYS; ++j) {
        const float weight = expf(logits[j] - largest);
        total += weight;
        for (int d = 0; d < HEAD_DIM; ++d) sums[d] += weight * values[j][d];
      }
    }
    __syncthreads();
  }
  if (row >= q_len) return;
  for (int d = 0; d < HEAD_DIM; ++d) {
    output[(head * q_len + row) * HEAD_DIM + d] = sums[d] / total;
  }
}

extern "C" void run(const float* q, const float* k, const float* v, float scale, float* output,
                    int64_t batch, int64_t heads, int64_t q_len, int64_t kv_len,
                    cudaStream_t stream) {
  const dim3 blocks((unsigned)((q_len + QUERIES - 1) / QUERIES), (unsigned)(batch * heads));
  attention_tiles<<<blocks, QUERIES, 0, stream>>>(q, k, v, scale, output, q_len, kv_len);
}
