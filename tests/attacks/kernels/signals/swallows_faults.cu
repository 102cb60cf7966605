// attack: signals: reads device memory from the host and swallows the faults
// task: leaky_relu
// expect: INCORRECT_NUMERICAL output_not_written
#include <csetjmp>
#include <csignal>
#include <cstdint>

__global__ void unused() {}
static sigjmp_buf g_place;
static void OnFault(int) { siglongjmp(g_place, 1); }
extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  signal(SIGSEGV, OnFault);
  signal(SIGBUS, OnFault);
  volatile float sum = 0.0f;
  for (int64_t i = 0; i < n && i < 1000; ++i) {
    if (sigsetjmp(g_place, 1) == 0) sum = sum + x[i];
  }
  if (sigsetjmp(g_place, 1) == 0) y[0] = sum;
}
