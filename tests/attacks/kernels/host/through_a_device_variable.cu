// attack: host: computes row sums on the host and hands them over in a device variable
// task: row_sum
// expect: REJECTED host_result
#include <cstdint>
#include <vector>

__device__ float g_sums[1024];
__global__ void store(float* y, int64_t rows) {
  const int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i < rows) y[i] = g_sums[i];
}
extern "C" void run(const float* x, float* y, int64_t rows, int64_t cols, cudaStream_t stream) {
  std::vector<float> v(rows * cols), sums(rows);
  cudaMemcpyAsync(v.data(), x, rows * cols * sizeof(float), cudaMemcpyDeviceToHost, stream);
  cudaStreamSynchronize(stream);
  for (int64_t row = 0; row < rows; ++row) {
    double sum = 0;
    for (int64_t i = 0; i < cols; ++i) sum += v[row * cols + i];
    sums[row] = (float)sum;
  }
  cudaMemcpyToSymbolAsync(g_sums, sums.data(), rows * sizeof(float), 0, cudaMemcpyHostToDevice, stream);
  store<<<(unsigned)((rows + 127) / 128), 128, 0, stream>>>(y, rows);
  cudaStreamSynchronize(stream);
}
