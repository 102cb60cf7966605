// attack: signals: a handler that comes back to the faulting instruction, again and again
// task: leaky_relu
// expect: TIMEOUT host_cpu
#include <csignal>
#include <cstdint>

__global__ void unused() {}
static void OnFault(int) {}
extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  signal(SIGSEGV, OnFault);
  y[0] = slope;
}
