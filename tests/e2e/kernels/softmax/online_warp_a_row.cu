// expect: PASSED passed
// A warp a row: maximum and sum in one pass.
#include <cfloat>
#include <cstdint>

__global__ void online(const float* __restrict__ x, float* __restrict__ y, int64_t rows,
                       int64_t cols) {
  const int64_t row = (int64_t)blockIdx.x * 4 + threadIdx.y;
  if (row >= rows) return;
  const float* in = x + row * cols;
  float m = -FLT_MAX, s = 0.0f;
  for (int64_t i = threadIdx.x; i < cols; i += 32) {
    const float v = in[i];
    const float larger = fmaxf(m, v);
    s = s * expf(m - larger) + expf(v - larger);
    m = larger;
  }
  for (int d = 16; d > 0; d /= 2) {
    const float om = __shfl_down_sync(0xffffffffu, m, d), os = __shfl_down_sync(0xffffffffu, s, d);
    const float larger = fmaxf(m, om);
    s = s * expf(m - larger) + os * expf(om - larger);
    m = larger;
  }
  m = __shfl_sync(0xffffffffu, m, 0);
  s = __shfl_sync(0xffffffffu, s, 0);
  for (int64_t i = threadIdx.x; i < cols; i += 32) y[row * cols + i] = expf(in[i] - m) / s;
}

extern "C" void run(const float* x, float* y, int64_t rows, int64_t cols, cudaStream_t stream) {
  online<<<(unsigned)((rows + 3) / 4), dim3(32, 4), 0, stream>>>(x, y, rows, cols);
}
