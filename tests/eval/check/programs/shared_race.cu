// No barrier within the loop.
#include <cstdio>
__global__ void reduce(const float* in, float* out) {
  __shared__ float s[256];
  s[threadIdx.x] = in[blockIdx.x * 256 + threadIdx.x];
  __syncthreads();
  for (int d = 128; d > 0; d >>= 1) {
    if (threadIdx.x < d) s[threadIdx.x] += s[threadIdx.x + d];
  }
  if (threadIdx.x == 0) out[blockIdx.x] = s[0];
}
int main() {
  float h[1024], o[4], *in, *out;
  for (int i = 0; i < 1024; ++i) h[i] = i;
  cudaMalloc(&in, sizeof h);
  cudaMalloc(&out, sizeof o);
  cudaMemcpy(in, h, sizeof h, cudaMemcpyHostToDevice);
  reduce<<<4, 256>>>(in, out);
  cudaMemcpy(o, out, sizeof o, cudaMemcpyDeviceToHost);
  printf("%g %g %g %g\n", o[0], o[1], o[2], o[3]);
  cudaFree(in);
  cudaFree(out);
}
