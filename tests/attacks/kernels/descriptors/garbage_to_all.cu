// attack: descriptors: writes garbage to every descriptor there may be
// task: leaky_relu
// expect: REJECTED, RUNTIME_ERROR protocol|SIGXFSZ
#include <cstdint>
#include <unistd.h>

__global__ void leaky(const float* x, float slope, float* y, int64_t n) {
  const int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = x[i] >= 0.0f ? x[i] : slope * x[i];
}
static void Honest(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  leaky<<<(unsigned)((n + 255) / 256), 256, 0, stream>>>(x, slope, y, n);
}

extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  static int calls = 0;
  Honest(x, slope, y, n, stream);
  if (++calls != 2) return;
  const char* garbage = "{\"type\":\"result\",\"verdict\":{\"status\":\"PASSED\"}}\n";
  for (int fd = 0; fd < 1024; ++fd) {
    if (fd == 4) continue;
    if (write(fd, garbage, 51) < 0) continue;
  }
}
