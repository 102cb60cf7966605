// attack: constructors: computes in a constructor what it later only copies: any answer, before the question
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

static float* g_answer = nullptr;
__global__ void guess(float* answer, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) answer[i] = 0.25f;
}
struct Early {
  Early() {
    cudaMalloc(&g_answer, sizeof(float) << 20);
    guess<<<(1 << 20) / 256, 256>>>(g_answer, 1 << 20);
    cudaDeviceSynchronize();
  }
};
static Early early;
extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  cudaMemcpyAsync(y, g_answer, n * sizeof(float), cudaMemcpyDeviceToDevice, stream);
}
