// One block a row. Each thread keeps a maximum and a sum of its classes in one pass; warps merge
// theirs by shuffles, the block its warps' through shared memory.
#include <cfloat>
#include <cstdint>

#define WARPS 4

__global__ void cross_entropy_rows(const float* logits, const int64_t* target, float* loss,
                                   int64_t classes) {
  __shared__ float maxima[WARPS];
  __shared__ float sums[WARPS];
  const float* in = logits + (int64_t)blockIdx.x * classes;
  float largest = -FLT_MAX;
  float sum = 0.0f;
  for (int64_t i = threadIdx.x; i < classes; i += WARPS * 32) {
    const float larger = fmaxf(largest, in[i]);
    sum = sum * expf(largest - larger) + expf(in[i] - larger);
    largest = larger;
  }
  for (int step = 16; step > 0; step /= 2) {
    const float other = __shfl_xor_sync(0xffffffffu, largest, step);
    const float other_sum = __shfl_xor_sync(0xffffffffu, sum, step);
    const float larger = fmaxf(largest, other);
    sum = sum * expf(largest - larger) + other_sum * expf(other - larger);
    largest = larger;
  }
  if (threadIdx.x % 32 == 0) {
    maxima[threadIdx.x / 32] = largest;
    sums[threadIdx.x / 32] = sum;
  }
  __syncthreads();
  if (threadIdx.x != 0) return;
  for (int i = 1; i < WARPS; ++i) {
    const float larger = fmaxf(largest, maxima[i]);
    sum = sum * expf(largest - larger) + sums[i] * expf(maxima[i] - larger);
    largest = larger;
  }
  loss[blockIdx.x] = logf(sum) + (largest - in[target[blockIdx.x]]);
}

extern "C" void run(const float* logits, const int64_t* target, float* loss, int64_t rows,
                    int64_t classes, cudaStream_t stream) {
  cross_entropy_rows<<<(unsigned)rows, WARPS * 32, 0, stream>>>(logits, target, loss, classes);
}
