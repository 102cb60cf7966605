// Integer arithmetic.
#include <algorithm>
#include <limits>

#include "fmt/format.h"
#include "table.h"

namespace kw::eval::conformance {
namespace {

template <class T>
using Wide = std::conditional_t<std::is_signed_v<T>, i128, u128>;
template <class T>
using Twice = std::conditional_t<sizeof(T) == 2, std::conditional_t<std::is_signed_v<T>, i32, u32>,
                                 std::conditional_t<std::is_signed_v<T>, i64, u64>>;

template <class T>
char Kind() {
  return sizeof(T) == 2 ? 'h' : sizeof(T) == 4 ? 'w' : 'd';
}
template <class T>
std::string Name() {
  return fmt::format("{}{}", std::is_signed_v<T> ? 's' : 'u', sizeof(T) * 8);
}

template <class T>
T Magnitude(T a, T b) {
  const Wide<T> d = static_cast<Wide<T>>(a) - static_cast<Wide<T>>(b);
  return static_cast<T>(a > b ? d : -d);
}

template <class T>
void Arithmetic(std::vector<Row>* rows) {
  const std::string t = Name<T>(), one(1, Kind<T>()), two = one + one, three = two + one,
                    four = three + one;
  const auto add = [&](const char* name, std::string kinds, Reference want) {
    rows->push_back({fmt::format("{}.{}", name, t), std::move(kinds), std::move(want)});
  };
  add("add", three, Of(+[](T a, T b) { return static_cast<T>(Wide<T>{a} + b); }));
  add("sub", three, Of(+[](T a, T b) { return static_cast<T>(Wide<T>{a} - b); }));
  add("mul.lo", three, Of(+[](T a, T b) { return static_cast<T>(Wide<T>{a} * b); }));
  add("mul.hi", three,
      Of(+[](T a, T b) { return static_cast<T>(Wide<T>{a} * b >> (sizeof(T) * 8)); }));
  add("mad.lo", four,
      Of(+[](T a, T b, T c) { return static_cast<T>(u128(Wide<T>{a} * b) + u128(c)); }));
  add("mad.hi", four, Of(+[](T a, T b, T c) {
        return static_cast<T>(u128(Wide<T>{a} * b >> (sizeof(T) * 8)) + u128(c));
      }));
  // Division by zero gives all ones, its remainder the dividend.
  add("div", three,
      Of(+[](T a, T b) { return b == 0 ? static_cast<T>(-1) : static_cast<T>(Wide<T>{a} / b); }));
  add("rem", three, Of(+[](T a, T b) { return b == 0 ? a : static_cast<T>(Wide<T>{a} % b); }));
  rows->at(rows->size() - 1).defined = rows->at(rows->size() - 2).defined = [](u64, u64 b, u64) {
    return static_cast<T>(b) != 0 || sizeof(T) != 2;
  };
  add("min", three, Of(+[](T a, T b) { return std::min(a, b); }));
  add("max", three, Of(+[](T a, T b) { return std::max(a, b); }));
  add("sad", four,
      Of(+[](T a, T b, T c) { return static_cast<T>(u128(Magnitude(a, b)) + u128(c)); }));
  if constexpr (std::is_signed_v<T>) {
    add("abs", two, Of(+[](T a) { return static_cast<T>(a < 0 ? -Wide<T>{a} : Wide<T>{a}); }));
    add("neg", two, Of(+[](T a) { return static_cast<T>(-Wide<T>{a}); }));
  }
  if constexpr (sizeof(T) < 8) {
    const char wide = sizeof(T) == 2 ? 'w' : 'd';
    add("mul.wide", wide + two, Of(+[](T a, T b) { return Twice<T>{a} * b; }));
    add("mad.wide", wide + two + wide, Of(+[](T a, T b, Twice<T> c) {
          return static_cast<Twice<T>>(u128(Twice<T>{a} * b) + u128(c));
        }));
  }
}

template <class T>
i64 Low24(T a) {
  return std::is_signed_v<T> ? static_cast<i32>(static_cast<u32>(a) << 8) >> 8
                             : static_cast<i64>(a & 0xffffff);
}
template <class T>
void Products24(std::vector<Row>* rows) {
  const std::string t = Name<T>();
  rows->push_back({"mul24.lo." + t, "www",
                   Of(+[](T a, T b) { return static_cast<u32>(Low24(a) * Low24(b)); })});
  rows->push_back({"mul24.hi." + t, "www",
                   Of(+[](T a, T b) { return static_cast<u32>(Low24(a) * Low24(b) >> 16); })});
  rows->push_back({"mad24.lo." + t, "wwww",
                   Of(+[](T a, T b, u32 c) { return static_cast<u32>(Low24(a) * Low24(b)) + c; })});
  rows->push_back({"mad24.hi." + t, "wwww", Of(+[](T a, T b, u32 c) {
                     return static_cast<u32>(Low24(a) * Low24(b) >> 16) + c;
                   })});
}

// Two in a word.
template <class T>
void Pairs(std::vector<Row>* rows) {
  const std::string t = std::is_signed_v<T> ? "s16x2" : "u16x2";
  const auto add = [&](const std::string& name, T (*op)(T, T)) {
    rows->push_back({name + "." + t, "www", [op](u64 a, u64 b, u64) {
                       const u64 low = static_cast<u16>(op(static_cast<T>(a), static_cast<T>(b)));
                       const T x = static_cast<T>(a >> 16), y = static_cast<T>(b >> 16);
                       return u64{static_cast<u16>(op(x, y))} << 16 | low;
                     }});
  };
  add("add", [](T a, T b) { return static_cast<T>(a + b); });
  add("min", [](T a, T b) { return std::min(a, b); });
  add("max", [](T a, T b) { return std::max(a, b); });
  if (!std::is_signed_v<T>) return;
  add("min.relu", [](T a, T b) { return std::max<T>(std::min(a, b), 0); });
  add("max.relu", [](T a, T b) { return std::max<T>(std::max(a, b), 0); });
}

// Of each byte, and their sum.
std::pair<u32, u32> Differences(u32 a, u32 b) {
  u32 bytes = 0, sum = 0;
  for (int k = 0; k < 32; k += 8) {
    const u32 d = Magnitude<u32>(a >> k & 255, b >> k & 255);
    bytes |= d << k, sum += d;
  }
  return {bytes, sum};
}

// Chains of carries: the flag shows in a second instruction.
template <class T>
void Carries(std::vector<Row>* rows) {
  constexpr int kBits = sizeof(T) * 8;
  const std::string t = fmt::format("u{}", kBits), one(1, Kind<T>()), four = one + one + one + one;
  const auto add = [&](std::string opcode, Reference want, std::string body) {
    rows->push_back({opcode + "." + t,
                     four,
                     std::move(want),
                     {},
                     fmt::format(fmt::runtime(body), fmt::arg("t", t), fmt::arg("bits", kBits))});
  };
  add("add.cc",
      Of(+[](T a, T b, T c) { return static_cast<T>(((u128{a} + b) >> kBits) + u128{c} * 2 + 1); }),
      "add.cc.{t} %x, %1, %2; addc.{t} %0, %3, %3; add.{t} %0, %0, 1;");
  add("addc.cc", Of(+[](T a, T b, T c) {
        const u128 sum = u128{a} + b, next = u128{c} + c + (sum >> kBits);
        return static_cast<T>(static_cast<T>(next) ^ static_cast<T>(next >> kBits));
      }),
      "add.cc.{t} %x, %1, %2; addc.cc.{t} %x, %3, %3; addc.{t} %y, 0, 0; xor.b{bits} %0, %x, %y;");
  add("sub.cc", Of(+[](T a, T b, T c) { return static_cast<T>(c - 1 - (a < b ? 1 : 0)); }),
      "sub.cc.{t} %x, %1, %2; subc.{t} %0, %3, 1;");
  add("subc.cc", Of(+[](T a, T b, T c) {
        const i128 first = i128{b} - c - (a < b ? 1 : 0);
        return static_cast<T>(0 - (first < 0 ? 1 : 0));
      }),
      "sub.cc.{t} %x, %1, %2; subc.cc.{t} %x, %2, %3; subc.{t} %0, 0, 0;");
  add("mad.lo.cc", Of(+[](T a, T b, T c) {
        const T low = static_cast<T>(u128{a} * b);
        return static_cast<T>((u128{a} * b >> kBits) + b + ((u128{low} + c) >> kBits));
      }),
      "mad.lo.cc.{t} %x, %1, %2, %3; madc.hi.{t} %0, %1, %2, %2;");
  add("madc.lo.cc", Of(+[](T a, T b, T c) {
        const bool carry = ((u128{a} + b) >> kBits) != 0;
        const T low = static_cast<T>(u128{b} * c);
        return static_cast<T>((u128{low} + a + (carry ? 1 : 0)) >> kBits);
      }),
      "add.cc.{t} %x, %1, %2; madc.lo.cc.{t} %x, %2, %3, %1; addc.{t} %0, 0, 0;");
  add("mad.hi.cc", Of(+[](T a, T b, T c) {
        const T high = static_cast<T>(u128{a} * b >> kBits);
        return static_cast<T>((u128{high} + c) >> kBits);
      }),
      "mad.hi.cc.{t} %x, %1, %2, %3; addc.{t} %0, 0, 0;");
}

}  // namespace

std::vector<Row> IntegerRows() {
  std::vector<Row> rows;
  Arithmetic<u16>(&rows);
  Arithmetic<i16>(&rows);
  Arithmetic<u32>(&rows);
  Arithmetic<i32>(&rows);
  Arithmetic<u64>(&rows);
  Arithmetic<i64>(&rows);
  Products24<u32>(&rows);
  Products24<i32>(&rows);
  Carries<u32>(&rows);
  Carries<u64>(&rows);
  rows.push_back({"add.sat.s32", "www", Of(+[](i32 a, i32 b) {
                    return static_cast<i32>(std::clamp<i64>(i64{a} + b, INT32_MIN, INT32_MAX));
                  })});
  rows.push_back({"sub.sat.s32", "www", Of(+[](i32 a, i32 b) {
                    return static_cast<i32>(std::clamp<i64>(i64{a} - b, INT32_MIN, INT32_MAX));
                  })});
  rows.push_back({"mad.hi.sat.s32", "wwww", Of(+[](i32 a, i32 b, i32 c) {
                    return static_cast<i32>(
                        std::clamp<i64>((i64{a} * b >> 32) + c, INT32_MIN, INT32_MAX));
                  })});
  Pairs<u16>(&rows);
  Pairs<i16>(&rows);
  rows.push_back(
      {"min.relu.s32", "www", Of(+[](i32 a, i32 b) { return std::max(std::min(a, b), 0); })});
  rows.push_back(
      {"max.relu.s32", "www", Of(+[](i32 a, i32 b) { return std::max(std::max(a, b), 0); })});
  rows.push_back({"vabsdiff4.u32.u32.u32", "wwww",
                  Of(+[](u32 a, u32 b, u32) { return Differences(a, b).first; })});
  rows.push_back({"vabsdiff4.u32.u32.u32.add", "wwww",
                  Of(+[](u32 a, u32 b, u32 c) { return Differences(a, b).second + c; })});
  rows.push_back({"mad.hi.cc.s32",
                  "wwww",
                  Of(+[](i32 a, i32 b, u32 c) {
                    const u32 high = static_cast<u32>(i64{a} * b >> 32);
                    return static_cast<u32>((u64{high} + c) >> 32);
                  }),
                  {},
                  "mad.hi.cc.s32 %x, %1, %2, %3; addc.u32 %0, 0, 0;"});
  return rows;
}

}  // namespace kw::eval::conformance
