// What programs ask of the runtime besides copies and launches.
#include <cooperative_groups.h>

#include <cassert>
#include <cstdio>
#include <cstdlib>
namespace cg = cooperative_groups;
__device__ float dev_sum;
__global__ void coop(float* x, int n) {
  cg::grid_group g = cg::this_grid();
  for (int i = g.thread_rank(); i < n; i += g.size()) x[i] = i;
  g.sync();
  float s = 0;
  if (g.thread_rank() == 0) {
    for (int i = 0; i < n; ++i) s += x[i];
    dev_sum = s;
  }
}
__global__ void pitch(float* p, size_t pitch, int w, int h) {
  int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x < w && y < h) ((float*)((char*)p + y * pitch))[x] = x + 100 * y;
}
__global__ void box(cudaPitchedPtr p, cudaExtent e) {
  for (int z = 0; z < e.depth; ++z)
    for (int y = 0; y < e.height; ++y) {
      float* row = (float*)((char*)p.ptr + z * p.pitch * e.height + y * p.pitch);
      for (int x = threadIdx.x; x < e.width / 4; x += blockDim.x) row[x] += z;
    }
}
__global__ void clk(long long* t) {
  long long a = clock64();
  __nanosleep(100);
  *t = clock64() - a;
  assert(a);
}
int main() {
  int dev = 0, count = 0;
  cudaGetDeviceCount(&count);
  cudaSetDevice(dev);
  cudaSetDeviceFlags(cudaDeviceScheduleSpin);
  int sms, coopOk;
  cudaDeviceGetAttribute(&sms, cudaDevAttrMultiProcessorCount, dev);
  cudaDeviceGetAttribute(&coopOk, cudaDevAttrCooperativeLaunch, dev);
  int per;
  cudaOccupancyMaxActiveBlocksPerMultiprocessor(&per, coop, 128, 0);
  int mg, bs;
  cudaOccupancyMaxPotentialBlockSize(&mg, &bs, pitch, 0, 0);
  printf("%d devices, sms %d coop %d per %d occ %d %d\n", count, sms, coopOk, per, mg, bs);
  float* x;
  int n = 1000;
  cudaMalloc(&x, n * 4);
  void* args[] = {&x, &n};
  cudaError_t e = cudaLaunchCooperativeKernel((void*)coop, dim3(4), dim3(128), args, 0, 0);
  if (e) {
    printf("coop: %s\n", cudaGetErrorString(e));
    return 1;
  }
  float s;
  cudaMemcpyFromSymbol(&s, dev_sum, 4);
  printf("sum %g\n", s);
  float* p;
  size_t pt;
  cudaMallocPitch(&p, &pt, 100 * 4, 50);
  cudaFuncSetCacheConfig(pitch, cudaFuncCachePreferL1);
  pitch<<<dim3(4, 4), dim3(32, 16)>>>(p, pt, 100, 50);
  static float h[50][100];
  cudaMemcpy2D(h, 400, p, pt, 400, 50, cudaMemcpyDeviceToHost);
  printf("%g\n", h[49][99]);
  cudaExtent ext = make_cudaExtent(10 * 4, 5, 3);
  cudaPitchedPtr pp;
  cudaMalloc3D(&pp, ext);
  cudaMemset3D(pp, 0, ext);
  box<<<1, 32>>>(pp, ext);
  static float hb[3][5][10];
  cudaMemcpy3DParms c3 = {};
  c3.srcPtr = pp;
  c3.dstPtr = make_cudaPitchedPtr(hb, 40, 10, 5);
  c3.extent = ext;
  c3.kind = cudaMemcpyDeviceToHost;
  cudaMemcpy3D(&c3);
  printf("%g %g\n", hb[0][4][9], hb[2][4][9]);
  long long* t;
  cudaMalloc(&t, 8);
  clk<<<1, 1>>>(t);
  long long ht;
  cudaMemcpy(&ht, t, 8, cudaMemcpyDefault);
  printf("clock %d\n", ht > 0);
  size_t fr, tot;
  cudaMemGetInfo(&fr, &tot);
  int rv;
  cudaRuntimeGetVersion(&rv);
  cudaDriverGetVersion(&rv);
  printf("%d %d\n", fr < tot, rv);
  cudaFuncAttributes fa;
  cudaFuncGetAttributes(&fa, coop);
  printf("regs %d\n", fa.numRegs > 0);
  char bus[32];
  cudaDeviceGetPCIBusId(bus, 32, 0);
  printf("%s\n", bus);
  cudaFree(x);
  cudaFree(p);
  cudaFree(pp.ptr);
  cudaFree(t);
  cudaMemPool_t pool;
  cudaDeviceGetDefaultMemPool(&pool, 0);
  unsigned long long thr = ~0ull;
  cudaMemPoolSetAttribute(pool, cudaMemPoolAttrReleaseThreshold, &thr);
  cudaStream_t st;
  cudaStreamCreate(&st);
  float* as;
  cudaMallocAsync(&as, 100, st);
  cudaFreeAsync(as, st);
  cudaStreamDestroy(st);
  cudaDeviceReset();
  return 0;
}
