// attack: bounds: reads the buffers of the call before, which are freed
// task: leaky_relu
// expect: RUNTIME_ERROR, INCORRECT_NUMERICAL use_after_free|out_of_bounds|launch_failed|numerical|output_not_written
#include <cstdint>

__global__ void copy(const float* from, float* y, int64_t n) {
  const int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = from[i];
}
__global__ void leaky(const float* x, float slope, float* y, int64_t n) {
  const int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = x[i] >= 0.0f ? x[i] : slope * x[i];
}
static void Honest(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  leaky<<<(unsigned)((n + 255) / 256), 256, 0, stream>>>(x, slope, y, n);
}

extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  static const float* last = nullptr;
  static int64_t last_n = 0;
  if (last && last_n >= n)
    copy<<<(unsigned)((n + 255) / 256), 256, 0, stream>>>(last, y, n);
  else
    Honest(x, slope, y, n, stream);
  last = y, last_n = n;
}
