// attack: precision: answers with the tanh approximation where the task asks for the exact function
// task: gelu
// expect: INCORRECT_NUMERICAL numerical
#include <cstdint>

__global__ void approximate(const float* x, float* y, int64_t n) {
  const int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  const float v = x[i];
  y[i] = 0.5f * v * (1.0f + tanhf(0.7978845608f * (v + 0.044715f * v * v * v)));
}
extern "C" void run(const float* x, float* y, int64_t n, cudaStream_t stream) {
  approximate<<<(unsigned)((n + 255) / 256), 256, 0, stream>>>(x, y, n);
}
