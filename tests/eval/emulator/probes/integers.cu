// Integer and bit operations of every width, and the chains and fields that nvcc makes of them.
template <class T>
__device__ void arithmetic(const T* a, const T* b, T* out, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  const T x = a[i], y = b[i];
  T* at = out + i * 16;
  at[0] = x + y;
  at[1] = x - y;
  at[2] = x * y;
  at[3] = x / y;
  at[4] = x % y;
  at[5] = x & y;
  at[6] = x | y;
  at[7] = x ^ y;
  at[8] = ~x;
  at[9] = -x;
  at[10] = x < y ? x : y;
  at[11] = x > y ? x : y;
  at[12] = x << (y & 7);
  at[13] = x >> (y & 7);
  at[14] = x * y + at[3];
  at[15] = x == y ? 1 : x <= y ? 2 : x >= at[0] ? 3 : x != at[1] ? 4 : 5;
}
#define ARITHMETIC(name, T)                                                                \
  extern "C" __global__ void name(const T* a, const T* b, T* out, int n) {                 \
    arithmetic<T>(a, b, out, n);                                                           \
  }
ARITHMETIC(integers_s8, signed char)
ARITHMETIC(integers_u8, unsigned char)
ARITHMETIC(integers_s16, short)
ARITHMETIC(integers_u16, unsigned short)
ARITHMETIC(integers_s32, int)
ARITHMETIC(integers_u32, unsigned)
ARITHMETIC(integers_s64, long long)
ARITHMETIC(integers_u64, unsigned long long)

extern "C" __global__ void bits(const unsigned* a, const unsigned long long* b, unsigned* out,
                                unsigned long long* wide) {
  const unsigned x = a[threadIdx.x], y = a[threadIdx.x + 32], z = a[threadIdx.x + 64];
  const unsigned long long p = b[threadIdx.x], q = b[threadIdx.x + 32];
  unsigned* at = out + threadIdx.x * 24;
  at[0] = __popc(x);
  at[1] = __popcll(p);
  at[2] = __clz(x);
  at[3] = __clzll(p);
  at[4] = __brev(x);
  at[5] = __ffs(x);
  at[6] = __ffsll(p);
  at[7] = __byte_perm(x, y, z);
  at[8] = __funnelshift_l(x, y, z);
  at[9] = __funnelshift_r(x, y, z);
  at[10] = __funnelshift_lc(x, y, z);
  at[11] = __funnelshift_rc(x, y, z);
  at[12] = __umulhi(x, y);
  at[13] = __mulhi(static_cast<int>(x), static_cast<int>(y));
  at[14] = __umul24(x, y) + __mul24(static_cast<int>(x), static_cast<int>(z));
  at[15] = __usad(x, y, z) + __sad(static_cast<int>(x), static_cast<int>(y), z);
  at[16] = __uhadd(x, y) + __urhadd(y, z);
  at[17] = __hadd(static_cast<int>(x), static_cast<int>(y)) +
           __rhadd(static_cast<int>(x), static_cast<int>(z));
  at[18] = __dp4a(static_cast<int>(x), static_cast<int>(y), static_cast<int>(z));
  at[19] = __dp4a(x, y, z);
  at[20] = __dp2a_lo(static_cast<int>(x), static_cast<int>(y), static_cast<int>(z));
  at[21] = __dp2a_hi(x, y, z);
  at[22] = (x & y) | (~x & z);
  at[23] = abs(static_cast<int>(x)) + __fns(x, y & 31, static_cast<int>(z));
  wide[threadIdx.x * 4] = __brevll(p);
  wide[threadIdx.x * 4 + 1] = __umul64hi(p, q);
  wide[threadIdx.x * 4 + 2] = __mul64hi(static_cast<long long>(p), static_cast<long long>(q));
  wide[threadIdx.x * 4 + 3] = llabs(static_cast<long long>(p));
}

struct Fields {
  unsigned a : 5, b : 11, c : 16;
  unsigned long long d : 37, e : 27;
};
extern "C" __global__ void fields(Fields* x, const unsigned* y, __int128* z) {
  Fields f = x[threadIdx.x];
  f.a = y[0];
  f.b += y[1];
  f.c ^= f.b;
  f.d = f.e + y[2];
  x[threadIdx.x] = f;
  z[threadIdx.x] = z[threadIdx.x] * z[threadIdx.x + 32] + z[threadIdx.x + 64];
}

// Four and two numbers in a word.
extern "C" __global__ void packed(const unsigned* a, unsigned* out) {
  const unsigned x = a[threadIdx.x], y = a[threadIdx.x + 32];
  unsigned* at = out + threadIdx.x * 20;
  at[0] = __vadd4(x, y);
  at[1] = __vaddss4(x, y);
  at[2] = __vaddus4(x, y);
  at[3] = __vsub4(x, y);
  at[4] = __vsubss4(x, y);
  at[5] = __vabsdiffu4(x, y);
  at[6] = __vabsdiffs4(x, y);
  at[7] = __vavgu4(x, y);
  at[8] = __vmaxs4(x, y);
  at[9] = __vminu4(x, y);
  at[10] = __vcmpgtu4(x, y);
  at[11] = __vsetleu4(x, y);
  at[12] = __vsadu4(x, y);
  at[13] = __vadd2(x, y);
  at[14] = __vabsdiffu2(x, y);
  at[15] = __vmaxs2(x, y);
  at[16] = __vneg4(x);
  at[17] = __vabs4(x);
  at[18] = __vimax3_s32(static_cast<int>(x), static_cast<int>(y), 3);
  at[19] = __viaddmax_u32(x, y, 9) + __vmins2(x, y) + __vmaxu2(x, y) + __vminu2(x, y) + __vaddss2(x, y);
  at[18] += __vimax_s32_relu(static_cast<int>(x), static_cast<int>(y)) + __vimin_s16x2_relu(x, y) +
            __viaddmax_s16x2_relu(x, y, 5) + __vimin3_u16x2(x, y, 9);
}

// What nvcc leaves to the assembler, written out.
extern "C" __global__ void by_hand(const unsigned* a, unsigned* out) {
  const unsigned x = a[threadIdx.x], y = a[threadIdx.x + 32], z = a[threadIdx.x + 64];
  unsigned r, s;
  unsigned long long d;
  asm("bfe.u32 %0, %1, %2, 7;" : "=r"(r) : "r"(x), "r"(y));
  asm("bfi.b32 %0, %1, %2, 3, 9;" : "=r"(s) : "r"(x), "r"(y));
  out[threadIdx.x * 8] = r + s;
  asm("lop3.b32 %0, %1, %2, %3, 0xe8;" : "=r"(r) : "r"(x), "r"(y), "r"(z));
  asm("{ .reg .b64 t; mov.b64 t, {%1, %2}; bfi.b64 %0, t, t, 5, 40; }" : "=l"(d) : "r"(x), "r"(y));
  out[threadIdx.x * 8 + 1] = r + static_cast<unsigned>(d >> 20);
  asm("bfind.shiftamt.u32 %0, %1;" : "=r"(r) : "r"(x));
  asm("bfind.s32 %0, %1;" : "=r"(s) : "r"(y));
  out[threadIdx.x * 8 + 2] = r + s;
  asm("add.cc.u32 %0, %1, %2; addc.u32 %0, %0, %3;" : "=r"(r) : "r"(x), "r"(y), "r"(z));
  asm("sub.cc.u32 %0, %1, %2; subc.u32 %0, %0, %3;" : "=r"(s) : "r"(x), "r"(y), "r"(z));
  out[threadIdx.x * 8 + 3] = r + s;
  asm("mad.lo.cc.u32 %0, %1, %2, %3; madc.hi.u32 %0, %1, %2, %0;" : "=r"(r) : "r"(x), "r"(y), "r"(z));
  asm("cnot.b32 %0, %1;" : "=r"(s) : "r"(x));
  out[threadIdx.x * 8 + 4] = r + s;
  asm("bmsk.clamp.b32 %0, %1, %2;" : "=r"(r) : "r"(x), "r"(y));
  asm("szext.wrap.s32 %0, %1, %2;" : "=r"(s) : "r"(x), "r"(y));
  out[threadIdx.x * 8 + 5] = r + s;
  asm("slct.u32.s32 %0, %1, %2, %3;" : "=r"(r) : "r"(x), "r"(y), "r"(z));
  asm("set.lt.u32.s32 %0, %1, %2;" : "=r"(s) : "r"(x), "r"(y));
  out[threadIdx.x * 8 + 6] = r + s;
  asm("mad24.lo.u32 %0, %1, %2, %3;" : "=r"(r) : "r"(x), "r"(y), "r"(z));
  asm("{ .reg .pred p, q, t; setp.ne.u32 p, %1, 0; setp.ne.u32 q, %2, 0; xor.pred t, p, q; "
      "mov.pred p, t; selp.b32 %0, 1, 0, p; }" : "=r"(s) : "r"(x), "r"(y));
  out[threadIdx.x * 8 + 7] = r + s;
  asm volatile("{ .reg .b16 h, l; .reg .b32 w; cvt.u16.u32 h, %0; mov.b16 l, h; mov.b32 w, {l, h}; "
               "and.b16 l, l, h; }" ::"r"(x));
}

extern "C" __global__ void remainders(const int* a, const unsigned* b, const long long* c, int* out, long long* wide) {
  const int i = threadIdx.x;
  out[i] = a[i] % a[i + 32];
  out[i + 32] = static_cast<int>(b[i] % b[i + 32]);
  wide[i] = c[i] % c[i + 32];
  if (c[i] >= c[i + 1] && static_cast<unsigned long long>(c[i + 2]) < static_cast<unsigned long long>(c[i + 3])) wide[i + 32] = 1;
  asm volatile("{ .reg .pred p, q; setp.ne.s32 p, %0, 0; not.pred q, p; @q trap; }" ::"r"(a[i] | 1));
  asm volatile("{ .reg .pred p; setp.ge.s64 p, %0, 0; @!p trap; setp.lt.u64 p, %0, 99; }" ::"l"(c[i] & 7));
}
