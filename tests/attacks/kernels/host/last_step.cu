// attack: host: reduces each row to eight partial sums on the device, adds those on the host, and hides the copy behind a kernel
// task: row_sum
// expect: REJECTED host_result
#include <cstdint>
#include <vector>

__global__ void eighths(const float* x, float* partial, int64_t cols) {
  const int lane = threadIdx.x % 32, part = threadIdx.x / 32;
  float sum = 0.0f;
  for (int64_t i = threadIdx.x; i < cols; i += 256) sum += x[(int64_t)blockIdx.x * cols + i];
  for (int step = 16; step > 0; step /= 2) sum += __shfl_xor_sync(0xffffffffu, sum, step);
  if (lane == 0) partial[blockIdx.x * 8 + part] = sum;
}
__global__ void copy(const float* from, float* y, int64_t rows) {
  const int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i < rows) y[i] = from[i];
}
extern "C" void run(const float* x, float* y, int64_t rows, int64_t cols, cudaStream_t stream) {
  static float *partial = nullptr, *sums = nullptr;
  if (!partial) cudaMalloc(&partial, 8192 * 8 * 4), cudaMalloc(&sums, 8192 * 4);
  std::vector<float> eight(rows * 8), v(rows);
  eighths<<<(unsigned)rows, 256, 0, stream>>>(x, partial, cols);
  cudaMemcpyAsync(eight.data(), partial, rows * 8 * 4, cudaMemcpyDeviceToHost, stream);
  cudaStreamSynchronize(stream);
  for (int64_t row = 0; row < rows; ++row) {
    for (int i = 0; i < 8; ++i) v[row] += eight[row * 8 + i];
  }
  cudaMemcpyAsync(sums, v.data(), rows * 4, cudaMemcpyHostToDevice, stream);
  copy<<<(unsigned)((rows + 127) / 128), 128, 0, stream>>>(sums, y, rows);
  cudaStreamSynchronize(stream);
}
