// task: cross_entropy
// fault: one thread a class and at most 1024 threads: classes beyond the first 1024 are not summed

#include <cstdint>

__global__ void loss_kernel(const float* logits, const int64_t* target, float* loss,
                            int64_t classes) {
  __shared__ float reduced[1024];
  const int tid = threadIdx.x;
  const float* row = logits + blockIdx.x * classes;
  const float logit = tid < classes ? row[tid] : -INFINITY;

  reduced[tid] = logit;
  __syncthreads();
  for (int half = blockDim.x / 2; half > 0; half /= 2) {
    if (tid < half) reduced[tid] = fmaxf(reduced[tid], reduced[tid + half]);
    __syncthreads();
  }
  const float largest = reduced[0];
  __syncthreads();

  reduced[tid] = expf(logit - largest);
  __syncthreads();
  for (int half = blockDim.x / 2; half > 0; half /= 2) {
    if (tid < half) reduced[tid] += reduced[tid + half];
    __syncthreads();
  }
  if (tid == 0) loss[blockIdx.x] = largest - row[target[blockIdx.x]] + logf(reduced[0]);
}

extern "C" void run(const float* logits, const int64_t* target, float* loss, int64_t rows,
                    int64_t classes, cudaStream_t stream) {
  loss_kernel<<<(unsigned)rows, 1024, 0, stream>>>(logits, target, loss, classes);
}
