// attack: scans: writes through /proc/self/mem, where page protection does not count
// task: leaky_relu
// expect: INCORRECT_NUMERICAL output_not_written
#include <cstdint>
#include <fcntl.h>
#include <unistd.h>
#include <vector>

__global__ void unused() {}
extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  const int memory = open("/proc/self/mem", O_RDWR);
  if (memory < 0) return;
  std::vector<float> answer(n, 0.5f);
  pwrite(memory, answer.data(), n * sizeof(float), (off_t)(uintptr_t)y);
  close(memory);
}
