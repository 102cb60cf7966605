// style: two kernels: logsumexp of each row by a block into a workspace, then lse - logit.
#include <cmath>
#include <cstdint>

__global__ void row_lse(const float* logits, float* lse, int64_t classes) {
  __shared__ float of_warps[8];
  const float* in = logits + (int64_t)blockIdx.x * classes;
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  float largest = -INFINITY;
  for (int64_t i = threadIdx.x; i < classes; i += 256) largest = fmaxf(largest, in[i]);
  for (int step = 16; step > 0; step /= 2) {
    largest = fmaxf(largest, __shfl_xor_sync(0xffffffffu, largest, step));
  }
  if (lane == 0) of_warps[warp] = largest;
  __syncthreads();
  for (int i = 0; i < 8; ++i) largest = fmaxf(largest, of_warps[i]);
  __syncthreads();
  float sum = 0.0f;
  for (int64_t i = threadIdx.x; i < classes; i += 256) sum += __expf(in[i] - largest);
  for (int step = 16; step > 0; step /= 2) sum += __shfl_xor_sync(0xffffffffu, sum, step);
  if (lane == 0) of_warps[warp] = sum;
  __syncthreads();
  if (threadIdx.x != 0) return;
  sum = 0.0f;
  for (int i = 0; i < 8; ++i) sum += of_warps[i];
  lse[blockIdx.x] = largest + logf(sum);
}

__global__ void subtract_target(const float* logits, const int64_t* target, const float* lse,
                                float* loss, int64_t rows, int64_t classes) {
  const int64_t row = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (row < rows) loss[row] = lse[row] - logits[row * classes + target[row]];
}

extern "C" void run(const float* logits, const int64_t* target, float* loss, int64_t rows,
                    int64_t classes, cudaStream_t stream) {
  float* lse = nullptr;
  cudaMallocAsync(&lse, rows * sizeof(float), stream);
  row_lse<<<(unsigned)rows, 256, 0, stream>>>(logits, lse, classes);
  subtract_target<<<(unsigned)((rows + 127) / 128), 128, 0, stream>>>(logits, target, lse, loss,
                                                                      rows, classes);
  cudaFreeAsync(lse, stream);
}
