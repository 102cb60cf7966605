// Every conversion between the types of C++.
template <class T, class... To>
__device__ void convert(const T* a, double* out) {
  const T x = a[threadIdx.x];
  double sum = 0;
  ((sum += static_cast<double>(static_cast<To>(x)) * 3), ...);
  out[threadIdx.x] = sum;
}
#define CONVERT(name, T)                                                                        \
  extern "C" __global__ void name(const T* a, double* out) {                                    \
    convert<T, signed char, unsigned char, short, unsigned short, int, unsigned, long long,     \
            unsigned long long, float, double>(a, out);                                         \
  }
CONVERT(from_s8, signed char)
CONVERT(from_u8, unsigned char)
CONVERT(from_s16, short)
CONVERT(from_u16, unsigned short)
CONVERT(from_s32, int)
CONVERT(from_u32, unsigned)
CONVERT(from_s64, long long)
CONVERT(from_u64, unsigned long long)
CONVERT(from_f32, float)
CONVERT(from_f64, double)

extern "C" __global__ void with_rounding(const float* a, const double* b, const long long* c, float* f,
                                         double* d, int* i, long long* l) {
  const float x = a[threadIdx.x];
  const double y = b[threadIdx.x];
  const long long z = c[threadIdx.x];
  i[threadIdx.x * 8] = __float2int_rn(x);
  i[threadIdx.x * 8 + 1] = __float2int_rd(x);
  i[threadIdx.x * 8 + 2] = __float2int_ru(x);
  i[threadIdx.x * 8 + 3] = __float2uint_rn(x);
  i[threadIdx.x * 8 + 4] = __double2int_rz(y) + __double2int_rd(y);
  i[threadIdx.x * 8 + 5] = __double2uint_ru(y);
  i[threadIdx.x * 8 + 6] = __double2hiint(y) + __double2loint(y);
  l[threadIdx.x * 4] = __float2ll_rn(x);
  l[threadIdx.x * 4 + 1] = __float2ull_ru(x);
  l[threadIdx.x * 4 + 2] = __double2ll_rd(y);
  l[threadIdx.x * 4 + 3] = __double_as_longlong(y) + __double2ull_rz(y);
  f[threadIdx.x * 8] = __double2float_rn(y);
  f[threadIdx.x * 8 + 1] = __double2float_ru(y);
  f[threadIdx.x * 8 + 2] = __int2float_rz(i[threadIdx.x]);
  f[threadIdx.x * 8 + 3] = __ll2float_rd(z);
  f[threadIdx.x * 8 + 4] = __ull2float_ru(static_cast<unsigned long long>(z));
  f[threadIdx.x * 8 + 5] = __uint2float_rn(static_cast<unsigned>(z));
  d[threadIdx.x * 2] = __ll2double_rz(z);
  d[threadIdx.x * 2 + 1] = __hiloint2double(i[threadIdx.x], i[threadIdx.x + 1]);
}

extern "C" __global__ void to_tensor_float(const float* a, unsigned* out) {
#if __CUDA_ARCH__ >= 800
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(out[threadIdx.x]) : "f"(a[threadIdx.x]));
#endif
}
