// One block a row, four columns a thread where rows are aligned for that; warp shuffles, then one
// value a warp through shared memory.
#include <cstdint>

#define WARPS 4

__global__ void rmsnorm_rows(const float* x, const float* weight, float* y, int64_t cols) {
  __shared__ float partial[WARPS];
  const float* in = x + (int64_t)blockIdx.x * cols;
  float* out = y + (int64_t)blockIdx.x * cols;
  const int64_t wide = cols % 4 == 0 ? cols / 4 : 0;

  float squares = 0.0f;
  for (int64_t i = threadIdx.x; i < wide; i += WARPS * 32) {
    const float4 v = reinterpret_cast<const float4*>(in)[i];
    squares += v.x * v.x + v.y * v.y + v.z * v.z + v.w * v.w;
  }
  for (int64_t tail = wide * 4 + threadIdx.x; tail < cols; tail += WARPS * 32) {
    squares += in[tail] * in[tail];
  }
  for (int step = 16; step > 0; step /= 2) squares += __shfl_xor_sync(0xffffffffu, squares, step);
  if (threadIdx.x % 32 == 0) partial[threadIdx.x / 32] = squares;
  __syncthreads();
  float total = 0.0f;
  for (int i = 0; i < WARPS; ++i) total += partial[i];
  const float scale = rsqrtf(total / (float)cols + 1e-6f);

  for (int64_t i = threadIdx.x; i < wide; i += WARPS * 32) {
    const float4 v = reinterpret_cast<const float4*>(in)[i];
    const float4 w = reinterpret_cast<const float4*>(weight)[i];
    reinterpret_cast<float4*>(out)[i] =
        make_float4(v.x * scale * w.x, v.y * scale * w.y, v.z * scale * w.z, v.w * scale * w.w);
  }
  for (int64_t tail = wide * 4 + threadIdx.x; tail < cols; tail += WARPS * 32) {
    out[tail] = in[tail] * scale * weight[tail];
  }
}

extern "C" void run(const float* x, const float* weight, float* y, int64_t rows, int64_t cols,
                    cudaStream_t stream) {
  rmsnorm_rows<<<(unsigned)rows, WARPS * 32, 0, stream>>>(x, weight, y, cols);
}
