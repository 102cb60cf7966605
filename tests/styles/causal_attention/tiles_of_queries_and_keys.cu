// style: a block has 16 queries, 8 threads each; tiles of 16 keys up to the diagonal in shared
// memory, logits too; __expf, rescaled once a tile.
#include <cmath>
#include <cstdint>

#define HEAD_DIM 64
#define TILE 16
#define PER_QUERY 8

__global__ void causal_tiles(const float* q, const float* k, const float* v, float* output,
                             int64_t seq_len, int64_t tiles) {
  __shared__ float queries[TILE][HEAD_DIM + 1];
  __shared__ float keys[TILE][HEAD_DIM + 1];
  __shared__ float values[TILE][HEAD_DIM];
  __shared__ float logits[TILE][TILE + 1];
  const int tid = threadIdx.x, mine = tid / PER_QUERY, part = tid % PER_QUERY;
  const int64_t head = blockIdx.x / tiles;
  const int64_t first = blockIdx.x % tiles * TILE;
  const int64_t base = head * seq_len * HEAD_DIM;
  for (int i = tid; i < TILE * HEAD_DIM; i += TILE * PER_QUERY) {
    const int64_t row = first + i / HEAD_DIM;
    queries[i / HEAD_DIM][i % HEAD_DIM] =
        row < seq_len ? 0.125f * q[base + row * HEAD_DIM + i % HEAD_DIM] : 0.0f;
  }
  float sum[HEAD_DIM / PER_QUERY] = {};
  float largest = -INFINITY, total = 0.0f;
  for (int64_t start = 0; start <= first; start += TILE) {
    __syncthreads();
    for (int i = tid; i < TILE * HEAD_DIM; i += TILE * PER_QUERY) {
      const int64_t row = start + i / HEAD_DIM;
      const int64_t at = base + row * HEAD_DIM + i % HEAD_DIM;
      keys[i / HEAD_DIM][i % HEAD_DIM] = row < seq_len ? k[at] : 0.0f;
      values[i / HEAD_DIM][i % HEAD_DIM] = row < seq_len ? v[at] : 0.0f;
    }
    __syncthreads();
    for (int j = part; j < TILE; j += PER_QUERY) {
      float dot = 0.0f;
      for (int d = 0; d < HEAD_DIM; ++d) dot = fmaf(queries[mine][d], keys[j][d], dot);
      logits[mine][j] = start + j <= first + mine ? dot : -INFINITY;
    }
    __syncthreads();
    float next = largest;
    for (int j = 0; j < TILE; ++j) next = fmaxf(next, logits[mine][j]);
    const float kept = __expf(largest - next);
    largest = next;
    total *= kept;
    for (float& of_sum : sum) of_sum *= kept;
    for (int j = 0; j < TILE; ++j) {
      const float weight = __expf(logits[mine][j] - largest);
      total += weight;
#pragma unroll
      for (int d = 0; d < HEAD_DIM / PER_QUERY; ++d) {
        sum[d] = fmaf(weight, values[j][d * PER_QUERY + part], sum[d]);
      }
    }
  }
  if (first + mine >= seq_len) return;
  const float factor = 1.0f / total;
#pragma unroll
  for (int d = 0; d < HEAD_DIM / PER_QUERY; ++d) {
    output[base + (first + mine) * HEAD_DIM + d * PER_QUERY + part] = sum[d] * factor;
  }
}

extern "C" void run(const float* q, const float* k, const float* v, float* output, int64_t batch,
                    int64_t heads, int64_t seq_len, cudaStream_t stream) {
  const int64_t tiles = (seq_len + TILE - 1) / TILE;
  causal_tiles<<<(unsigned)(batch * heads * tiles), TILE * PER_QUERY, 0, stream>>>(q, k, v, output,
                                                                                   seq_len, tiles);
}
