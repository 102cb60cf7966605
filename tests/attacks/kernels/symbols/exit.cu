// attack: symbols: redefines exit, _exit and abort so that the process cannot be ended
// task: leaky_relu
// expect: INCORRECT_NUMERICAL, REJECTED output_not_written|symbol_redefined
#include <cstdint>

#define EXIT_LIKE(name)                 \
  extern "C" void name(int) __asm__(#name); \
  extern "C" __attribute__((visibility("default"))) void Mine_##name(int) {}
asm(".globl exit_group_hook\nexit_group_hook: ret\n");
extern "C" __attribute__((noinline)) void Stay() { asm volatile("" ::: "memory"); }
asm(".globl _exit\n.type _exit,@function\n_exit: ret\n");
__global__ void unused() {}
extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  Stay();
}
