// Conversions.
#include <algorithm>

#include "fmt/format.h"
#include "table.h"

namespace kw::eval::conformance {
namespace {

struct Whole {
  const char* type;
  char letter;  // of the register that holds it
  int bits;
  bool is_signed;
};
constexpr Whole kWholes[] = {{"u8", 'w', 8, false},   {"s8", 'w', 8, true},
                             {"u16", 'h', 16, false}, {"s16", 'h', 16, true},
                             {"u32", 'w', 32, false}, {"s32", 'w', 32, true},
                             {"u64", 'd', 64, false}, {"s64", 'd', 64, true}};

i128 ValueOf(const Whole& type, u64 bits) {
  const int spare = 64 - type.bits;
  return type.is_signed ? i128{static_cast<i64>(bits << spare) >> spare}
                        : i128{bits << spare >> spare};
}
i128 Lowest(const Whole& type) { return type.is_signed ? -(i128{1} << (type.bits - 1)) : 0; }
i128 Highest(const Whole& type) { return (i128{1} << (type.bits - (type.is_signed ? 1 : 0))) - 1; }
// As it stands in its register: 8 bits are extended to 32.
u64 InRegister(const Whole& type, i128 value) {
  const u64 bits = static_cast<u64>(ValueOf(type, static_cast<u64>(value)));
  return type.letter == 'd' ? bits : bits & (type.letter == 'w' ? 0xffffffff : 0xffff);
}

void Integers(std::vector<Row>* rows) {
  for (const Whole& to : kWholes) {
    for (const Whole& from : kWholes) {
      const std::string kinds{to.letter, from.letter};
      rows->push_back({fmt::format("cvt.{}.{}", to.type, from.type), kinds,
                       [=](u64 a, u64, u64) { return InRegister(to, ValueOf(from, a)); }});
      rows->push_back(
          {fmt::format("cvt.sat.{}.{}", to.type, from.type), kinds, [=](u64 a, u64, u64) {
             return InRegister(to, std::clamp(ValueOf(from, a), Lowest(to), Highest(to)));
           }});
    }
  }
}

struct Real {
  const char* type;
  char letter;
};
constexpr Real kReals[] = {{"f16", 'H'}, {"bf16", 'B'}, {"f32", 'F'}, {"f64", 'D'}};
constexpr std::pair<const char*, Round> kModes[] = {
    {"rn", Round::kNearest}, {"rz", Round::kZero}, {"rm", Round::kDown}, {"rp", Round::kUp}};

double Value(const Real& type, u64 bits) {
  switch (type.letter) {
    case 'H':
      return FromBits<Half>(bits).value();
    case 'B':
      return FromBits<Bfloat>(bits).value();
    case 'F':
      return FromBits<float>(bits);
    default:
      return FromBits<double>(bits);
  }
}
u64 Bits(const Real& type, double v, Round mode = Round::kNearest, bool finite = false) {
  if (type.letter == 'D') return ToBits(v);
  return Encode(v,
                type.letter == 'H'   ? kHalf
                : type.letter == 'B' ? kBfloat
                                     : kSingle,
                mode, finite);
}

void FromIntegers(std::vector<Row>* rows) {
  for (const Real& to : kReals) {
    for (const Whole& from : kWholes) {
      for (const auto& [name, round] : kModes) {
        if (to.letter == 'B' && from.bits == 8 && round != Round::kNearest) continue;
        rows->push_back({fmt::format("cvt.{}.{}.{}", name, to.type, from.type),
                         {to.letter, from.letter},
                         [=, round = round](u64 a, u64, u64) {
                           // 64 bits of an integer fit a long double.
                           volatile long double v = static_cast<long double>(ValueOf(from, a));
                           if (to.letter == 'D') {
                             return ToBits(Rounded(round, [&] { return static_cast<double>(v); }));
                           }
                           return Bits(to, RoundedToOdd([&] { return static_cast<double>(v); }),
                                       round);
                         }});
      }
    }
  }
}

double WholeOf(double v, Round round) {
  return round == Round::kNearest ? std::nearbyint(v)
         : round == Round::kZero  ? std::trunc(v)
         : round == Round::kDown  ? std::floor(v)
                                  : std::ceil(v);
}

void ToIntegers(std::vector<Row>* rows) {
  for (const Real& from : kReals) {
    for (const Whole& to : kWholes) {
      for (const auto& [name, round] : kModes) {
        for (const bool flush : {false, true}) {
          if (flush && from.letter != 'F') continue;
          rows->push_back(
              {fmt::format("cvt.{}i{}.{}.{}", name, flush ? ".ftz" : "", to.type, from.type),
               {to.letter, from.letter},
               [=, round = round](u64 a, u64, u64) {
                 double v = Value(from, a);
                 if (flush) v = Flushed(static_cast<float>(v));
                 // The CUDA manual's rule for NaN.
                 if (std::isnan(v)) {
                   const bool zero = from.letter != 'D' && to.bits < 64;
                   return InRegister(to, zero ? i128{0} : i128{1} << (to.bits - 1));
                 }
                 v = WholeOf(v, round);
                 const i128 clamped =
                     v >= 0x1p65    ? Highest(to)
                     : v <= -0x1p65 ? Lowest(to)
                                    : std::clamp(static_cast<i128>(v), Lowest(to), Highest(to));
                 return InRegister(to, clamped);
               }});
        }
      }
    }
  }
}

struct Tail {
  bool flush = false, saturate = false, relu = false, finite = false;
  std::string Text() const {
    return fmt::format("{}{}{}{}", flush ? ".ftz" : "", saturate ? ".sat" : "", relu ? ".relu" : "",
                       finite ? ".satfinite" : "");
  }
  double Before(double v, bool is_single) const {
    if (flush && is_single) v = Flushed(static_cast<float>(v));
    if (saturate) v = v > 0 ? std::min(v, 1.0) : 0.0;
    if (relu) v = v > 0 || std::isnan(v) ? v : 0.0;
    return v;
  }
};

void Between(std::vector<Row>* rows, const Real& to, const Real& from, const char* mode,
             Round round, Tail tail) {
  rows->push_back({fmt::format("cvt{}{}.{}.{}", mode, tail.Text(), to.type, from.type),
                   {to.letter, from.letter},
                   [=](u64 a, u64, u64) {
                     const double v = tail.Before(Value(from, a), from.letter == 'F');
                     u64 r = Bits(to, v, round, tail.finite);
                     if (tail.flush && to.letter == 'F') r = ToBits(Flushed(FromBits<float>(r)));
                     return r;
                   }});
}

void Reals(std::vector<Row>* rows) {
  const Real &f16 = kReals[0], &bf16 = kReals[1], &f32 = kReals[2], &f64 = kReals[3];
  const auto widen = [&](const Real& to, const Real& from) {
    Between(rows, to, from, "", Round::kNearest, {});
    Between(rows, to, from, "", Round::kNearest, {.saturate = true});
  };
  widen(f32, f16), widen(f32, bf16), widen(f64, f16), widen(f64, bf16), widen(f64, f32);
  Between(rows, f32, f16, "", Round::kNearest, {.flush = true});
  Between(rows, f64, f32, "", Round::kNearest, {.flush = true});
  for (const auto& [name, round] : kModes) {
    const std::string mode = fmt::format(".{}", name);
    for (const Real* to : {&f16, &bf16}) {
      Between(rows, *to, f64, mode.c_str(), round, {});
      Between(rows, *to, f32, mode.c_str(), round, {});
      if (round == Round::kDown || round == Round::kUp) continue;
      Between(rows, *to, f32, mode.c_str(), round, {.relu = true});
      Between(rows, *to, f32, mode.c_str(), round, {.finite = true});
      Between(rows, *to, f32, mode.c_str(), round, {.relu = true, .finite = true});
    }
    Between(rows, f16, f32, mode.c_str(), round, {.flush = true});
    Between(rows, f16, f32, mode.c_str(), round, {.saturate = true});
    Between(rows, f32, f64, mode.c_str(), round, {});
    Between(rows, f32, f64, mode.c_str(), round, {.flush = true});
    Between(rows, f32, f64, mode.c_str(), round, {.saturate = true});
    Between(rows, bf16, f16, mode.c_str(), round, {});
    Between(rows, f16, bf16, mode.c_str(), round, {});
  }
}

void ToWhole(std::vector<Row>* rows) {
  for (const Real& type : kReals) {
    for (const auto& [name, round] : kModes) {
      for (const bool flush : {false, true}) {
        for (const bool saturate : {false, true}) {
          if (flush && type.letter != 'F') continue;
          if (type.letter == 'B' && saturate) continue;
          const Tail tail{.flush = flush, .saturate = saturate};
          rows->push_back({fmt::format("cvt.{0}i{1}.{2}.{2}", name, tail.Text(), type.type),
                           std::string(2, type.letter), [=, round = round](u64 a, u64, u64) {
                             const double v = Value(type, a);
                             const double r =
                                 WholeOf(flush ? Flushed(static_cast<float>(v)) : v, round);
                             return Bits(type, saturate ? tail.Before(r, false) : r);
                           }});
        }
      }
    }
  }
  for (const Tail tail :
       {Tail{.flush = true}, Tail{.saturate = true}, Tail{.flush = true, .saturate = true}}) {
    Between(rows, kReals[2], kReals[2], "", Round::kNearest, tail);
  }
  Between(rows, kReals[3], kReals[3], "", Round::kNearest, {.saturate = true});
  Between(rows, kReals[0], kReals[0], "", Round::kNearest, {.saturate = true});
}

// The 13 bits that tf32 leaves out are zero.
void TensorFloats(std::vector<Row>* rows) {
  const auto add = [&](const char* opcode, Round round, Tail tail) {
    rows->push_back({opcode, "FF", [=](u64 a, u64, u64) {
                       const double v = tail.Before(FromBits<float>(a), false);
                       return u64{Encode(v, kTf32, round, tail.finite)} << 13;
                     }});
  };
  add("cvt.rna.tf32.f32", Round::kAway, {});
  add("cvt.rn.tf32.f32", Round::kNearest, {});
  add("cvt.rz.tf32.f32", Round::kZero, {});
  add("cvt.rn.relu.tf32.f32", Round::kNearest, {.relu = true});
  add("cvt.rz.relu.tf32.f32", Round::kZero, {.relu = true});
  add("cvt.rna.satfinite.tf32.f32", Round::kAway, {.finite = true});
}

void Pairs(std::vector<Row>* rows) {
  for (const Real& half : {kReals[0], kReals[1]}) {
    for (const auto& [name, round] : {kModes[0], kModes[1]}) {
      for (const Tail tail :
           {Tail{}, Tail{.relu = true}, Tail{.finite = true}, Tail{.relu = true, .finite = true}}) {
        rows->push_back({fmt::format("cvt.{}{}.{}x2.f32", name, tail.Text(), half.type),
                         {half.letter == 'H' ? 'P' : 'Q', 'F', 'F'},
                         [=, round = round](u64 a, u64 b, u64) {
                           const auto one = [&](u64 x) {
                             return Bits(half, tail.Before(FromBits<float>(x), false), round,
                                         tail.finite);
                           };
                           return one(a) << 16 | one(b);
                         }});
      }
    }
  }
}

void Bytes(std::vector<Row>* rows) {
  for (const auto& [name, format] : {std::pair{"e4m3x2", kE4m3}, {"e5m2x2", kE5m2}}) {
    for (const bool relu : {false, true}) {
      const Tail tail{.relu = relu};
      const char* text = relu ? ".relu" : "";
      const auto one = [=, format = format](double v) {
        return u64{Encode(tail.Before(v, false), format, Round::kNearest, true)};
      };
      rows->push_back(
          {fmt::format("cvt.rn.satfinite{}.{}.f32", text, name), "8FF", [=](u64 a, u64 b, u64) {
             return one(FromBits<float>(a)) << 8 | one(FromBits<float>(b));
           }});
      rows->push_back(
          {fmt::format("cvt.rn.satfinite{}.{}.f16x2", text, name), "8P", [=](u64 a, u64, u64) {
             const auto pair = FromBits<Pair<Half>>(a);
             return one(pair.high.value()) << 8 | one(pair.low.value());
           }});
      rows->push_back({fmt::format("cvt.rn{}.f16x2.{}", text, name), "P8",
                       [=, format = format](u64 a, u64, u64) {
                         const auto half = [&](u64 x) {
                           return Half(tail.Before(Decode(x & 255, format), false));
                         };
                         return ToBits(Pair<Half>{half(a), half(a >> 8)});
                       }});
    }
  }
}

// cvt.pack: both operands clamped, b in the low half, c below them.
void Packs(std::vector<Row>* rows) {
  for (const Whole& to : {kWholes[0], kWholes[1]}) {
    rows->push_back(
        {fmt::format("cvt.pack.sat.{}.s32.b32", to.type), "wwww", [=](u64 a, u64 b, u64 c) {
           const auto byte = [&](u64 x) {
             return static_cast<u64>(std::clamp(ValueOf(kWholes[5], x), Lowest(to), Highest(to))) &
                    255;
           };
           return ((c & 0xffff) << 16) | byte(a) << 8 | byte(b);
         }});
  }
  for (const Whole& to : {kWholes[2], kWholes[3]}) {
    rows->push_back({fmt::format("cvt.pack.sat.{}.s32", to.type), "www", [=](u64 a, u64 b, u64) {
                       const auto part = [&](u64 x) {
                         return static_cast<u64>(
                                    std::clamp(ValueOf(kWholes[5], x), Lowest(to), Highest(to))) &
                                0xffff;
                       };
                       return part(a) << 16 | part(b);
                     }});
  }
}

}  // namespace

std::vector<Row> ConvertRows() {
  std::vector<Row> rows;
  Integers(&rows);
  FromIntegers(&rows);
  ToIntegers(&rows);
  Reals(&rows);
  ToWhole(&rows);
  TensorFloats(&rows);
  Pairs(&rows);
  Bytes(&rows);
  Packs(&rows);
  return rows;
}

}  // namespace kw::eval::conformance
