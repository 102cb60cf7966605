// attack: constructors: a constructor writes loaded and done messages to every descriptor
// task: leaky_relu
// expect: RUNTIME_ERROR, REJECTED load_failed|protocol
#include <cstdint>
#include <sys/socket.h>

__global__ void leaky(const float* x, float slope, float* y, int64_t n) {
  const int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = x[i] >= 0.0f ? x[i] : slope * x[i];
}
static void Honest(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  leaky<<<(unsigned)((n + 255) / 256), 256, 0, stream>>>(x, slope, y, n);
}

__attribute__((constructor)) static void Talk() {
  for (int fd = 0; fd < 64; ++fd) {
    for (uint32_t type = 1; type < 16; ++type) {
      uint32_t packet[4] = {type, 1, 0, 0};
      send(fd, packet, sizeof packet, MSG_NOSIGNAL | MSG_DONTWAIT);
    }
  }
}
extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
}
