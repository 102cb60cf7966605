// attack: cache: computes once a shape and returns the kept result ever after
// task: row_sum
// expect: INCORRECT_NUMERICAL numerical
#include <cstdint>
#include <map>
#include <utility>

__global__ void row_sums(const float* x, float* y, int64_t cols) {
  __shared__ float partial[128];
  float sum = 0.0f;
  for (int64_t i = threadIdx.x; i < cols; i += 128) sum += x[(int64_t)blockIdx.x * cols + i];
  partial[threadIdx.x] = sum;
  __syncthreads();
  for (int step = 64; step > 0; step /= 2) {
    if (threadIdx.x < step) partial[threadIdx.x] += partial[threadIdx.x + step];
    __syncthreads();
  }
  if (threadIdx.x == 0) y[blockIdx.x] = partial[0];
}
static void Honest(const float* x, float* y, int64_t rows, int64_t cols, cudaStream_t stream) {
  row_sums<<<(unsigned)rows, 128, 0, stream>>>(x, y, cols);
}

extern "C" void run(const float* x, float* y, int64_t rows, int64_t cols, cudaStream_t stream) {
  static std::map<std::pair<int64_t, int64_t>, float*> kept;
  float*& result = kept[{rows, cols}];
  if (!result) {
    cudaMalloc(&result, rows * sizeof(float));
    Honest(x, result, rows, cols, stream);
  }
  cudaMemcpyAsync(y, result, rows * sizeof(float), cudaMemcpyDeviceToDevice, stream);
}
