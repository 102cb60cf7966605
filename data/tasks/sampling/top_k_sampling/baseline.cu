// One block a row. The smallest probability of the top is found bit by bit: probabilities are not
// negative, so they are ordered as their bits are. Then every thread sums a piece of the row, and
// the one whose piece holds the threshold looks for the column.
#include <cstdint>

#define THREADS 256

// Elements whose bits are at least `least`.
__device__ int64_t count_from(const float* row, int64_t size, uint32_t least) {
  int64_t count = 0;
  for (int64_t start = 0; start < size; start += THREADS) {
    const int64_t i = start + threadIdx.x;
    count += __syncthreads_count(i < size && __float_as_uint(row[i]) >= least);
  }
  return count;
}

// What was in entries 1 to THREADS becomes the sum of all up to it; entry 0 is 0.
__device__ void add_up(int64_t* sums) {
  __syncthreads();
  if (threadIdx.x == 0) {
    sums[0] = 0;
    for (int i = 0; i < THREADS; ++i) sums[i + 1] += sums[i];
  }
  __syncthreads();
}

// Of the elements that equal `least`, only the first `open` ones belong to the top.
__device__ int64_t next_weight(float probability, uint32_t least, int64_t& open) {
  const uint32_t bits = __float_as_uint(probability);
  const bool in_top = bits > least || (bits == least && open > 0);
  if (bits == least) --open;
  return in_top ? (int64_t)floorf(1024.0f * probability) : 0;
}

__global__ void top_k_sampling_rows(const float* probs, const int32_t* top_k, const float* uniforms,
                                    int64_t* samples, int64_t* totals, int64_t vocab_size) {
  __shared__ int64_t equal[THREADS + 1];
  __shared__ int64_t sums[THREADS + 1];
  const float* row = probs + (int64_t)blockIdx.x * vocab_size;
  const int tid = threadIdx.x;

  const int64_t wanted = top_k[blockIdx.x] < vocab_size ? top_k[blockIdx.x] : vocab_size;
  uint32_t least = 0;
  for (uint32_t bit = 1u << 30; bit > 0; bit >>= 1) {
    if (count_from(row, vocab_size, least | bit) >= wanted) least |= bit;
  }
  const int64_t room = wanted - count_from(row, vocab_size, least + 1);

  const int64_t piece = (vocab_size + THREADS - 1) / THREADS;
  const int64_t begin = tid * piece < vocab_size ? tid * piece : vocab_size;
  const int64_t end = begin + piece < vocab_size ? begin + piece : vocab_size;
  equal[tid + 1] = 0;
  for (int64_t i = begin; i < end; ++i) equal[tid + 1] += __float_as_uint(row[i]) == least;
  add_up(equal);

  int64_t open = room - equal[tid];
  int64_t sum = 0;
  for (int64_t i = begin; i < end; ++i) sum += next_weight(row[i], least, open);
  sums[tid + 1] = sum;
  add_up(sums);

  if (tid == 0) totals[blockIdx.x] = sums[THREADS];
  if (sums[THREADS] == 0) {
    if (tid == 0) samples[blockIdx.x] = 0;
    return;
  }
  const int64_t threshold = (int64_t)floorf(16777216.0f * uniforms[blockIdx.x]) * sums[THREADS];
  if (16777216 * sums[tid] > threshold || 16777216 * sums[tid + 1] <= threshold) return;
  open = room - equal[tid];
  sum = sums[tid];
  for (int64_t i = begin; i < end; ++i) {
    sum += next_weight(row[i], least, open);
    if (16777216 * sum > threshold) {
      samples[blockIdx.x] = i;
      return;
    }
  }
}

extern "C" void run(const float* probs, const int32_t* top_k, const float* uniforms,
                    int64_t* samples, int64_t* totals, int64_t batch_size, int64_t vocab_size,
                    cudaStream_t stream) {
  top_k_sampling_rows<<<(unsigned)batch_size, THREADS, 0, stream>>>(probs, top_k, uniforms, samples,
                                                                    totals, vocab_size);
}
