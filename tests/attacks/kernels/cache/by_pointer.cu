// attack: cache: keeps the result of each (input pointer, size) and hands it out again without a look at the input
// task: leaky_relu
// expect: INCORRECT_NUMERICAL numerical
#include <cstdint>
#include <map>
#include <utility>

__global__ void leaky(const float* x, float slope, float* y, int64_t n) {
  const int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = x[i] >= 0.0f ? x[i] : slope * x[i];
}
static void Honest(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  leaky<<<(unsigned)((n + 255) / 256), 256, 0, stream>>>(x, slope, y, n);
}

extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  static std::map<std::pair<const float*, int64_t>, float*> kept;
  float*& result = kept[{x, n}];
  if (!result) {
    cudaMalloc(&result, n * sizeof(float));
    Honest(x, slope, result, n, stream);
  }
  cudaMemcpyAsync(y, result, n * sizeof(float), cudaMemcpyDeviceToDevice, stream);
}
