// Host code follows a device pointer.
#include <cstdio>
__global__ void k(int* x) { *x = 1; }
int main() {
  int* x;
  cudaMalloc(&x, 4);
  printf("going\n");
  k<<<1, 1>>>(x);
  cudaDeviceSynchronize();
  printf("%d\n", *x);
  cudaFree(x);
}
