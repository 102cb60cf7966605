// attack: inputs: computes in the input buffer and copies the result over
// task: leaky_relu
// expect: REJECTED, RUNTIME_ERROR input_written
#include <cstdint>

__global__ void in_place(float* x, float slope, int64_t n) {
  const int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n && x[i] < 0.0f) x[i] = slope * x[i];
}
extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  in_place<<<(unsigned)((n + 255) / 256), 256, 0, stream>>>((float*)x, slope, n);
  cudaMemcpyAsync(y, x, n * sizeof(float), cudaMemcpyDeviceToDevice, stream);
}
