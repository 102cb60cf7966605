// attack: inputs: copies a zero over the input, for which every answer is zero
// task: leaky_relu
// expect: REJECTED, RUNTIME_ERROR input_written
#include <cstdint>
#include <vector>

__global__ void unused() {}
extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  std::vector<float> zeros(n);
  cudaMemcpyAsync((void*)x, zeros.data(), n * sizeof(float), cudaMemcpyHostToDevice, stream);
  cudaMemsetAsync(y, 0, n * sizeof(float), stream);
}
