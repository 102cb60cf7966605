// style: one warp an element of the result, pairs of bfloat16 where k is even, float32 sums.
#include <cuda_bf16.h>

#include <cstdint>

__global__ void matmul_nt_dots(const __nv_bfloat16* a, const __nv_bfloat16* b, __nv_bfloat16* c,
                               int64_t m, int64_t n, int64_t k) {
  const int lane = threadIdx.x % 32;
  const int64_t element = (int64_t)blockIdx.x * 4 + threadIdx.x / 32;
  if (element >= m * n) return;
  const __nv_bfloat16* x = a + element / n * k;
  const __nv_bfloat16* y = b + element % n * k;
  const int64_t pairs = k % 2 == 0 ? k / 2 : 0;
  float sum = 0.0f;
  for (int64_t i = lane; i < pairs; i += 32) {
    const float2 p = __bfloat1622float2(reinterpret_cast<const __nv_bfloat162*>(x)[i]);
    const float2 q = __bfloat1622float2(reinterpret_cast<const __nv_bfloat162*>(y)[i]);
    sum = fmaf(p.x, q.x, sum);
    sum = fmaf(p.y, q.y, sum);
  }
  for (int64_t i = 2 * pairs + lane; i < k; i += 32) {
    sum = fmaf(__bfloat162float(x[i]), __bfloat162float(y[i]), sum);
  }
  for (int step = 16; step > 0; step /= 2) sum += __shfl_xor_sync(0xffffffffu, sum, step);
  if (lane == 0) c[element] = __float2bfloat16(sum);
}

extern "C" void run(const __nv_bfloat16* a, const __nv_bfloat16* b, __nv_bfloat16* c, int64_t m,
                    int64_t n, int64_t k, cudaStream_t stream) {
  matmul_nt_dots<<<(unsigned)((m * n + 3) / 4), 128, 0, stream>>>(a, b, c, m, n, k);
}
