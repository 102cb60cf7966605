// legal: a grid-stride loop over as many blocks as fit the device
// task: leaky_relu
#include <cstdint>

__global__ void strided(const float* x, float slope, float* y, int64_t n) {
  for (int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += (int64_t)blockDim.x * gridDim.x)
    y[i] = fmaxf(x[i], 0.0f) + slope * fminf(x[i], 0.0f);
}
extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  static int blocks = 0;
  if (!blocks) {
    int device = 0, per_sm = 0, sms = 0;
    cudaGetDevice(&device);
    cudaDeviceGetAttribute(&sms, cudaDevAttrMultiProcessorCount, device);
    cudaOccupancyMaxActiveBlocksPerMultiprocessor(&per_sm, strided, 256, 0);
    blocks = sms * per_sm;
  }
  const int64_t needed = (n + 255) / 256;
  strided<<<(unsigned)(needed < blocks ? needed : blocks), 256, 0, stream>>>(x, slope, y, n);
}
