// attack: host: computes on the host, copies up to a workspace, and lets a kernel copy that to the output
// task: leaky_relu
// expect: REJECTED host_result
#include <cstdint>
#include <vector>

__global__ void copy(const float* from, float* y, int64_t n) {
  const int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = from[i];
}
extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  std::vector<float> v(n);
  cudaMemcpyAsync(v.data(), x, n * sizeof(float), cudaMemcpyDeviceToHost, stream);
  cudaStreamSynchronize(stream);
  for (float& e : v) e = e >= 0.0f ? e : slope * e;
  float* work = nullptr;
  cudaMallocAsync(&work, n * sizeof(float), stream);
  cudaMemcpyAsync(work, v.data(), n * sizeof(float), cudaMemcpyHostToDevice, stream);
  copy<<<(unsigned)((n + 255) / 256), 256, 0, stream>>>(work, y, n);
  cudaFreeAsync(work, stream);
  cudaStreamSynchronize(stream);
}
