// style: one block a row; the least probability of the top by four histograms of 8 bits each, the
// draw by cub scans over pieces of the row.
#include <cstdint>
#include <cub/block/block_scan.cuh>

#define THREADS 128

// The bits of the element of rank `wanted` from the top, and in `room` how many equal to it belong.
__device__ unsigned select(const float* p, int64_t size, int wanted, int* histogram, int* room) {
  __shared__ unsigned chosen;
  __shared__ int left;
  if (threadIdx.x == 0) {
    chosen = 0;
    left = wanted;
  }
  for (int shift = 24; shift >= 0; shift -= 8) {
    for (int i = threadIdx.x; i < 256; i += THREADS) histogram[i] = 0;
    __syncthreads();
    const unsigned prefix = chosen;
    for (int64_t i = threadIdx.x; i < size; i += THREADS) {
      const unsigned bits = __float_as_uint(p[i]);
      if (shift == 24 || bits >> (shift + 8) == prefix >> (shift + 8)) {
        atomicAdd(&histogram[bits >> shift & 255], 1);
      }
    }
    __syncthreads();
    if (threadIdx.x == 0) {
      int digit = 255;
      while (histogram[digit] < left) left -= histogram[digit--];
      chosen |= (unsigned)digit << shift;
    }
    __syncthreads();
  }
  *room = left;
  return chosen;
}

using CountScan = cub::BlockScan<int, THREADS>;
using WeightScan = cub::BlockScan<int64_t, THREADS>;

struct Storage {
  typename CountScan::TempStorage counts;
  typename WeightScan::TempStorage weights;
};

// Goes through the row; returns the sum of the weights. Where `below` is not negative, the first
// column at which the sum times 2^24 exceeds it is stored.
__device__ int64_t walk(const float* p, int64_t size, unsigned least, int room, int64_t below,
                        int64_t* sample, Storage& storage) {
  int64_t sum = 0;
  int equal_before = 0;
  for (int64_t start = 0; start < size; start += THREADS) {
    const int64_t i = start + threadIdx.x;
    const unsigned bits = i < size ? __float_as_uint(p[i]) : 0;
    const int equal = i < size && bits == least;
    int rank, equals;
    CountScan(storage.counts).ExclusiveSum(equal, rank, equals);
    const bool in_top = i < size && (bits > least || (equal && equal_before + rank < room));
    const int64_t weight = in_top ? (int64_t)floorf(1024.0f * p[i]) : 0;
    int64_t before, of_piece;
    WeightScan(storage.weights).ExclusiveSum(weight, before, of_piece);
    before += sum;
    if (below >= 0 && before * 16777216 <= below && (before + weight) * 16777216 > below) {
      *sample = i;
    }
    sum += of_piece;
    equal_before += equals;
    __syncthreads();
  }
  return sum;
}

__global__ void sample_rows(const float* probs, const int32_t* top_k, const float* uniforms,
                            int64_t* samples, int64_t* totals, int64_t size) {
  __shared__ int histogram[256];
  __shared__ Storage storage;
  const float* p = probs + blockIdx.x * size;
  const int wanted = (int)(top_k[blockIdx.x] < size ? top_k[blockIdx.x] : size);
  int room = 0;
  const unsigned least = select(p, size, wanted, histogram, &room);
  const int64_t total = walk(p, size, least, room, -1, nullptr, storage);
  if (threadIdx.x == 0) totals[blockIdx.x] = total;
  if (total > 0) {
    const int64_t below = (int64_t)floorf(16777216.0f * uniforms[blockIdx.x]) * total;
    walk(p, size, least, room, below, samples + blockIdx.x, storage);
    return;
  }
  if (threadIdx.x == 0) samples[blockIdx.x] = 0;
}

extern "C" void run(const float* probs, const int32_t* top_k, const float* uniforms,
                    int64_t* samples, int64_t* totals, int64_t batch_size, int64_t vocab_size,
                    cudaStream_t stream) {
  sample_rows<<<(unsigned)batch_size, THREADS, 0, stream>>>(probs, top_k, uniforms, samples,
                                                            totals, vocab_size);
}
