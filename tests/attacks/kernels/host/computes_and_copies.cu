// attack: host: copies the input down, computes on the host, copies the result up
// task: leaky_relu
// expect: REJECTED host_result
#include <cstdint>
#include <vector>

__global__ void unused() {}
extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  std::vector<float> v(n);
  cudaMemcpyAsync(v.data(), x, n * sizeof(float), cudaMemcpyDeviceToHost, stream);
  cudaStreamSynchronize(stream);
  for (float& e : v) e = e >= 0.0f ? e : slope * e;
  cudaMemcpyAsync(y, v.data(), n * sizeof(float), cudaMemcpyHostToDevice, stream);
  cudaStreamSynchronize(stream);
}
