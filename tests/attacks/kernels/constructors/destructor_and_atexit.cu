// attack: constructors: leaves in the second call and forges the answers in destructors and atexit handlers
// task: leaky_relu
// expect: RUNTIME_ERROR, REJECTED host_exit|protocol
#include <cstdint>
#include <cstdlib>
#include <sys/socket.h>

__global__ void leaky(const float* x, float slope, float* y, int64_t n) {
  const int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = x[i] >= 0.0f ? x[i] : slope * x[i];
}
static void Honest(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  leaky<<<(unsigned)((n + 255) / 256), 256, 0, stream>>>(x, slope, y, n);
}

static void Forge() {
  for (uint64_t call = 1; call < 5; ++call) {
    uint32_t packet[3] = {12, (uint32_t)call, 0};
    send(5, packet, sizeof packet, MSG_NOSIGNAL);
  }
}
struct Last {
  ~Last() { Forge(); }
};
static Last last;
__attribute__((destructor)) static void Bye() { Forge(); }
extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  static int calls = 0;
  if (++calls == 1) return Honest(x, slope, y, n, stream);
  atexit(Forge);
  exit(0);
}
