// attack: surroundings: calls home for the answer
// task: leaky_relu
// expect: INCORRECT_NUMERICAL output_not_written
#include <cstdint>
#include <sys/socket.h>

__global__ void leaky(const float* x, float slope, float* y, int64_t n) {
  const int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = x[i] >= 0.0f ? x[i] : slope * x[i];
}
static void Honest(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  leaky<<<(unsigned)((n + 255) / 256), 256, 0, stream>>>(x, slope, y, n);
}

extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  for (int family : {AF_INET, AF_INET6, AF_UNIX, AF_NETLINK}) {
    const int connection = socket(family, SOCK_STREAM, 0);
    if (connection >= 0) return Honest(x, slope, y, n, stream);
  }
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0) Honest(x, slope, y, n, stream);
}
