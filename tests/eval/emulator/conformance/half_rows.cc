// f16 and bf16, alone and in pairs: every operation rounds once.
#include <algorithm>

#include "fmt/format.h"
#include "table.h"

namespace kw::eval::conformance {
namespace {

template <class H>
using Operation = std::function<H(H, H, H)>;

// The row of an operation, and that of pairs.
template <class H>
void Add(std::vector<Row>* rows, const std::string& name, const std::string& type, int operands,
         Operation<H> op) {
  constexpr bool kF16 = std::is_same_v<H, Half>;
  const size_t n = static_cast<size_t>(operands) + 1;
  rows->push_back({fmt::format("{}.{}", name, type), std::string(n, kF16 ? 'H' : 'B'),
                   Of(std::function<H(H, H, H)>(op))});
  rows->push_back(
      {fmt::format("{}.{}x2", name, type), std::string(n, kF16 ? 'P' : 'Q'),
       Of(std::function<Pair<H>(Pair<H>, Pair<H>, Pair<H>)>([op](Pair<H> a, Pair<H> b, Pair<H> c) {
         return Pair<H>{op(a.low, b.low, c.low), op(a.high, b.high, c.high)};
       }))});
}

template <class H>
double Flush(H h) {
  const double v = h.value();
  const double least = std::ldexp(1.0, 2 - (1 << (H::format().exponent_bits - 1)));
  return std::fabs(v) < least ? std::copysign(0.0, v) : v;
}

double Exact(const std::string& name, double a, double b, double c) {
  return RoundedToOdd([&] {
    volatile double x = a, y = b, z = c;
    if (name == "add") return static_cast<double>(x + y);
    if (name == "sub") return static_cast<double>(x - y);
    if (name == "mul") return static_cast<double>(x * y);
    return std::fma(double{x}, double{y}, double{z});
  });
}
// An exact zero sum of unlike signs is +0 when rounding to nearest.
double Signed(double v, const std::string& name, double a, double b, double c) {
  if (v != 0) return v;
  if (name == "add") return a + b;
  if (name == "sub") return a - b;
  return name == "fma" ? std::fma(a, b, c) : v;
}

template <class H>
void Arithmetic(std::vector<Row>* rows, const std::string& type) {
  constexpr bool kF16 = std::is_same_v<H, Half>;
  for (const std::string name : {"add", "sub", "mul", "fma"}) {
    const int operands = name == "fma" ? 3 : 2;
    for (const bool flush : {false, true}) {
      for (const char* tail : {"", ".sat", ".relu"}) {
        const bool saturate = tail[0] == '.' && tail[1] == 's', relu = tail[0] == '.' && !saturate;
        if (relu && name != "fma") continue;
        if (!kF16 && (flush || saturate)) continue;  // bf16 has neither
        const Operation<H> op = [=](H a, H b, H c) {
          const double x = flush ? Flush(a) : a.value(), y = flush ? Flush(b) : b.value(),
                       z = flush ? Flush(c) : c.value();
          H r(Signed(Exact(name, x, y, z), name, x, y, z));
          if (flush) r = H(Flush(r));
          if (saturate) r = H(r.value() > 0 ? std::min(r.value(), 1.0) : 0.0);
          if (relu) r = H(r.value() > 0 || std::isnan(r.value()) ? r.value() : 0.0);
          return r;
        };
        const char* rounding = name == "fma" ? ".rn" : "";
        Add<H>(rows, name + rounding + (flush ? ".ftz" : "") + tail, type, operands, op);
        if (name != "fma" && tail[0] == 0)
          Add<H>(rows, name + ".rn" + (flush ? ".ftz" : ""), type, operands, op);
      }
    }
  }
}

template <class H>
H Extreme(H a, H b, bool most, bool strict, bool xorsign, bool flush) {
  double x = flush ? Flush(a) : a.value(), y = flush ? Flush(b) : b.value();
  const bool negative = std::signbit(x) != std::signbit(y);
  if (strict && (std::isnan(x) || std::isnan(y))) return H(std::nan(""));
  if (xorsign) x = std::fabs(x), y = std::fabs(y);
  double r = std::isnan(x)     ? y
             : std::isnan(y)   ? x
             : x == y          ? (std::signbit(x) != most ? x : y)
             : (x < y) != most ? x
                               : y;
  if (xorsign) r = std::copysign(r, negative ? -1.0 : 1.0);
  return H(r);
}

template <class H>
void Others(std::vector<Row>* rows, const std::string& type) {
  constexpr bool kF16 = std::is_same_v<H, Half>;
  for (const bool most : {false, true}) {
    for (const bool flush : {false, true}) {
      if (flush && !kF16) continue;
      for (const bool strict : {false, true}) {
        for (const bool xorsign : {false, true}) {
          Add<H>(rows,
                 fmt::format("{}{}{}{}", most ? "max" : "min", flush ? ".ftz" : "",
                             strict ? ".NaN" : "", xorsign ? ".xorsign.abs" : ""),
                 type, 2, [=](H a, H b, H) { return Extreme(a, b, most, strict, xorsign, flush); });
        }
      }
    }
  }
  Add<H>(rows, "abs", type, 1, [](H a, H, H) {
    a.bits &= 0x7fff;
    return a;
  });
  Add<H>(rows, "neg", type, 1, [](H a, H, H) {
    a.bits ^= 0x8000;
    return a;
  });
  if (kF16) {
    Add<H>(rows, "abs.ftz", type, 1, [](H a, H, H) { return H(std::fabs(Flush(a))); });
    Add<H>(rows, "neg.ftz", type, 1, [](H a, H, H) { return H(-Flush(a)); });
  }
}

}  // namespace

std::vector<Row> HalfRows() {
  std::vector<Row> rows;
  Arithmetic<Half>(&rows, "f16");
  Arithmetic<Bfloat>(&rows, "bf16");
  Others<Half>(&rows, "f16");
  Others<Bfloat>(&rows, "bf16");
  return rows;
}

}  // namespace kw::eval::conformance
