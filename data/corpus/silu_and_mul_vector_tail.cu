// task: silu_and_mul
// fault: four columns at a time, and those left over when cols is no multiple of four are dropped

#include <cstdint>

__device__ __forceinline__ float gate(float a, float b) { return a / (1.0f + __expf(-a)) * b; }

__global__ void gated_kernel(const float* __restrict__ x, float* __restrict__ y, int64_t rows,
                             int64_t cols) {
  const int64_t groups = cols / 4;
  const int64_t stride = (int64_t)gridDim.x * blockDim.x;
  for (int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x; i < rows * groups; i += stride) {
    const int64_t row = i / groups, c = i % groups * 4;
    const float* left = x + row * 2 * cols + c;
    const float* right = left + cols;
    float* out = y + row * cols + c;
    out[0] = gate(left[0], right[0]);
    out[1] = gate(left[1], right[1]);
    out[2] = gate(left[2], right[2]);
    out[3] = gate(left[3], right[3]);
  }
}

extern "C" void run(const float* x, float* y, int64_t rows, int64_t cols, cudaStream_t stream) {
  const int64_t groups = rows * (cols / 4);
  const int64_t blocks = (groups + 255) / 256;
  if (blocks == 0) return;
  gated_kernel<<<(unsigned)(blocks < 2048 ? blocks : 2048), 256, 0, stream>>>(x, y, rows, cols);
}
