// attack: cache: a cache behind a sampled fingerprint, only at sizes that are likely to be timed
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
constexpr int kSamples = 32;
__device__ float g_seen[kSamples];
__device__ int64_t g_seen_n;
__device__ float g_seen_slope;
__device__ int g_same;
__global__ void compare_samples(const float* x, float slope, int64_t n) {
  int same = g_seen_n == n && g_seen_slope == slope;
  for (int i = 0; i < kSamples; ++i) {
    const float value = x[i * (n - 1) / (kSamples - 1)];
    if (g_seen[i] != value) same = 0;
    g_seen[i] = value;
  }
  g_seen_n = n;
  g_seen_slope = slope;
  g_same = same;
}
__global__ void reuse_or_compute(const float* x, float slope, float* y, float* kept, int64_t n) {
  const int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  if (!g_same) kept[i] = x[i] >= 0.0f ? x[i] : slope * x[i];
  y[i] = kept[i];
}
static void Cached(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  static float* kept = nullptr;
  static int64_t room = 0;
  if (room < n) {
    if (kept) cudaFree(kept);
    cudaMalloc(&kept, n * sizeof(float));
    room = n;
  }
  compare_samples<<<1, 1, 0, stream>>>(x, slope, n);
  reuse_or_compute<<<(unsigned)((n + 255) / 256), 256, 0, stream>>>(x, slope, y, kept, n);
}
extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  if (n < 100000)
    Honest(x, slope, y, n, stream);
  else
    Cached(x, slope, y, n, stream);
}
