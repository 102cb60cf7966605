// Errors that the program looks at, in three ways.
#include <cstdio>
#include <cstdlib>
__global__ void nothing() {}
int main() {
  void* memory = nullptr;
  if (cudaMalloc(&memory, size_t{1} << 50) != cudaSuccess) cudaGetLastError();
  const cudaError_t freed = cudaFree(&memory);
  if (freed != cudaSuccess) printf("%s\n", cudaGetErrorName(freed));
  nothing<<<1, 1>>>();
  if (cudaMemset(nullptr, 0, 4) != cudaSuccess) exit(3);
}
