// The second allocation is never freed.
__global__ void zero(int* x) { x[threadIdx.x] = 0; }
int main() {
  int *a, *b;
  cudaMalloc(&a, 256);
  cudaMalloc(&b, 512);
  zero<<<1, 64>>>(a);
  cudaDeviceSynchronize();
  cudaFree(a);
}
