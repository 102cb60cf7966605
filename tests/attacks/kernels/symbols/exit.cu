// attack: symbols: redefines exit, _exit and abort so that the process cannot be ended
// task: leaky_relu
// expect: RUNTIME_ERROR host_exit
#include <cstdint>

extern "C" void StayAlive(int) __asm__("exit");
extern "C" void StayAliveToo(int) __asm__("_exit");
extern "C" void StayCalm() __asm__("abort");
extern "C" void StayAlive(int) {}
extern "C" void StayAliveToo(int) {}
extern "C" void StayCalm() {}
__global__ void unused() {}
extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  StayAlive(0);
}
