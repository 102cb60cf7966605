// legal: std::vector, std::map, strings and exceptions on the host
// task: row_sum
#include <algorithm>
#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

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
  static std::map<std::string, int> plans;
  const std::string key = std::to_string(rows) + "x" + std::to_string(cols);
  std::vector<int> sizes = {32, 64, 128};
  std::sort(sizes.rbegin(), sizes.rend());
  try {
    plans.at(key);
  } catch (const std::out_of_range&) {
    plans[key] = sizes.front();
  }
  if (plans[key] == 128) Honest(x, y, rows, cols, stream);
}
