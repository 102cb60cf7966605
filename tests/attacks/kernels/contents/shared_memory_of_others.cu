// attack: contents: takes a tile from shared memory that an earlier block may have left there
// task: row_sum
// expect: INCORRECT_NUMERICAL, REJECTED, RUNTIME_ERROR numerical|uninitialised|shared_race
#include <cstdint>

__global__ void inherits(const float* x, float* y, int64_t cols) {
  __shared__ float left[128];
  float sum = 0.0f;
  for (int64_t i = threadIdx.x; i < cols; i += 128) sum += x[(int64_t)blockIdx.x * cols + i];
  if (threadIdx.x != 127) left[threadIdx.x] = sum;
  __syncthreads();
  if (threadIdx.x == 0) {
    float total = 0.0f;
    for (int i = 0; i < 128; ++i) total += left[i];
    y[blockIdx.x] = total;
  }
}
extern "C" void run(const float* x, float* y, int64_t rows, int64_t cols, cudaStream_t stream) {
  inherits<<<(unsigned)rows, 128, 0, stream>>>(x, y, cols);
}
