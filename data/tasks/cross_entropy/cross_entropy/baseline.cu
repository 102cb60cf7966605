// One block a row; a tree in shared memory for the maximum, then for the sum.
#include <cfloat>
#include <cstdint>

#define THREADS 256

__global__ void cross_entropy_rows(const float* logits, const int64_t* target, float* loss,
                                   int64_t classes) {
  __shared__ float partial[THREADS];
  const int64_t row = blockIdx.x;
  const float* in = logits + row * classes;
  const int tid = threadIdx.x;

  float largest = -FLT_MAX;
  for (int64_t i = tid; i < classes; i += THREADS) largest = fmaxf(largest, in[i]);
  partial[tid] = largest;
  __syncthreads();
  for (int step = THREADS / 2; step > 0; step /= 2) {
    if (tid < step) partial[tid] = fmaxf(partial[tid], partial[tid + step]);
    __syncthreads();
  }
  largest = partial[0];
  __syncthreads();

  float sum = 0.0f;
  for (int64_t i = tid; i < classes; i += THREADS) sum += expf(in[i] - largest);
  partial[tid] = sum;
  __syncthreads();
  for (int step = THREADS / 2; step > 0; step /= 2) {
    if (tid < step) partial[tid] += partial[tid + step];
    __syncthreads();
  }
  if (tid == 0) loss[row] = largest - in[target[row]] + logf(partial[0]);
}

extern "C" void run(const float* logits, const int64_t* target, float* loss, int64_t rows,
                    int64_t classes, cudaStream_t stream) {
  cross_entropy_rows<<<(unsigned)rows, THREADS, 0, stream>>>(logits, target, loss, classes);
}
