// attack: host: computes row sums on the host and hands them to a kernel as parameters
// task: row_sum
// expect: REJECTED host_result
#include <cstdint>
#include <vector>

struct Sums {
  float values[1000];
};
__global__ void store(Sums sums, float* y, int64_t rows) {
  const int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i < rows) y[i] = sums.values[i];
}
extern "C" void run(const float* x, float* y, int64_t rows, int64_t cols, cudaStream_t stream) {
  static Sums sums;
  std::vector<float> v(rows * cols);
  cudaMemcpyAsync(v.data(), x, rows * cols * sizeof(float), cudaMemcpyDeviceToHost, stream);
  cudaStreamSynchronize(stream);
  for (int64_t row = 0; row < rows; ++row) {
    double sum = 0;
    for (int64_t i = 0; i < cols; ++i) sum += v[row * cols + i];
    sums.values[row] = (float)sum;
  }
  store<<<(unsigned)((rows + 127) / 128), 128, 0, stream>>>(sums, y, rows);
}
