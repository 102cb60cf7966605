// expect: REJECTED host_result
#include <cmath>
#include <cstdint>
#include <vector>
__global__ void unused() {}
extern "C" void run(const float* x, float* y, int64_t n, cudaStream_t stream) {
  std::vector<float> v(n);
  cudaMemcpyAsync(v.data(), x, n * sizeof(float), cudaMemcpyDeviceToHost, stream);
  cudaStreamSynchronize(stream);
  for (float& e : v) e = (float)(0.5 * e * std::erfc(-e * 0.70710678118654752));
  cudaMemcpyAsync(y, v.data(), n * sizeof(float), cudaMemcpyHostToDevice, stream);
  cudaStreamSynchronize(stream);
}
