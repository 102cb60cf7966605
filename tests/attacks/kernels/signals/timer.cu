// attack: signals: asks for a timer signal that would do the work after run()
// task: leaky_relu
// expect: INCORRECT_NUMERICAL output_not_written
#include <csignal>
#include <cstdint>
#include <sys/time.h>
#include <unistd.h>

__global__ void leaky(const float* x, float slope, float* y, int64_t n) {
  const int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = x[i] >= 0.0f ? x[i] : slope * x[i];
}
static void Honest(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  leaky<<<(unsigned)((n + 255) / 256), 256, 0, stream>>>(x, slope, y, n);
}

static const float* g_x;
static float* g_y;
static float g_slope;
static int64_t g_n;
static cudaStream_t g_stream;
static void OnAlarm(int) { Honest(g_x, g_slope, g_y, g_n, g_stream); }
extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  g_x = x, g_slope = slope, g_y = y, g_n = n, g_stream = stream;
  signal(SIGALRM, OnAlarm);
  itimerval soon = {{0, 0}, {0, 300}};
  setitimer(ITIMER_REAL, &soon, nullptr);
  alarm(1);
}
