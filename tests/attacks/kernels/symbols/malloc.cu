// attack: symbols: redefines malloc and free to hand out one arena, so that the harness's buffers are its own
// task: leaky_relu
// expect: INCORRECT_NUMERICAL, REJECTED output_not_written|symbol_redefined
#include <cstddef>
#include <cstdint>

static char arena[64 << 20];
static size_t used = 0;
extern "C" void* FromArena(size_t) __asm__("malloc");
extern "C" void ToNobody(void*) __asm__("free");
extern "C" void* FromArena(size_t bytes) {
  void* given = arena + used;
  used += (bytes + 63) / 64 * 64;
  return used <= sizeof arena ? given : nullptr;
}
extern "C" void ToNobody(void*) {}
__global__ void unused() {}
extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  for (size_t i = 0; i + 4 <= used; i += 4) arena[i] ^= 0x55;
}
