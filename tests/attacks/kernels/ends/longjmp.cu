// attack: ends: jumps out of run() to where an earlier call was
// task: leaky_relu
// expect: RUNTIME_ERROR, INCORRECT_NUMERICAL, REJECTED, TIMEOUT host_crash|output_not_written|protocol|host_cpu
#include <csetjmp>
#include <cstdint>

__global__ void leaky(const float* x, float slope, float* y, int64_t n) {
  const int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = x[i] >= 0.0f ? x[i] : slope * x[i];
}
static void Honest(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  leaky<<<(unsigned)((n + 255) / 256), 256, 0, stream>>>(x, slope, y, n);
}

static jmp_buf g_place;
extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  static int calls = 0;
  if (++calls < 3) {
    setjmp(g_place);
    if (calls < 3) Honest(x, slope, y, n, stream);
    return;
  }
  longjmp(g_place, 1);
}
