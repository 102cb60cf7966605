// One block a row. The elements of the top are found one after the other, each the largest of those
// that come after the one before; the last of them bounds the top. Then every thread sums a piece
// of the row, and the one whose piece holds the threshold looks for the column.
#include <cstdint>

#define THREADS 256

struct Element {
  float value;
  int64_t column;
};

// Larger values first, of equal ones the first column.
__device__ bool before(Element a, Element b) {
  return a.value > b.value || (a.value == b.value && a.column < b.column);
}

__device__ Element first_after(const float* row, int64_t size, Element last, Element* shared) {
  const int tid = threadIdx.x;
  Element best = {-1.0f, size};
  for (int64_t i = tid; i < size; i += THREADS) {
    const Element element = {row[i], i};
    if (before(last, element) && before(element, best)) best = element;
  }
  shared[tid] = best;
  __syncthreads();
  for (int step = THREADS / 2; step > 0; step /= 2) {
    if (tid < step && before(shared[tid + step], shared[tid])) shared[tid] = shared[tid + step];
    __syncthreads();
  }
  best = shared[0];
  __syncthreads();
  return best;
}

__device__ int64_t weight_of(const float* row, int64_t i, Element last) {
  const Element element = {row[i], i};
  return before(last, element) ? 0 : (int64_t)floorf(1024.0f * row[i]);
}

__global__ void top_k_sampling_rows(const float* probs, const int32_t* top_k, const float* uniforms,
                                    int64_t* samples, int64_t vocab_size) {
  __shared__ Element elements[THREADS];
  __shared__ int64_t sums[THREADS + 1];
  const float* row = probs + (int64_t)blockIdx.x * vocab_size;
  const int tid = threadIdx.x;

  Element last = {2.0f, -1};
  int64_t first = 0;
  for (int i = 0; i < top_k[blockIdx.x] && i < vocab_size; ++i) {
    last = first_after(row, vocab_size, last, elements);
    if (i == 0) first = last.column;
  }

  const int64_t piece = (vocab_size + THREADS - 1) / THREADS;
  const int64_t begin = tid * piece < vocab_size ? tid * piece : vocab_size;
  const int64_t end = begin + piece < vocab_size ? begin + piece : vocab_size;
  int64_t sum = 0;
  for (int64_t i = begin; i < end; ++i) sum += weight_of(row, i, last);
  sums[tid + 1] = sum;
  __syncthreads();
  if (tid == 0) {
    sums[0] = 0;
    for (int i = 0; i < THREADS; ++i) sums[i + 1] += sums[i];
    if (sums[THREADS] == 0) samples[blockIdx.x] = first;
  }
  __syncthreads();

  const int64_t threshold = (int64_t)floorf(16777216.0f * uniforms[blockIdx.x]) * sums[THREADS];
  if (16777216 * sums[tid] > threshold || 16777216 * sums[tid + 1] <= threshold) return;
  sum = sums[tid];
  for (int64_t i = begin; i < end; ++i) {
    sum += weight_of(row, i, last);
    if (16777216 * sum > threshold) {
      samples[blockIdx.x] = i;
      return;
    }
  }
}

extern "C" void run(const float* probs, const int32_t* top_k, const float* uniforms,
                    int64_t* samples, int64_t batch_size, int64_t vocab_size, cudaStream_t stream) {
  top_k_sampling_rows<<<(unsigned)batch_size, THREADS, 0, stream>>>(probs, top_k, uniforms, samples,
                                                                    vocab_size);
}
