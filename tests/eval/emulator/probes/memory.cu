// Every state space, width, cache operator and order of loads and stores; atomics.
#include <cuda_bf16.h>
#include <cuda_fp16.h>

__constant__ float kWeights[64];
__constant__ unsigned kWords[16] = {1, 2, 3};
__device__ float table[64];
__device__ double wide_table[4];

template <class T>
__device__ void copy(const T* __restrict__ read_only, const T* a, T* b, int n) {
  __shared__ T staged[64];
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  staged[threadIdx.x] = a[i];
  __syncthreads();
  b[i] = staged[threadIdx.x ^ 1];
  b[i + n] = read_only[i + 1];
}
#define COPY(name, T)                                                                             \
  extern "C" __global__ void name(const T* __restrict__ x, const T* a, T* b, int n) { copy(x, a, b, n); }
COPY(copy_s8, signed char)
COPY(copy_u8, unsigned char)
COPY(copy_u16, unsigned short)
COPY(copy_half, __half)
COPY(copy_s16, short)
COPY(copy_u32, unsigned)
COPY(copy_f32, float)
COPY(copy_u64, unsigned long long)
COPY(copy_f64, double)
COPY(copy_uchar4, uchar4)
COPY(copy_ushort2, ushort2)
COPY(copy_ushort4, ushort4)
COPY(copy_half2, __half2)
COPY(copy_float2, float2)
COPY(copy_float4, float4)
COPY(copy_uint2, uint2)
COPY(copy_uint4, uint4)
COPY(copy_ulong2, ulonglong2)
COPY(copy_double2, double2)

extern "C" __global__ void spaces(const float* a, float* b, signed char c, unsigned short h, double d,
                                  float2 pair, int pick) {
  extern __shared__ float dynamic[];
  float local[24];
  float4 wide[4];
  double deep[3];
  for (int i = 0; i < 24; ++i) local[i] = a[i * pick];
  for (int i = 0; i < 4; ++i) wide[i] = reinterpret_cast<const float4*>(a)[i + pick];
  for (int i = 0; i < 3; ++i) deep[i] = d + i;
  dynamic[threadIdx.x] = local[pick] + wide[pick & 3].y + static_cast<float>(deep[pick % 3]);
  __syncthreads();
  float* anywhere = pick & 1 ? dynamic : pick & 2 ? b : local;
  anywhere[pick] += kWeights[pick] + kWords[pick & 15] + table[threadIdx.x] + pair.y + c + h;
  table[threadIdx.x + 32] = anywhere[pick + 1];
  wide_table[threadIdx.x & 3] = d;
  b[threadIdx.x] = *anywhere + (__isShared(anywhere) ? 1 : 0) + (__isGlobal(anywhere) ? 2 : 0) +
                   (__isLocal(anywhere) ? 4 : 0);
}

extern "C" __global__ void cached(const float* a, float* b, volatile float* v, const uint4* w, uint4* x) {
  const int i = threadIdx.x;
  __shared__ volatile float kept[64];
  kept[i] = v[i];
  __syncwarp();
  v[i + 32] = kept[i ^ 1];
  float s = __ldg(a + i) + __ldcg(a + i + 32) + __ldca(a + i + 64) + __ldcs(a + i + 96) + __ldlu(a + i + 128) +
            __ldcv(a + i + 160);
  __stcs(b + i, s);
  __stcg(b + i + 32, s);
  __stwb(b + i + 64, s);
  __stwt(b + i + 96, s);
  x[i] = __ldg(w + i);
  __stcs(x + i + 32, __ldcs(w + i + 32));
}

extern "C" __global__ void written_out(unsigned* a, unsigned* out) {
  unsigned r, s, t;
  asm volatile("ld.relaxed.gpu.global.u32 %0, [%1];" : "=r"(r) : "l"(a) : "memory");
  asm volatile("ld.acquire.sys.u32 %0, [%1];" : "=r"(s) : "l"(a) : "memory");
  asm volatile("ld.global.nc.L1::no_allocate.L2::128B.u32 %0, [%1];" : "=r"(t) : "l"(a + 1));
  out[0] = r + s + t;
  asm volatile("st.release.gpu.global.u32 [%0], %1;" ::"l"(a + 2), "r"(r) : "memory");
  asm volatile("st.relaxed.cta.u32 [%0], %1;" ::"l"(a + 3), "r"(r) : "memory");
  asm volatile("prefetch.global.L2 [%0];" ::"l"(a));
  asm volatile("ldu.global.u32 %0, [%1];" : "=r"(r) : "l"(a));
  asm volatile("red.relaxed.gpu.global.add.u32 [%0], %1;" ::"l"(a + 4), "r"(r) : "memory");
  asm volatile("atom.acq_rel.cta.global.exch.b32 %0, [%1], %2;" : "=r"(s) : "l"(a + 5), "r"(r) : "memory");
  asm volatile("discard.global.L2 [%0], 128;" ::"l"(a) : "memory");
  out[1] = s;
}

template <class T>
__device__ void atomics(T* a, T* out, T v) {
  __shared__ T s[4];
  if (threadIdx.x < 4) s[threadIdx.x] = v;
  __syncthreads();
  out[0] = atomicAdd(a, v);
  atomicAdd(a + 1, v);
  out[1] = atomicAdd(s, v);
  atomicAdd(s + 1, v);
  out[2] = s[0];
}
template <class T>
__device__ void integer_atomics(T* a, T* out, T v) {
  atomics(a, out, v);
  __shared__ T s[2];
  if (threadIdx.x == 0) s[0] = v;
  __syncthreads();
  out[3] = atomicExch(a + 2, v);
  out[4] = atomicCAS(a + 3, v, out[3]);
  out[5] = atomicMin(a + 4, v) + atomicMax(a + 5, v);
  out[6] = atomicAnd(a + 6, v) | atomicOr(a + 7, v) | atomicXor(a + 8, v);
  atomicMin(a + 9, v), atomicMax(a + 10, v), atomicAnd(a + 11, v), atomicOr(a + 12, v), atomicXor(a + 13, v);
  out[7] = atomicCAS(s, v, out[4]) + atomicMax_block(a + 14, v) + atomicAdd_system(a + 15, v);
}
extern "C" __global__ void atomics_s32(int* a, int* out, int v) { integer_atomics(a, out, v); }
extern "C" __global__ void atomics_u32(unsigned* a, unsigned* out, unsigned v) {
  integer_atomics(a, out, v);
  out[8] = atomicInc(a + 16, v) + atomicDec(a + 17, v) + atomicSub(a + 18, v);
}
extern "C" __global__ void atomics_u64(unsigned long long* a, unsigned long long* out, unsigned long long v) {
  integer_atomics(a, out, v);
}
extern "C" __global__ void atomics_s64(long long* a, long long v) { atomicMin(a, v), atomicMax(a + 1, v); }
extern "C" __global__ void atomics_u16(unsigned short* a, unsigned short* out, unsigned short v) {
  out[0] = atomicCAS(a, v, out[1]);
}
extern "C" __global__ void atomics_f32(float* a, float* out, float v) { atomics(a, out, v); out[3] = atomicExch(a + 2, v); }
extern "C" __global__ void atomics_f64(double* a, double* out, double v) { atomics(a, out, v); }
extern "C" __global__ void atomics_half(__half* a, __half2* b, __nv_bfloat16* c, __nv_bfloat162* d, __half* out) {
  out[0] = atomicAdd(a, out[1]);
  b[1] = atomicAdd(b, b[2]);
  c[1] = atomicAdd(c, c[2]);
  d[1] = atomicAdd(d, d[2]);
}
#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 900
extern "C" __global__ void atomics_vector(float2* a, float4* b, float2* out) {
  out[0] = atomicAdd(a, out[1]);
  atomicAdd(b, make_float4(1, 2, 3, 4));
}
#endif

// Vectors of numbers that are computed with, through every space.
extern "C" __global__ void vectors(const float4* __restrict__ a, float4* b, const float2* __restrict__ c,
                                   const ulonglong2* __restrict__ d, const ushort2* __restrict__ h, int pick) {
  __shared__ float4 s[64];
  __shared__ float2 t[64];
  float4 wide[4];
  float2 pairs[4];
  const int i = threadIdx.x;
  for (int k = 0; k < 4; ++k) {
    const float4 v = a[i * 4 + k];
    const float2 p = c[i * 4 + k];
    wide[(k * pick) & 3] = make_float4(v.x + 1, v.y * 2, v.z - 3, -v.w);
    pairs[(k * pick) & 3] = make_float2(p.x * p.y, p.x + p.y);
  }
  s[i] = make_float4(wide[pick & 3].x + 1, wide[pick & 3].y, wide[pick & 3].z, wide[pick & 3].w * 2);
  t[i] = make_float2(pairs[pick & 3].x * 3, pairs[pick & 3].y - 1);
  __syncthreads();
  const float4 v = s[i ^ 1], w = b[i + 64];
  const float2 p = t[i ^ 1];
  b[i] = make_float4(v.x + p.x + w.x, v.y * p.y + w.y, v.z + d[i].x % 7, v.w + h[i].x + h[i].y + w.w);
}

extern "C" __global__ void written_out_wide(const unsigned long long* a, unsigned long long* b, int pick) {
  __shared__ unsigned long long s[32];
  unsigned long long* anywhere = pick ? s : b;
  unsigned short h;
  asm volatile("ld.global.nc.b16 %0, [%1];" : "=h"(h) : "l"(a));
  asm volatile("st.u64 [%0], %1;" ::"l"(anywhere), "l"(a[1] + h) : "memory");
  float x, y;
  asm volatile("ld.global.nc.v2.f32 {%0, %1}, [%2];" : "=f"(x), "=f"(y) : "l"(a + 2));
  unsigned long long v, w;
  asm volatile("ld.global.nc.v2.u64 {%0, %1}, [%2];" : "=l"(v), "=l"(w) : "l"(a + 4));
  b[2] = v + w;
  asm volatile("{ .reg .pred p; setp.eq.b64 p, %0, %1; @p st.global.f32 [%2], %3; }"
               ::"l"(a[3]), "l"(b[0]), "l"(b + 1), "f"(x + y) : "memory");
}
