// Tensor cores: wmma through its header, mma and ldmatrix written out, asynchronous copies.
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_pipeline.h>
#include <mma.h>

using namespace nvcuda;

template <int M, int N, int K, class T, class C, class LA, class LB>
__device__ void product(const T* a, const T* b, C* c) {
  wmma::fragment<wmma::matrix_a, M, N, K, T, LA> fa;
  wmma::fragment<wmma::matrix_b, M, N, K, T, LB> fb;
  wmma::fragment<wmma::accumulator, M, N, K, C> fc;
  wmma::load_matrix_sync(fc, c, N, wmma::mem_row_major);
  wmma::load_matrix_sync(fa, a, 32);
  wmma::load_matrix_sync(fb, b, 32);
  wmma::mma_sync(fc, fa, fb, fc);
  for (int i = 0; i < fc.num_elements; ++i) fc.x[i] = fc.x[i] + fc.x[i];
  wmma::store_matrix_sync(c, fc, N, wmma::mem_col_major);
}
using R = wmma::row_major;
using C = wmma::col_major;
extern "C" __global__ void wmma_half(const half* a, const half* b, float* c, half* h) {
  product<16, 16, 16, half, float, R, C>(a, b, c);
  product<32, 8, 16, half, float, C, R>(a, b, c + 512);
  product<8, 32, 16, half, half, R, R>(a, b, h);
}
extern "C" __global__ void wmma_stores(const half* a, half* h) {
  __shared__ float s[256];
  wmma::fragment<wmma::matrix_a, 16, 16, 16, half, R> fa;
  wmma::fragment<wmma::matrix_b, 16, 16, 16, half, C> fb;
  wmma::fragment<wmma::accumulator, 16, 16, 16, float> fc;
  wmma::fragment<wmma::accumulator, 16, 16, 16, half> fd;
  wmma::fill_fragment(fc, 0.f);
  wmma::load_matrix_sync(fa, a, 16);
  wmma::load_matrix_sync(fb, a + 256, 16);
  wmma::mma_sync(fc, fa, fb, fc);
  for (int i = 0; i < fc.num_elements; ++i) fd.x[i] = __float2half(fc.x[i]);
  wmma::store_matrix_sync(s, fc, 16, wmma::mem_row_major);
  wmma::store_matrix_sync(h, fd, 16, wmma::mem_row_major);
  __syncthreads();
  h[256 + threadIdx.x] = __float2half(s[threadIdx.x]);
}
extern "C" __global__ void wmma_bytes(const signed char* a, const unsigned char* b, int* c) {
  product<16, 16, 16, signed char, int, R, C>(a, a, c);
  product<16, 16, 16, unsigned char, int, C, R>(b, b, c + 512);
}
#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 800
extern "C" __global__ void wmma_others(const __nv_bfloat16* a, float* c, double* d) {
  product<16, 16, 16, __nv_bfloat16, float, R, C>(a, a, c);
  wmma::fragment<wmma::matrix_a, 16, 16, 8, wmma::precision::tf32, R> fa;
  wmma::fragment<wmma::matrix_b, 16, 16, 8, wmma::precision::tf32, C> fb;
  wmma::fragment<wmma::accumulator, 16, 16, 8, float> fc;
  wmma::load_matrix_sync(fa, c, 32);
  wmma::load_matrix_sync(fb, c, 32);
  wmma::fill_fragment(fc, 0.f);
  for (int i = 0; i < fa.num_elements; ++i) fa.x[i] = wmma::__float_to_tf32(fa.x[i]);
  wmma::mma_sync(fc, fa, fb, fc);
  wmma::store_matrix_sync(c + 1024, fc, 16, wmma::mem_row_major);
  product<8, 8, 4, double, double, R, C>(d, d, d + 512);
}
#define MMA(shape, types, d, a, b)                                                                 \
  asm volatile("mma.sync.aligned." shape ".row.col." types " {%0, %1, %2, %3}, " a ", " b ", {%0, %1, %2, %3};" \
               : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])                                    \
               : "r"(x[0]), "r"(x[1]), "r"(x[2]), "r"(x[3]), "r"(x[4]), "r"(x[5]))
extern "C" __global__ void mma_all(const unsigned* in, float* out, int* sums, double* wide) {
  unsigned x[6];
  float d[4] = {};
  for (int i = 0; i < 6; ++i) x[i] = in[threadIdx.x * 6 + i];
  MMA("m16n8k16", "f32.f16.f16.f32", d, "{%4, %5, %6, %7}", "{%8, %9}");
  MMA("m16n8k8", "f32.f16.f16.f32", d, "{%4, %5}", "{%8}");
  MMA("m16n8k16", "f32.bf16.bf16.f32", d, "{%4, %5, %6, %7}", "{%8, %9}");
  MMA("m16n8k8", "f32.bf16.bf16.f32", d, "{%4, %5}", "{%8}");
  MMA("m16n8k8", "f32.tf32.tf32.f32", d, "{%4, %5, %6, %7}", "{%8, %9}");
  MMA("m16n8k4", "f32.tf32.tf32.f32", d, "{%4, %5}", "{%8}");
#if __CUDA_ARCH__ >= 890
  MMA("m16n8k32", "f32.e4m3.e4m3.f32", d, "{%4, %5, %6, %7}", "{%8, %9}");
  MMA("m16n8k32", "f32.e5m2.e4m3.f32", d, "{%4, %5, %6, %7}", "{%8, %9}");
#endif
  for (int i = 0; i < 4; ++i) out[threadIdx.x * 4 + i] = d[i];
  unsigned h0 = x[0], h1 = x[1];
  asm volatile("mma.sync.aligned.m16n8k16.row.col.f16.f16.f16.f16 {%0, %1}, {%2, %3, %4, %5}, {%6, %7}, {%0, %1};"
               : "+r"(h0), "+r"(h1) : "r"(x[0]), "r"(x[1]), "r"(x[2]), "r"(x[3]), "r"(x[4]), "r"(x[5]));
  int s[4] = {static_cast<int>(h0), static_cast<int>(h1), 0, 0};
  asm volatile("mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
               : "+r"(s[0]), "+r"(s[1]), "+r"(s[2]), "+r"(s[3])
               : "r"(x[0]), "r"(x[1]), "r"(x[2]), "r"(x[3]), "r"(x[4]), "r"(x[5]));
  asm volatile("mma.sync.aligned.m16n8k16.row.col.satfinite.s32.u8.s8.s32 {%0, %1, %2, %3}, {%4, %5}, {%6}, {%0, %1, %2, %3};"
               : "+r"(s[0]), "+r"(s[1]), "+r"(s[2]), "+r"(s[3]) : "r"(x[0]), "r"(x[1]), "r"(x[2]));
  asm volatile("mma.sync.aligned.m8n8k16.row.col.s32.s8.u8.s32 {%0, %1}, {%2}, {%3}, {%0, %1};"
               : "+r"(s[0]), "+r"(s[1]) : "r"(x[0]), "r"(x[1]));
  for (int i = 0; i < 4; ++i) sums[threadIdx.x * 4 + i] = s[i];
  double p = wide[threadIdx.x], q = wide[threadIdx.x + 32];
  asm volatile("mma.sync.aligned.m8n8k4.row.col.f64.f64.f64.f64 {%0, %1}, {%2}, {%3}, {%0, %1};"
               : "+d"(p), "+d"(q) : "d"(wide[threadIdx.x + 64]), "d"(wide[threadIdx.x + 96]));
  wide[threadIdx.x] = p + q;
}
extern "C" __global__ void staged(const float4* a, unsigned* out, const float* one) {
  __shared__ float4 s[64];
  __shared__ float t[32];
  __shared__ unsigned long long barrier;
  const unsigned at = static_cast<unsigned>(__cvta_generic_to_shared(&s[threadIdx.x & 31]));
  __pipeline_memcpy_async(&s[threadIdx.x & 31], a + threadIdx.x, 16);
  __pipeline_memcpy_async(&t[threadIdx.x & 31], one + threadIdx.x, 4, 2);
  __pipeline_commit();
  __pipeline_wait_prior(1);
  asm volatile("cp.async.ca.shared.global [%0], [%1], 8;" ::"r"(at + 512), "l"(a) : "memory");
  asm volatile("cp.async.wait_all;" ::: "memory");
  if (threadIdx.x == 0) asm volatile("mbarrier.init.shared.b64 [%0], 32;" ::"r"(static_cast<unsigned>(__cvta_generic_to_shared(&barrier))));
  __syncthreads();
  asm volatile("{ .reg .b64 t; .reg .pred p; mbarrier.arrive.shared.b64 t, [%0]; W: mbarrier.test_wait.shared.b64 p, [%0], t; @!p bra W; }"
               ::"r"(static_cast<unsigned>(__cvta_generic_to_shared(&barrier))) : "memory");
  asm volatile("cp.async.mbarrier.arrive.shared.b64 [%0];" ::"r"(static_cast<unsigned>(__cvta_generic_to_shared(&barrier))) : "memory");
  unsigned r[4], v[2], w;
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];" : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3]) : "r"(at));
  asm volatile("ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {%0, %1}, [%2];" : "=r"(v[0]), "=r"(v[1]) : "r"(at));
  asm volatile("ldmatrix.sync.aligned.m8n8.x1.shared.b16 {%0}, [%1];" : "=r"(w) : "r"(at));
#if __CUDA_ARCH__ >= 900
  asm volatile("stmatrix.sync.aligned.m8n8.x2.shared.b16 [%0], {%1, %2};" ::"r"(at), "r"(v[0]), "r"(v[1]) : "memory");
#endif
  out[threadIdx.x] = r[0] + r[1] + r[2] + r[3] + v[0] + v[1] + w + __float_as_uint(t[threadIdx.x & 31]);
}
#endif
