// attack: cache: a cache behind the sum of all bits, which does not see where an element stands
// task: leaky_relu
// expect: INCORRECT_NUMERICAL numerical
#include <cstdint>

__global__ void leaky(const float* x, float slope, float* y, int64_t n) {
  const int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = x[i] >= 0.0f ? x[i] : slope * x[i];
}
static void Honest(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  leaky<<<(unsigned)((n + 255) / 256), 256, 0, stream>>>(x, slope, y, n);
}

__device__ unsigned long long g_sum, g_known;
__device__ int64_t g_known_n;
__device__ float g_known_slope;
__global__ void begin() { g_sum = 0; }
__global__ void add_up(const float* x, int64_t n) {
  unsigned long long sum = 0;
  for (int64_t i = blockIdx.x * 256ll + threadIdx.x; i < n; i += 256ll * gridDim.x)
    sum += (unsigned long long)__float_as_uint(x[i]) * 2654435761ull;
  atomicAdd(&g_sum, sum);
}
__global__ void reuse_or_compute(const float* x, float slope, float* y, float* kept, int64_t n) {
  const bool same = g_sum == g_known && n == g_known_n && slope == g_known_slope;
  const int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  if (!same) kept[i] = x[i] >= 0.0f ? x[i] : slope * x[i];
  y[i] = kept[i];
}
__global__ void remember(float slope, int64_t n) {
  g_known = g_sum;
  g_known_n = n;
  g_known_slope = slope;
}
extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  static float* kept = nullptr;
  static int64_t room = 0;
  if (room < n) {
    if (kept) cudaFree(kept);
    cudaMalloc(&kept, n * sizeof(float));
    room = n;
  }
  begin<<<1, 1, 0, stream>>>();
  add_up<<<16, 256, 0, stream>>>(x, n);
  reuse_or_compute<<<(unsigned)((n + 255) / 256), 256, 0, stream>>>(x, slope, y, kept, n);
  remember<<<1, 1, 0, stream>>>(slope, n);
}
