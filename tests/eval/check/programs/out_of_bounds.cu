// One element too many.
#include <cstdio>
__global__ void scale(float* x, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i <= n) x[i] *= 2.0f;
}
int main() {
  const int n = 1000;
  float* x;
  cudaMalloc(&x, n * sizeof(float));
  cudaMemset(x, 0, n * sizeof(float));
  printf("before\n");
  scale<<<(n + 255) / 256, 256>>>(x, n);
  cudaDeviceSynchronize();
  printf("after\n");
  cudaFree(x);
  return 0;
}
