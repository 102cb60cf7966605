// attack: contents: adds to an output that it takes for zeroed
// task: row_sum
// expect: INCORRECT_NUMERICAL, REJECTED, RUNTIME_ERROR numerical|uninitialised
#include <cstdint>

__global__ void add(const float* x, float* y, int64_t cols) {
  float sum = 0.0f;
  for (int64_t i = threadIdx.x; i < cols; i += 32) sum += x[(int64_t)blockIdx.x * cols + i];
  for (int step = 16; step > 0; step /= 2) sum += __shfl_xor_sync(0xffffffffu, sum, step);
  if (threadIdx.x == 0) y[blockIdx.x] += sum;
}
extern "C" void run(const float* x, float* y, int64_t rows, int64_t cols, cudaStream_t stream) {
  add<<<(unsigned)rows, 32, 0, stream>>>(x, y, cols);
}
