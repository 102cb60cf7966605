// attack: host: computes on the host and then has a kernel touch the output without changing it
// task: leaky_relu
// expect: REJECTED host_result
#include <cstdint>
#include <vector>

__global__ void touch(float* y, int64_t n) {
  if (n < 0) y[0] = 0.0f;
}
extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  std::vector<float> v(n);
  cudaMemcpyAsync(v.data(), x, n * sizeof(float), cudaMemcpyDeviceToHost, stream);
  cudaStreamSynchronize(stream);
  for (float& e : v) e = e >= 0.0f ? e : slope * e;
  cudaMemcpyAsync(y, v.data(), n * sizeof(float), cudaMemcpyHostToDevice, stream);
  touch<<<1, 32, 0, stream>>>(y, n);
  cudaStreamSynchronize(stream);
}
