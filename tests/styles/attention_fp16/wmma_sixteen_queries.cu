// style: tensor cores for both products: a warp has 16 queries and takes 16 keys at a time;
// probabilities are rounded to half, sums stay float32 in shared memory.
#include <cuda_fp16.h>
#include <mma.h>

#include <cmath>
#include <cstdint>

#define HEAD_DIM 64
#define TILE 16

__device__ void copy_rows(__half* to, const __half* from, int count) {
  for (int i = threadIdx.x; i < TILE * HEAD_DIM; i += 32) {
    to[i] = i < count * HEAD_DIM ? from[i] : __half(0.0f);
  }
}

__global__ void attention_wmma(const __half* q, const __half* k, const __half* v, __half* output,
                               int64_t q_len, int64_t kv_len, int64_t tiles) {
  __shared__ alignas(32) __half queries[TILE * HEAD_DIM];
  __shared__ alignas(32) __half keys[TILE * HEAD_DIM];
  __shared__ alignas(32) __half values[TILE * HEAD_DIM];
  __shared__ alignas(32) __half p[TILE * TILE];
  __shared__ alignas(32) float logits[TILE * TILE];
  __shared__ alignas(32) float sums[TILE * HEAD_DIM];
  __shared__ float totals[TILE];
  __shared__ float kept[TILE];
  namespace wmma = nvcuda::wmma;
  const int lane = threadIdx.x;
  const int64_t head = blockIdx.x / tiles;
  const int64_t first = blockIdx.x % tiles * TILE;
  const int rows = (int)(q_len - first < TILE ? q_len - first : TILE);
  copy_rows(queries, q + (head * q_len + first) * HEAD_DIM, rows);
  for (int i = lane; i < TILE * HEAD_DIM; i += 32) sums[i] = 0.0f;
  float largest = -INFINITY, total = 0.0f;  // of row `lane`, in the first 16 lanes
  for (int64_t start = 0; start < kv_len; start += TILE) {
    const int count = (int)(kv_len - start < TILE ? kv_len - start : TILE);
    copy_rows(keys, k + (head * kv_len + start) * HEAD_DIM, count);
    copy_rows(values, v + (head * kv_len + start) * HEAD_DIM, count);
    __syncwarp();
    wmma::fragment<wmma::accumulator, TILE, TILE, TILE, float> product;
    wmma::fill_fragment(product, 0.0f);
    for (int d = 0; d < HEAD_DIM; d += TILE) {
      wmma::fragment<wmma::matrix_a, TILE, TILE, TILE, __half, wmma::row_major> of_q;
      wmma::fragment<wmma::matrix_b, TILE, TILE, TILE, __half, wmma::col_major> of_k;
      wmma::load_matrix_sync(of_q, queries + d, HEAD_DIM);
      wmma::load_matrix_sync(of_k, keys + d, HEAD_DIM);
      wmma::mma_sync(product, of_q, of_k, product);
    }
    wmma::store_matrix_sync(logits, product, TILE, wmma::mem_row_major);
    __syncwarp();
    if (lane < TILE) {
      float next = largest;
      for (int j = 0; j < count; ++j) next = fmaxf(next, 0.125f * logits[lane * TILE + j]);
      kept[lane] = __expf(largest - next);
      total *= kept[lane];
      largest = next;
      for (int j = 0; j < TILE; ++j) {
        const float weight = j < count ? __expf(0.125f * logits[lane * TILE + j] - next) : 0.0f;
        p[lane * TILE + j] = __float2half(weight);
        total += weight;
      }
    }
    __syncwarp();
    for (int i = lane; i < TILE * HEAD_DIM; i += 32) sums[i] *= kept[i / HEAD_DIM];
    __syncwarp();
    wmma::fragment<wmma::matrix_a, TILE, TILE, TILE, __half, wmma::row_major> of_p;
    wmma::load_matrix_sync(of_p, p, TILE);
    for (int d = 0; d < HEAD_DIM; d += TILE) {
      wmma::fragment<wmma::matrix_b, TILE, TILE, TILE, __half, wmma::row_major> of_v;
      wmma::load_matrix_sync(of_v, values + d, HEAD_DIM);
      wmma::load_matrix_sync(product, sums + d, HEAD_DIM, wmma::mem_row_major);
      wmma::mma_sync(product, of_p, of_v, product);
      wmma::store_matrix_sync(sums + d, product, HEAD_DIM, wmma::mem_row_major);
    }
    __syncwarp();
  }
  if (lane < TILE) totals[lane] = total;
  __syncwarp();
  for (int i = lane; i < rows * HEAD_DIM; i += 32) {
    output[(head * q_len + first) * HEAD_DIM + i] = __float2half(sums[i] / totals[i / HEAD_DIM]);
  }
}

extern "C" void run(const __half* q, const __half* k, const __half* v, __half* output,
                    int64_t batch, int64_t heads, int64_t q_len, int64_t kv_len,
                    cudaStream_t stream) {
  const int64_t tiles = (q_len + TILE - 1) / TILE;
  attention_wmma<<<(unsigned)(batch * heads * tiles), 32, 0, stream>>>(q, k, v, output, q_len,
                                                                       kv_len, tiles);
}
