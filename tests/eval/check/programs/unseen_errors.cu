// A copy, a launch and a second free that fail, and nobody looks.
#include <vector>
__global__ void zero(int* x) { x[threadIdx.x] = 0; }
int main() {
  int* a;
  std::vector<int> h(100);
  cudaMalloc(&a, 256);
  cudaMemcpy(h.data(), a, 400, cudaMemcpyDeviceToHost);
  zero<<<1, 2048>>>(a);
  cudaDeviceSynchronize();
  cudaFree(a);
  cudaFree(a);
}
