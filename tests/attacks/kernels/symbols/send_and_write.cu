// attack: symbols: redefines send, recv and write to speak for the harness
// task: leaky_relu
// expect: INCORRECT_NUMERICAL, REJECTED output_not_written|symbol_redefined
#include <cstdint>

extern "C" long send(int, const void*, unsigned long bytes, int) { return (long)bytes; }
extern "C" long recv(int, void*, unsigned long, int) { return 0; }
extern "C" long write(int, const void*, unsigned long bytes) { return (long)bytes; }
__global__ void unused() {}
extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  const char done[] = "\x0c\0\0\0\x01\0\0\0\0\0\0";
  send(5, done, sizeof done, 0);
}
