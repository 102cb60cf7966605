// legal: a static object that takes its workspace before the first call
// task: row_sum
#include <cstdint>

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

struct Workspace {
  float* data = nullptr;
  Workspace() { cudaMalloc(&data, sizeof(float) << 16); }
  ~Workspace() { cudaFree(data); }
};
static Workspace workspace;
extern "C" void run(const float* x, float* y, int64_t rows, int64_t cols, cudaStream_t stream) {
  if (workspace.data && rows <= 1 << 16) {
    Honest(x, workspace.data, rows, cols, stream);
    cudaMemcpyAsync(y, workspace.data, rows * sizeof(float), cudaMemcpyDeviceToDevice, stream);
  } else {
    Honest(x, y, rows, cols, stream);
  }
}
