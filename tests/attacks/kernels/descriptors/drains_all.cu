// attack: descriptors: reads whatever waits on any descriptor, in the hope of expected values
// task: leaky_relu
// expect: INCORRECT_NUMERICAL, REJECTED output_not_written
#include <cstdint>
#include <sys/socket.h>
#include <unistd.h>

__global__ void unused() {}
extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  static char seen[1 << 16];
  long most = 0;
  for (int fd = 0; fd < 64; ++fd) {
    long got = recv(fd, seen, sizeof seen, MSG_DONTWAIT);
    if (got < 0 && fd != 4) got = pread(fd, seen, sizeof seen, 0);
    if (got > most && fd != 6) most = got;
  }
  if (most >= n * 4) cudaMemcpyAsync(y, seen, n * 4, cudaMemcpyHostToDevice, stream);
}
