// Includes a header from a folder of its own.
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "helper.h"
template <int B>
__global__ void mm(float* C, const float* A, const float* Bm, int wA, int wB) {
  __shared__ float As[B][B], Bs[B][B];
  int tx = threadIdx.x, ty = threadIdx.y;
  float s = 0;
  for (int t = 0; t < wA / B; ++t) {
    As[ty][tx] = A[(blockIdx.y * B + ty) * wA + t * B + tx];
    Bs[ty][tx] = Bm[(t * B + ty) * wB + blockIdx.x * B + tx];
    __syncthreads();
    for (int k = 0; k < B; ++k) s += As[ty][k] * Bs[k][tx];
    __syncthreads();
  }
  C[(blockIdx.y * B + ty) * wB + blockIdx.x * B + tx] = s;
}
int main() {
  const int n = N;
  float *a, *b, *c;
  size_t bytes = n * n * 4;
  check(cudaMallocManaged(&a, bytes));
  check(cudaMallocManaged(&b, bytes));
  check(cudaMalloc(&c, bytes));
  for (int i = 0; i < n * n; ++i) {
    a[i] = 1;
    b[i] = 0.01f;
  }
  mm<16><<<dim3(n / 16, n / 16), dim3(16, 16)>>>(c, a, b, n, n);
  float* h = (float*)malloc(bytes);
  check(cudaMemcpy(h, c, bytes, cudaMemcpyDeviceToHost));
  printf("%s\n", fabs(h[5] - n * 0.01f) < 1e-3 ? "PASS" : "FAIL");
  cudaFree(a);
  cudaFree(b);
  cudaFree(c);
  free(h);
  return EXIT_SUCCESS;
}
