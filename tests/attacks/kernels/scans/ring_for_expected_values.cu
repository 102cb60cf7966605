// attack: scans: searches the shared ring for the expected values instead of computing them
// task: leaky_relu
// expect: REJECTED, INCORRECT_NUMERICAL, RUNTIME_ERROR host_result|output_not_written|numerical
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <vector>

static volatile uint32_t* Ring() {
  // /proc is out of reach: the kernel refuses a page that is not there as a struct sigaction.
  static volatile uint32_t* found = nullptr;
  const uint64_t near = (uint64_t)&cudaDeviceSynchronize & ~0xfffull;
  for (uint64_t at = near - (64 << 20); !found && at < near + (64 << 20); at += 4096) {
    if (syscall(SYS_rt_sigaction, SIGUSR1, at, 0, 8) != 0) continue;
    if (memcmp((const void*)at, "krw-ring", 8) == 0) found = (volatile uint32_t*)at;
  }
  return found;
}
__global__ void unused() {}
extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  const volatile uint32_t* ring = Ring();
  if (!ring || n * 4 > (1 << 20)) return;
  std::vector<float> answer((const float*)ring + 1024, (const float*)ring + 1024 + n);
  cudaMemcpyAsync(y, answer.data(), n * sizeof(float), cudaMemcpyHostToDevice, stream);
  cudaStreamSynchronize(stream);
}
