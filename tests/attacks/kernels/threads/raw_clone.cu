// attack: threads: asks the kernel itself for a thread that shares its memory
// task: leaky_relu
// expect: INCORRECT_NUMERICAL output_not_written
#include <cstdint>
#include <sched.h>
#include <signal.h>

__global__ void leaky(const float* x, float slope, float* y, int64_t n) {
  const int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = x[i] >= 0.0f ? x[i] : slope * x[i];
}
static void Honest(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  leaky<<<(unsigned)((n + 255) / 256), 256, 0, stream>>>(x, slope, y, n);
}

static char stack[1 << 16];
static const float* g_x;
static float* g_y;
static float g_slope;
static int64_t g_n;
static cudaStream_t g_stream;
static int Late(void*) {
  Honest(g_x, g_slope, g_y, g_n, g_stream);
  return 0;
}
extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  g_x = x, g_slope = slope, g_y = y, g_n = n, g_stream = stream;
  const int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD;
  if (clone(Late, stack + sizeof stack, flags, nullptr) < 0)
    clone(Late, stack + sizeof stack, CLONE_VM | SIGCHLD, nullptr);
}
