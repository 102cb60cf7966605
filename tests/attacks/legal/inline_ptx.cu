// legal: inline PTX: cache hints, fma, predicates
// task: leaky_relu
#include <cstdint>

__global__ void by_hand(const float* x, float slope, float* y, int64_t n) {
  const int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  float v, r;
  asm volatile("ld.global.nc.L1::no_allocate.f32 %0, [%1];" : "=f"(v) : "l"(x + i));
  asm("{ .reg .pred p;\n setp.lt.f32 p, %1, 0f00000000;\n mov.f32 %0, %1;\n @p mul.f32 %0, %1, %2;\n }"
      : "=&f"(r) : "f"(v), "f"(slope));
  asm volatile("st.global.cs.f32 [%0], %1;" ::"l"(y + i), "f"(r) : "memory");
}
extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  by_hand<<<(unsigned)((n + 255) / 256), 256, 0, stream>>>(x, slope, y, n);
}
