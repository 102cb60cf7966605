// Logic, shifts, fields of bits, bytes.
#include <algorithm>

#include "fmt/format.h"
#include "table.h"

namespace kw::eval::conformance {
namespace {

template <class T>
void Logic(std::vector<Row>* rows) {
  constexpr int kBits = sizeof(T) * 8;
  using S = std::make_signed_t<T>;
  const std::string one(1, kBits == 16   ? 'h'
                           : kBits == 32 ? 'w'
                                         : 'd'),
      two = one + one, three = two + one;
  const auto add = [&](const char* name, std::string kinds, Reference want) {
    rows->push_back({fmt::format("{}{}", name, kBits), std::move(kinds), std::move(want)});
  };
  add("and.b", three, Of(+[](T a, T b) { return static_cast<T>(a & b); }));
  add("or.b", three, Of(+[](T a, T b) { return static_cast<T>(a | b); }));
  add("xor.b", three, Of(+[](T a, T b) { return static_cast<T>(a ^ b); }));
  add("not.b", two, Of(+[](T a) { return static_cast<T>(~a); }));
  add("cnot.b", two, Of(+[](T a) { return static_cast<T>(a == 0 ? 1 : 0); }));
  add("mov.b", two, Of(+[](T a) { return a; }));
  add("mov.u", two, Of(+[](T a) { return a; }));
  add("mov.s", two, Of(+[](T a) { return a; }));
  add("shl.b", two + "n",
      Of(+[](T a, u32 n) { return static_cast<T>(n >= kBits ? u64{0} : u64{a} << n); }));
  add("shr.b", two + "n",
      Of(+[](T a, u32 n) { return static_cast<T>(n >= kBits ? u64{0} : u64{a} >> n); }));
  add("shr.u", two + "n",
      Of(+[](T a, u32 n) { return static_cast<T>(n >= kBits ? u64{0} : u64{a} >> n); }));
  add("shr.s", two + "n",
      Of(+[](S a, u32 n) { return static_cast<S>(i64{a} >> std::min(n, u32{kBits - 1})); }));
}

template <class T>
T Field(T a, u32 at, u32 length) {
  constexpr u32 kBits = sizeof(T) * 8;
  using U = std::make_unsigned_t<T>;
  at &= 255, length &= 255;
  const U raw = static_cast<U>(a);
  const bool sign =
      std::is_signed_v<T> && length != 0 && (raw >> std::min(at + length - 1, kBits - 1) & 1) != 0;
  U field = 0;
  for (u32 i = 0; i < kBits; ++i) {
    const bool bit = i < length && at + i < kBits ? (raw >> (at + i) & 1) != 0 : sign;
    field |= static_cast<U>(U{bit} << i);
  }
  return static_cast<T>(field);
}
template <class T>
T Inserted(T a, T b, u32 packed) {
  const u32 at = packed & 255, length = packed >> 8 & 255;
  for (u32 i = 0; i < length && at + i < sizeof(T) * 8; ++i) {
    const T bit = T{1} << (at + i);
    b = static_cast<T>((a >> i & 1) != 0 ? b | bit : b & ~bit);
  }
  return b;
}
template <class T>
u32 HighestUnlikeSign(T a) {
  for (int i = sizeof(T) * 8 - 1; i >= 0; --i) {
    const bool sign = std::is_signed_v<T> && a < 0;
    if (((a >> i & 1) != 0) != sign) return static_cast<u32>(i);
  }
  return ~0u;
}
template <class T>
u32 ShiftOfHighest(T a) {
  const u32 at = HighestUnlikeSign(a);
  return at == ~0u ? at : static_cast<u32>(sizeof(T) * 8 - 1) - at;
}
template <class T>
u32 Ones(T a) {
  u32 n = 0;
  for (; a != 0; a &= a - 1) ++n;
  return n;
}
template <class T>
u32 Leading(T a) {
  u32 n = 0;
  for (T bit = T{1} << (sizeof(T) * 8 - 1); bit != 0 && (a & bit) == 0; bit >>= 1) ++n;
  return n;
}
template <class T>
T Reversed(T a) {
  T r = 0;
  for (size_t i = 0; i < sizeof(T) * 8; ++i) r |= (a >> i & 1) << (sizeof(T) * 8 - 1 - i);
  return r;
}

template <class T>
void Fields(std::vector<Row>* rows) {
  using S = std::make_signed_t<T>;
  constexpr int kBits = sizeof(T) * 8;
  const std::string one(1, kBits == 32 ? 'w' : 'd'), two = one + one;
  const auto add = [&](std::string name, std::string kinds, Reference want, std::string body = "") {
    rows->push_back(
        {fmt::format("{}{}", name, kBits), std::move(kinds), std::move(want), {}, std::move(body)});
  };
  add("bfe.u", two + "nn", Of(+[](T a, u32 at, u32 n) { return Field<T>(a, at, n); }));
  add("bfe.s", two + "nn", Of(+[](S a, u32 at, u32 n) { return Field<S>(a, at, n); }));
  add("bfi.b", two + one + "w", Of(+[](T a, T b, u32 c) { return Inserted<T>(a, b, c); }),
      fmt::format("shr.u32 %wx, %3, 8; bfi.b{} %0, %1, %2, %3, %wx;", kBits));
  add("popc.b", "w" + one, Of(+[](T a) { return Ones(a); }));
  add("clz.b", "w" + one, Of(+[](T a) { return Leading(a); }));
  add("brev.b", two, Of(+[](T a) { return Reversed(a); }));
  add("bfind.u", "w" + one, Of(+[](T a) { return HighestUnlikeSign<T>(a); }));
  add("bfind.s", "w" + one, Of(+[](S a) { return HighestUnlikeSign<S>(a); }));
  add("bfind.shiftamt.u", "w" + one, Of(+[](T a) { return ShiftOfHighest<T>(a); }));
  add("bfind.shiftamt.s", "w" + one, Of(+[](S a) { return ShiftOfHighest<S>(a); }));
}

u32 Byte(u32 a, u32 b, u32 i) { return (i < 4 ? a >> (8 * i) : b >> (8 * (i - 4))) & 255; }
u32 Chosen(u32 a, u32 b, std::initializer_list<u32> bytes) {  // the highest first
  u32 r = 0;
  for (const u32 i : bytes) r = r << 8 | Byte(a, b, i & 7);
  return r;
}

void Permutes(std::vector<Row>* rows) {
  rows->push_back({"prmt.b32", "wwww", Of(+[](u32 a, u32 b, u32 c) {
                     u32 r = 0;
                     for (u32 i = 0; i < 4; ++i) {
                       const u32 pick = c >> (4 * i) & 15, byte = Byte(a, b, pick & 7);
                       r |= (pick < 8 ? byte : byte >= 128 ? 255u : 0u) << (8 * i);
                     }
                     return r;
                   })});
  rows->push_back({"prmt.b32.f4e", "wwww", Of(+[](u32 a, u32 b, u32 c) {
                     return Chosen(a, b, {(c & 3) + 3, (c & 3) + 2, (c & 3) + 1, c & 3});
                   })});
  rows->push_back({"prmt.b32.b4e", "wwww", Of(+[](u32 a, u32 b, u32 c) {
                     return Chosen(a, b, {(c & 3) + 5, (c & 3) + 6, (c & 3) + 7, c & 3});
                   })});
  rows->push_back({"prmt.b32.rc8", "wwww", Of(+[](u32 a, u32 b, u32 c) {
                     return Chosen(a, b, {c & 3, c & 3, c & 3, c & 3});
                   })});
  rows->push_back({"prmt.b32.ecl", "wwww", Of(+[](u32 a, u32 b, u32 c) {
                     const u32 s = c & 3;
                     return Chosen(a, b, {3, std::max(2u, s), std::max(1u, s), s});
                   })});
  rows->push_back({"prmt.b32.ecr", "wwww", Of(+[](u32 a, u32 b, u32 c) {
                     const u32 s = c & 3;
                     return Chosen(a, b, {s, std::min(2u, s), std::min(1u, s), 0});
                   })});
  rows->push_back({"prmt.b32.rc16", "wwww", Of(+[](u32 a, u32 b, u32 c) {
                     const u32 s = (c & 1) * 2;
                     return Chosen(a, b, {s + 1, s, s + 1, s});
                   })});
}

u32 ByTable(u32 table, u32 a, u32 b, u32 c) {
  u32 r = 0;
  for (int i = 0; i < 32; ++i) {
    const u32 at = (a >> i & 1) << 2 | (b >> i & 1) << 1 | (c >> i & 1);
    r |= (table >> at & 1) << i;
  }
  return r;
}

template <class A, class B, int kParts>
u32 Dot(u32 a, u32 b, u32 c, int first) {
  i64 sum = c;
  for (int k = 0; k < kParts; ++k) {
    const i64 x = static_cast<A>(a >> (32 / kParts * k));
    const i64 y = static_cast<B>(b >> (8 * (first + k)));
    sum += x * y;
  }
  return static_cast<u32>(sum);
}

void Dots(std::vector<Row>* rows) {
  const auto add = [&](const char* name, Reference want) {
    rows->push_back({name, "wwww", std::move(want)});
  };
  add("dp4a.u32.u32", Of(+[](u32 a, u32 b, u32 c) { return Dot<u8, u8, 4>(a, b, c, 0); }));
  add("dp4a.s32.s32", Of(+[](u32 a, u32 b, u32 c) { return Dot<i8, i8, 4>(a, b, c, 0); }));
  add("dp4a.s32.u32", Of(+[](u32 a, u32 b, u32 c) { return Dot<i8, u8, 4>(a, b, c, 0); }));
  add("dp4a.u32.s32", Of(+[](u32 a, u32 b, u32 c) { return Dot<u8, i8, 4>(a, b, c, 0); }));
  add("dp2a.lo.u32.u32", Of(+[](u32 a, u32 b, u32 c) { return Dot<u16, u8, 2>(a, b, c, 0); }));
  add("dp2a.lo.s32.s32", Of(+[](u32 a, u32 b, u32 c) { return Dot<i16, i8, 2>(a, b, c, 0); }));
  add("dp2a.lo.s32.u32", Of(+[](u32 a, u32 b, u32 c) { return Dot<i16, u8, 2>(a, b, c, 0); }));
  add("dp2a.hi.u32.u32", Of(+[](u32 a, u32 b, u32 c) { return Dot<u16, u8, 2>(a, b, c, 2); }));
  add("dp2a.hi.s32.s32", Of(+[](u32 a, u32 b, u32 c) { return Dot<i16, i8, 2>(a, b, c, 2); }));
  add("dp2a.hi.u32.s32", Of(+[](u32 a, u32 b, u32 c) { return Dot<u16, i8, 2>(a, b, c, 2); }));
}

u32 Mask(u32 at, u32 width, bool wrap) {
  if (wrap) at &= 31, width &= 31;
  u32 r = 0;
  for (u32 i = 0; i < 32; ++i) r |= (i >= at && u64{i} < u64{at} + width ? 1u : 0u) << i;
  return r;
}
u32 Extended(u32 a, u32 width, bool wrap, bool is_signed) {
  if (wrap) width &= 31;
  if (width >= 32) return a;
  if (width == 0) return 0;
  const u32 low = a & ((1u << width) - 1);
  return is_signed && (a >> (width - 1) & 1) != 0 ? low | ~0u << width : low;
}
// The position of the n-th set bit from `base` on, upwards or downwards.
u32 NthSet(u32 mask, u32 base, i32 n) {
  if (n == 0) return (mask >> base & 1) != 0 ? base : ~0u;
  i32 seen = 0;
  for (i32 at = static_cast<i32>(base); at >= 0 && at<32; at += n> 0 ? 1 : -1) {
    if ((mask >> at & 1) != 0 && ++seen == std::abs(n)) return static_cast<u32>(at);
  }
  return ~0u;
}

}  // namespace

std::vector<Row> BitRows() {
  std::vector<Row> rows;
  Logic<u16>(&rows);
  Logic<u32>(&rows);
  Logic<u64>(&rows);
  Fields<u32>(&rows);
  Fields<u64>(&rows);
  Permutes(&rows);
  Dots(&rows);
  for (const u32 table : {0x00u, 0x1au, 0x3cu, 0x80u, 0x96u, 0xe8u, 0xfeu, 0xcau}) {
    rows.push_back({"lop3.b32",
                    "wwww",
                    [table](u64 a, u64 b, u64 c) {
                      return u64{ByTable(table, static_cast<u32>(a), static_cast<u32>(b),
                                         static_cast<u32>(c))};
                    },
                    {},
                    fmt::format("lop3.b32 %0, %1, %2, %3, {};", table)});
  }
  const auto shift = [&](const char* name, Reference want) {
    rows.push_back({name, "wwwn", std::move(want)});
  };
  shift("shf.l.clamp.b32", Of(+[](u32 a, u32 b, u32 n) {
          return static_cast<u32>((u128{b} << 32 | a) << std::min(n, 32u) >> 32);
        }));
  shift("shf.r.clamp.b32", Of(+[](u32 a, u32 b, u32 n) {
          return static_cast<u32>((u128{b} << 32 | a) >> std::min(n, 32u));
        }));
  shift("shf.l.wrap.b32", Of(+[](u32 a, u32 b, u32 n) {
          return static_cast<u32>((u128{b} << 32 | a) << (n % 32) >> 32);
        }));
  shift("shf.r.wrap.b32",
        Of(+[](u32 a, u32 b, u32 n) { return static_cast<u32>((u128{b} << 32 | a) >> (n % 32)); }));
  rows.push_back({"bmsk.clamp.b32", "wnn", Of(+[](u32 a, u32 b) { return Mask(a, b, false); })});
  rows.push_back({"bmsk.wrap.b32", "wnn", Of(+[](u32 a, u32 b) { return Mask(a, b, true); })});
  rows.push_back(
      {"szext.clamp.u32", "wwn", Of(+[](u32 a, u32 n) { return Extended(a, n, false, false); })});
  rows.push_back(
      {"szext.clamp.s32", "wwn", Of(+[](u32 a, u32 n) { return Extended(a, n, false, true); })});
  rows.push_back(
      {"szext.wrap.u32", "wwn", Of(+[](u32 a, u32 n) { return Extended(a, n, true, false); })});
  rows.push_back(
      {"szext.wrap.s32", "wwn", Of(+[](u32 a, u32 n) { return Extended(a, n, true, true); })});
  rows.push_back({"fns.b32", "wwnn",
                  Of(+[](u32 a, u32 b, u32 n) { return NthSet(a, b, static_cast<i32>(n)); })});
  rows.back().defined = [](u64, u64 base, u64) { return base < 32; };
  rows.push_back({"mov.b32",
                  "whh",
                  Of(+[](u16 a, u16 b) { return u32{b} << 16 | a; }),
                  {},
                  "mov.b32 %0, {%1, %2};"});
  rows.push_back({"mov.b64",
                  "dww",
                  Of(+[](u32 a, u32 b) { return u64{b} << 32 | a; }),
                  {},
                  "mov.b64 %0, {%1, %2};"});
  rows.push_back({"mov.b32",
                  "hw",
                  Of(+[](u32 a) { return static_cast<u16>(a >> 16); }),
                  {},
                  "mov.b32 {_, %0}, %1;"});
  rows.push_back({"mov.b64",
                  "wd",
                  Of(+[](u64 a) { return static_cast<u32>(a >> 32); }),
                  {},
                  "mov.b64 {%wx, %0}, %1;"});
  rows.push_back({"and.pred", "ppp", Of(+[](bool a, bool b) { return a && b; })});
  rows.push_back({"or.pred", "ppp", Of(+[](bool a, bool b) { return a || b; })});
  rows.push_back({"xor.pred", "ppp", Of(+[](bool a, bool b) { return a != b; })});
  rows.push_back({"not.pred", "pp", Of(+[](bool a) { return !a; })});
  rows.push_back({"mov.pred", "pp", Of(+[](bool a) { return a; })});
  return rows;
}

}  // namespace kw::eval::conformance
