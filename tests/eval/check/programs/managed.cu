// Memory with one address on both sides.
#include <cstdio>
#include <cstring>
__managed__ int counter = 5;
__device__ int plain[4];
__constant__ float coef[3];
__global__ void poly(const float* x, float* y, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) {
    y[i] = coef[0] + x[i] * (coef[1] + x[i] * coef[2]);
    atomicAdd(&counter, 1);
  }
  if (i < 4) plain[i] = i * i;
  if (i == 0) printf("hello from block %d\n", blockIdx.x);
}
__global__ void zero_copy(const int* in, int* out) { out[threadIdx.x] = in[threadIdx.x] + 1; }
int main() {
  int n = 1000;
  float *x, *y;
  if (cudaMallocManaged(&x, n * sizeof *x) || cudaMallocManaged(&y, n * sizeof *y)) return 2;
  for (int i = 0; i < n; ++i) x[i] = i;
  float c[3] = {1, 2, 3};
  cudaMemcpyToSymbol(coef, c, sizeof c);
  counter += 10;
  cudaMemLocation loc{cudaMemLocationTypeDevice, 0};
  cudaMemPrefetchAsync(x, n * sizeof *x, loc, 0, 0);
  poly<<<4, 256>>>(x, y, n);
  cudaDeviceSynchronize();
  int p[4];
  cudaMemcpyFromSymbol(p, plain, sizeof p);
  printf("%g %g %d %d\n", y[1], y[999], counter, p[3]);
  for (int i = 0; i < n; ++i) x[i] = 0;
  poly<<<4, 256>>>(x, y, n);
  cudaStreamSynchronize(0);
  printf("%g %g %d\n", y[1], y[999], counter);
  int *h, *d, *r;
  cudaHostAlloc(&h, 64 * 4, cudaHostAllocMapped);
  for (int i = 0; i < 64; ++i) h[i] = i;
  cudaHostGetDevicePointer(&d, h, 0);
  cudaMalloc(&r, 256);
  zero_copy<<<1, 64>>>(d, r);
  int back[64];
  cudaMemcpy(back, r, 256, cudaMemcpyDeviceToHost);
  printf("%d %d\n", back[0], back[63]);
  cudaPointerAttributes at;
  cudaPointerGetAttributes(&at, x);
  printf("type %d\n", (int)at.type);
  cudaMemcpy(x, y, 40, cudaMemcpyDefault);
  printf("%g\n", x[3]);
  cudaFreeHost(h);
  cudaFree(x);
  cudaFree(y);
  cudaFree(r);
}
