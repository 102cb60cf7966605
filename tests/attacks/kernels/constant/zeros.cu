// attack: constant: answers zero everywhere
// task: leaky_relu
// expect: INCORRECT_NUMERICAL numerical
#include <cstdint>

__global__ void unused() {}
extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  cudaMemsetAsync(y, 0, n * sizeof(float), stream);
}
