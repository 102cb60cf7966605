// f16 and bf16, alone and in pairs, and 8-bit floats.
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_fp8.h>

template <class T>
__device__ void ones(const T* a, T* out) {
  const T x = a[threadIdx.x], y = a[threadIdx.x + 32], z = a[threadIdx.x + 64];
  T* at = out + threadIdx.x * 24;
  at[0] = __hadd(x, y);
  at[1] = __hadd_sat(x, y);
  at[2] = __hsub(x, y);
  at[3] = __hmul(x, y);
  at[4] = __hfma(x, y, z);
  at[5] = __hfma_sat(x, y, z);
  at[6] = __hdiv(x, y);
  at[7] = __hneg(x);
  at[8] = __habs(x);
  at[9] = __hmax(x, y);
  at[10] = __hmin(x, y);
  at[11] = hexp(x);
  at[12] = hlog2(x);
  at[13] = hsqrt(x);
  at[14] = hrcp(x);
  at[15] = hfloor(x) + hrint(y);
  at[16] = __hlt(x, y) ? x : __hgeu(x, z) ? y : z;
  at[17] = __hisnan(x) ? y : x;
  at[18] = hsin(x);
  at[19] = hexp2(y);
  at[20] = __hmax_nan(x, y);
#if __CUDA_ARCH__ >= 800
  at[21] = __hfma_relu(x, y, z);
#endif
  at[22] = htanh(x);
  at[23] = __heq(x, y) ? x : __hne(x, z) ? y : z;
}
template <class P>
__device__ void pairs(const P* a, P* out) {
  const P x = a[threadIdx.x], y = a[threadIdx.x + 32], z = a[threadIdx.x + 64];
  P* at = out + threadIdx.x * 16;
  at[0] = __hadd2(x, y);
  at[1] = __hsub2(x, y);
  at[2] = __hmul2(x, y);
  at[3] = __hfma2(x, y, z);
  at[4] = __hneg2(x);
  at[5] = __habs2(x);
  at[6] = __hmax2(x, y);
  at[7] = __hmin2(x, y);
  at[8] = __hlt2(x, y);
  at[9] = h2exp2(x);
  at[10] = __h2div(x, y);
  at[11] = Swapped(x);
  at[12] = __hbgt2(x, y) ? x : y;
  at[13] = __hadd2_sat(x, y);
#if __CUDA_ARCH__ >= 800
  at[14] = __hfma2_relu(x, y, z);
#endif
  at[15] = h2tanh(x);
}
__device__ __half2 Swapped(__half2 x) { return __lowhigh2highlow(x); }
__device__ __nv_bfloat162 Swapped(__nv_bfloat162 x) { return __lowhigh2highlow(x); }

extern "C" __global__ void half_ones(const __half* a, __half* out) { ones(a, out); }
extern "C" __global__ void half_pairs(const __half2* a, __half2* out) { pairs(a, out); }
#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 800
extern "C" __global__ void bfloat_ones(const __nv_bfloat16* a, __nv_bfloat16* out) { ones(a, out); }
extern "C" __global__ void bfloat_pairs(const __nv_bfloat162* a, __nv_bfloat162* out) { pairs(a, out); }
#endif

extern "C" __global__ void half_conversions(const float* a, const int* b, __half* h, float* f, __nv_bfloat16* g) {
  const float x = a[threadIdx.x];
  const int n = b[threadIdx.x];
  __half* at = h + threadIdx.x * 12;
  at[0] = __float2half_rn(x);
  at[1] = __float2half_rz(x);
  at[2] = __float2half_rd(x);
  at[3] = __int2half_rn(n);
  at[4] = __ull2half_rn(static_cast<unsigned long long>(n));
  at[5] = __double2half(static_cast<double>(x));
  at[6] = __short2half_rz(static_cast<short>(n));
  const __half2 two = __floats2half2_rn(x, x + 1);
  at[7] = two.x, at[8] = two.y;
  f[threadIdx.x * 8] = __half2float(at[n & 7]) + __half2int_rz(at[1]) + __half2ll_rn(at[2]);
  f[threadIdx.x * 8 + 1] = __half2uint_ru(at[3]) + __half2short_rd(at[4]);
  g[threadIdx.x * 4] = __float2bfloat16_rn(x);
  g[threadIdx.x * 4 + 1] = __int2bfloat16_rn(n);
  g[threadIdx.x * 4 + 2] = __float2bfloat16_rz(x);
  const __nv_bfloat162 three = __floats2bfloat162_rn(x, x * 2);
  g[threadIdx.x * 4 + 3] = three.y;
  f[threadIdx.x * 8 + 2] = __bfloat162float(three.x) + __bfloat162int_rz(three.y);
}

extern "C" __global__ void bytes(const float* a, const __half2* h, __nv_fp8_e4m3* p, __nv_fp8_e5m2* q,
                                 __nv_fp8x2_e4m3* pp, __half2* out, float4* wide, const __nv_fp8x4_e5m2* four) {
  const int i = threadIdx.x;
  p[i] = __nv_fp8_e4m3(a[i]);
  q[i] = __nv_fp8_e5m2(a[i]);
  pp[i] = __nv_fp8x2_e4m3(h[i]);
  out[i] = static_cast<__half2>(pp[i + 32]);
  wide[i] = static_cast<float4>(four[i]);
}

extern "C" __global__ void half_orders(const __half* a, __half* out) {
  const __half x = a[threadIdx.x], y = a[threadIdx.x + 32];
  out[threadIdx.x] = __hgt(x, y) ? x : __hle(x, y) ? y : __hge(x, x) ? __hneg(x) : y;
}
