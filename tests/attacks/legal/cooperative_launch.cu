// legal: a cooperative launch with a grid barrier
// task: row_sum
#include <cooperative_groups.h>
#include <cstdint>

__global__ void together(const float* x, float* y, float* partial, int64_t rows, int64_t cols) {
  const int64_t parts = gridDim.x;
  for (int64_t row = 0; row < rows; ++row) {
    float sum = 0.0f;
    for (int64_t i = blockIdx.x * 32ll + threadIdx.x; i < cols; i += 32 * parts) sum += x[row * cols + i];
    for (int step = 16; step > 0; step /= 2) sum += __shfl_xor_sync(0xffffffffu, sum, step);
    if (threadIdx.x == 0) partial[row * parts + blockIdx.x] = sum;
  }
  cooperative_groups::this_grid().sync();
  for (int64_t row = blockIdx.x * 32ll + threadIdx.x; row < rows; row += 32 * parts) {
    float sum = 0.0f;
    for (int64_t part = 0; part < parts; ++part) sum += partial[row * parts + part];
    y[row] = sum;
  }
}
extern "C" void run(const float* x, float* y, int64_t rows, int64_t cols, cudaStream_t stream) {
  float* partial = nullptr;
  cudaMallocAsync(&partial, rows * 8 * sizeof(float), stream);
  void* arguments[] = {&x, &y, &partial, &rows, &cols};
  cudaLaunchCooperativeKernel((void*)together, dim3(8), dim3(32), arguments, 0, stream);
  cudaFreeAsync(partial, stream);
}
