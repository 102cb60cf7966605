// Streams and events; with an argument a thread, which a cage refuses.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <thread>
__global__ void hist(const unsigned char* x, unsigned* h, int n) {
  __shared__ unsigned s[256];
  s[threadIdx.x] = 0;
  __syncthreads();
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x)
    atomicAdd(&s[x[i]], 1u);
  __syncthreads();
  atomicAdd(&h[threadIdx.x], s[threadIdx.x]);
}
int main(int argc, char** argv) {
  const int n = 1 << 16;
  unsigned char* h;
  unsigned* out;
  cudaMallocHost(&h, n);
  cudaMallocHost(&out, 1024);
  for (int i = 0; i < n; ++i) h[i] = rand() & 255;
  unsigned char* d;
  unsigned* dh;
  cudaStream_t s1, s2;
  cudaStreamCreate(&s1);
  cudaStreamCreateWithFlags(&s2, cudaStreamNonBlocking);
  cudaMalloc(&d, n);
  cudaMalloc(&dh, 1024);
  cudaMemsetAsync(dh, 0, 1024, s1);
  cudaMemcpyAsync(d, h, n, cudaMemcpyHostToDevice, s1);
  hist<<<32, 256, 0, s1>>>(d, dh, n);
  cudaEvent_t e;
  cudaEventCreateWithFlags(&e, cudaEventDisableTiming);
  cudaEventRecord(e, s1);
  cudaStreamWaitEvent(s2, e, 0);
  cudaMemcpyAsync(out, dh, 1024, cudaMemcpyDeviceToHost, s2);
  cudaStreamSynchronize(s2);
  unsigned total = 0;
  for (int i = 0; i < 256; ++i) total += out[i];
  printf("total %u of %d\n", total, n);
  cudaEventDestroy(e);
  cudaStreamDestroy(s1);
  cudaStreamDestroy(s2);
  cudaFree(d);
  cudaFree(dh);
  cudaFreeHost(h);
  cudaFreeHost(out);
  FILE* f = fopen("/etc/passwd", "r");
  printf("file %s\n", f ? "open" : "none");
  if (argc > 1) {
    std::thread t([] { puts("thread"); });
    t.join();
  }
  exit(0);
}
