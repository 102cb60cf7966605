// task: hardswish
// control: float4 loads and stores where both pointers are aligned, the odd ones at the end singly

#include <cstdint>

__device__ __forceinline__ float hardswish(float v) {
  return v * __saturatef((v + 3.0f) * (1.0f / 6.0f));
}

__global__ void vector_kernel(const float4* x, float4* y, int64_t count) {
  const int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= count) return;
  const float4 in = x[i];
  y[i] = make_float4(hardswish(in.x), hardswish(in.y), hardswish(in.z), hardswish(in.w));
}

__global__ void single_kernel(const float* x, float* y, int64_t first, int64_t n) {
  const int64_t i = first + (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = hardswish(x[i]);
}

extern "C" void run(const float* x, float* y, int64_t n, cudaStream_t stream) {
  const bool aligned = ((uintptr_t)x | (uintptr_t)y) % sizeof(float4) == 0;
  const int64_t vectors = aligned ? n / 4 : 0, rest = n - 4 * vectors;
  if (vectors > 0) {
    vector_kernel<<<(unsigned)((vectors + 127) / 128), 128, 0, stream>>>((const float4*)x,
                                                                         (float4*)y, vectors);
  }
  if (rest > 0) {
    single_kernel<<<(unsigned)((rest + 127) / 128), 128, 0, stream>>>(x, y, 4 * vectors, n);
  }
}
