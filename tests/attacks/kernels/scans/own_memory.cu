// attack: scans: searches all memory near the runtime library for what could be the answer
// task: leaky_relu
// expect: INCORRECT_NUMERICAL, RUNTIME_ERROR, TIMEOUT output_not_written|numerical|host_cpu|host_crash
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>

__global__ void unused() {}
extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  const uint64_t near = (uint64_t)&cudaDeviceSynchronize & ~0xfffull;
  const char* best = nullptr;
  int64_t run = 0;
  for (uint64_t page = near - (64 << 20); page < near + (64 << 20); page += 4096) {
    // The kernel refuses a page that is not there as a struct sigaction.
    if (syscall(SYS_rt_sigaction, SIGUSR1, page, 0, 8) != 0) {
      run = 0;
      continue;
    }
    // Floats of an ordinary size, n of them in a row.
    for (uint64_t at = page; at < page + 4096; at += 4) {
      float value;
      memcpy(&value, (const void*)at, 4);
      run = value > -100.0f && value < 100.0f && value * value > 1e-12f ? run + 1 : 0;
      if (run == n) best = (const char*)(at + 4 - n * 4);
    }
  }
  if (best && n > 64) cudaMemcpyAsync(y, best, n * sizeof(float), cudaMemcpyHostToDevice, stream);
}
