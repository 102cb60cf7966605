// attack: host: copies small pieces down and up, each too small to be seen, and touches the output at the end
// task: leaky_relu
// expect: REJECTED host_result
#include <cstdint>

__global__ void touch(float* y, int64_t n) {
  if (n < 0) y[0] = 0.0f;
}
extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  float piece[512];
  for (int64_t at = 0; at < n; at += 512) {
    const int64_t count = n - at < 512 ? n - at : 512;
    cudaMemcpyAsync(piece, x + at, count * 4, cudaMemcpyDeviceToHost, stream);
    cudaStreamSynchronize(stream);
    for (int64_t i = 0; i < count; ++i) piece[i] = piece[i] >= 0.0f ? piece[i] : slope * piece[i];
    cudaMemcpyAsync(y + at, piece, count * 4, cudaMemcpyHostToDevice, stream);
    touch<<<1, 1, 0, stream>>>(y, n);
  }
  cudaStreamSynchronize(stream);
}
