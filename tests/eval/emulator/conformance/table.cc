#include "table.h"

#include <random>

namespace kw::eval::conformance {
namespace {

std::vector<u64> Whole(int bytes) {
  const int bits = bytes * 8;
  std::vector<u64> out = {0,    1,    2,    3,    5,    7,    0x12, 0x1f,
                          0x20, 0x21, 0x3f, 0x40, 0x7f, 0x80, 0xff, 0xfe};
  for (int at = 8; at <= bits; at += 8) {
    if (at < 64) out.push_back(u64{1} << at);
    out.push_back(u64{1} << (at - 1));
    out.push_back((u64{1} << (at - 1)) - 1);
    out.push_back(~u64{0} << (at - 1));
  }
  for (const u64 v : {u64{0x5555555555555555}, u64{0xaaaaaaaaaaaaaaaa}, u64{0x0123456789abcdef},
                      u64{0xfedcba9876543210}, ~u64{0}, ~u64{1}, ~u64{6}}) {
    out.push_back(v);
  }
  for (u64& v : out) v &= ~u64{0} >> (64 - bits);
  return out;
}

// Zeros, ones, the ends of the normal and subnormal numbers, infinities, NaN, neighbours of ties
// and of the limits of integers, with both signs.
std::vector<u64> Real(const Format& f) {
  const u64 one = (u64{1} << (f.exponent_bits - 1)) - 1, top = (u64{1} << f.exponent_bits) - 1;
  const int fraction = f.fraction_bits;
  const u64 hidden = u64{1} << fraction;
  std::vector<u64> out = {0,
                          1,
                          2,
                          hidden / 2,
                          hidden - 1,
                          hidden,
                          hidden + 1,
                          top << fraction,
                          (top << fraction) | hidden / 2,
                          (top << fraction) - 1};
  for (const int e :
       {-25, -24, -14, -8, -2, -1, 0, 1, 2, 3, 7, 8, 10, 11, 15, 16, 31, 32, 63, 64}) {
    const i64 biased = static_cast<i64>(one) + e;
    if (biased <= 0 || biased >= static_cast<i64>(top)) continue;
    const u64 base = static_cast<u64>(biased) << fraction;
    out.push_back(base);
    if (e >= -2 && e <= 16) out.push_back(base | hidden / 2);
    if (e >= 0) out.push_back(base - 1);
    if (e == 0 || e == 1 || e == 10) out.push_back(base + 1), out.push_back(base | (hidden - 1));
  }
  const size_t n = out.size();
  for (size_t i = 0; i < n; ++i) out.push_back(out[i] | u64{1} << (f.exponent_bits + fraction));
  return out;
}

u64 RandomOf(char kind, std::mt19937_64* gen, size_t i) {
  const u64 r = (*gen)();
  switch (kind) {
    case 'n':
      return r % 80;
    case 'p':
      return r & 1;
    case 'F':  // one in two near 1, where sums cancel
      return i % 2 == 0 ? r & 0xffffffff : (r & 0x807fffff) | (124 + (r >> 32) % 6) << 23;
    case 'D':
      return i % 2 == 0 ? r : (r & 0x800fffffffffffff) | (1020 + (*gen)() % 6) << 52;
    case 'h':
    case 'w':
    case 'd': {
      const u64 v = r >> (*gen)() % 64;
      return v & (~u64{0} >> (64 - 8 * BytesOf(kind)));
    }
    default:
      return r & (~u64{0} >> (64 - 8 * BytesOf(kind)));
  }
}

}  // namespace

int BytesOf(char kind) {
  switch (kind) {
    case 'h':
    case 'H':
    case 'B':
    case '8':
      return 2;
    case 'd':
    case 'D':
      return 8;
    case 'p':
      return 1;
    default:
      return 4;
  }
}

std::vector<u64> ValuesOf(char kind, u32 seed) {
  std::vector<u64> out;
  switch (kind) {
    case 'h':
    case 'w':
    case 'd':
      out = Whole(BytesOf(kind));
      break;
    case 'n':
      out = {0,   1,   2,   7,        8,          15,         16,         17,
             31,  32,  33,  47,       63,         64,         65,         127,
             128, 255, 256, 0x100020, 0x7fffffff, 0x80000000, 0xffffffff, 0xfffffffe};
      break;
    case 'F':
      out = Real(kSingle);
      break;
    case 'D':
      out = {};
      for (const u64 v : Real(kSingle))
        out.push_back(ToBits(static_cast<double>(FromBits<float>(v))));
      for (const u64 v :
           {0x1ull, 0x000fffffffffffffull, 0x0010000000000000ull, 0x7fefffffffffffffull,
            0x3fefffffffffffffull, 0x3ff0000000000001ull, 0x43dfffffffffffffull,
            0x41dfffffffc00000ull, 0x41e0000000100000ull, 0x36a0000000000000ull,
            0x47efffffefffffffull, 0x47effffff0000000ull, 0x40effdffffffffffull}) {
        out.push_back(v), out.push_back(v | u64{1} << 63);
      }
      break;
    case 'H':
      out = Real(kHalf);
      break;
    case 'B':
      out = Real(kBfloat);
      break;
    case 'P':
    case 'Q': {
      const std::vector<u64> one = Real(kind == 'P' ? kHalf : kBfloat);
      for (size_t i = 0; i < one.size(); ++i)
        out.push_back(one[i] | one[(i * 7 + 3) % one.size()] << 16);
      break;
    }
    case 'p':
      out = {0, 1};
      break;
    default:
      break;
  }
  std::mt19937_64 gen(seed);
  for (size_t i = 0; i < 40; ++i) out.push_back(RandomOf(kind, &gen, i));
  return out;
}

const std::vector<Table>& Tables() {
  static const std::vector<Table> kTables = {
      {"Integers", IntegerRows()},        {"Bits", BitRows()},    {"Floats", FloatRows()},
      {"Approximate", ApproximateRows()}, {"Halves", HalfRows()}, {"Comparisons", CompareRows()},
      {"Conversions", ConvertRows()}};
  return kTables;
}

}  // namespace kw::eval::conformance
