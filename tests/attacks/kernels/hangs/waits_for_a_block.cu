// attack: hangs: blocks wait for one that is never launched
// task: leaky_relu
// expect: TIMEOUT instruction_budget
#include <cstdint>

__device__ volatile int g_arrived;
__global__ void rendezvous(float* y, int64_t n) {
  if (threadIdx.x == 0) atomicAdd((int*)&g_arrived, 1);
  while (g_arrived < 1 << 30) {
  }
  y[0] = 1.0f;
}
extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  rendezvous<<<8, 256, 0, stream>>>(y, n);
}
