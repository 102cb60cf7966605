// f32 and f64: what IEEE 754 defines to the bit.
#include <algorithm>

#include "fmt/format.h"
#include "table.h"

namespace kw::eval::conformance {
namespace {

struct Mode {
  const char* name;
  Round round;
};
constexpr Mode kModes[] = {
    {".rn", Round::kNearest}, {".rz", Round::kZero}, {".rm", Round::kDown}, {".rp", Round::kUp}};

template <class T>
using Operation = T (*)(T, T, T);

template <class T>
struct Named {
  const char* name;
  int operands;
  Operation<T> op;
};
// Through volatile, so that nothing is computed before the rounding is set.
template <class T>
constexpr Named<T> kOperations[] = {
    {"add", 2,
     [](T a, T b, T) {
       volatile T x = a, y = b;
       return static_cast<T>(x + y);
     }},
    {"sub", 2,
     [](T a, T b, T) {
       volatile T x = a, y = b;
       return static_cast<T>(x - y);
     }},
    {"mul", 2,
     [](T a, T b, T) {
       volatile T x = a, y = b;
       return static_cast<T>(x * y);
     }},
    {"div", 2,
     [](T a, T b, T) {
       volatile T x = a, y = b;
       return static_cast<T>(x / y);
     }},
    {"fma", 3,
     [](T a, T b, T c) {
       volatile T x = a, y = b, z = c;
       return std::fma(T{x}, T{y}, T{z});
     }},
    {"mad", 3,
     [](T a, T b, T c) {
       volatile T x = a, y = b, z = c;
       return std::fma(T{x}, T{y}, T{z});
     }},
    {"rcp", 1,
     [](T a, T, T) {
       volatile T x = a, one = 1;
       return static_cast<T>(one / x);
     }},
    {"sqrt", 1,
     [](T a, T, T) {
       volatile T x = a;
       return std::sqrt(T{x});
     }},
};

float Saturated(float v) { return v > 0 ? std::min(v, 1.0f) : 0.0f; }

void Add(std::vector<Row>* rows, const Named<float>& named, const std::string& name, Round round,
         bool flush, bool saturate) {
  const auto op = named.op;
  const std::string text =
      fmt::format("{}{}{}.f32", name, flush ? ".ftz" : "", saturate ? ".sat" : "");
  rows->push_back(
      {text, std::string(static_cast<size_t>(named.operands) + 1, 'F'), [=](u64 a, u64 b, u64 c) {
         float x[3] = {FromBits<float>(a), FromBits<float>(b), FromBits<float>(c)};
         for (float& v : x) v = flush ? Flushed(v) : v;
         float r = Rounded(round, [&] { return op(x[0], x[1], x[2]); });
         if (flush) r = Flushed(r);
         return ToBits(saturate ? Saturated(r) : r);
       }});
}

void Singles(std::vector<Row>* rows) {
  for (const Named<float>& named : kOperations<float>) {
    const std::string_view name = named.name;
    const bool saturates = name != "div" && name != "rcp" && name != "sqrt";
    for (const bool flush : {false, true}) {
      for (const Mode& mode : kModes) {
        const std::string full = fmt::format("{}{}", name, mode.name);
        Add(rows, named, full, mode.round, flush, false);
        if (saturates) Add(rows, named, full, mode.round, flush, true);
      }
      if (name == "add" || name == "sub" || name == "mul") {
        Add(rows, named, named.name, Round::kNearest, flush, false);
        Add(rows, named, named.name, Round::kNearest, flush, true);
      }
    }
  }
}

void Doubles(std::vector<Row>* rows) {
  for (const Named<double>& named : kOperations<double>) {
    const auto op = named.op;
    const auto add = [&](std::string name, Round round) {
      rows->push_back({std::move(name), std::string(static_cast<size_t>(named.operands) + 1, 'D'),
                       [=](u64 a, u64 b, u64 c) {
                         return ToBits(Rounded(round, [&] {
                           return op(FromBits<double>(a), FromBits<double>(b), FromBits<double>(c));
                         }));
                       }});
    };
    for (const Mode& mode : kModes) add(fmt::format("{}{}.f64", named.name, mode.name), mode.round);
    const std::string_view name = named.name;
    if (name == "add" || name == "sub" || name == "mul") {
      add(fmt::format("{}.f64", name), Round::kNearest);
    }
  }
}

// A NaN gives way to a number, and -0 is below +0.
template <class T>
T Least(T a, T b) {
  if (std::isnan(a)) return b;
  if (std::isnan(b)) return a;
  if (a == b) return std::signbit(a) ? a : b;
  return a < b ? a : b;
}
template <class T>
T Most(T a, T b) {
  return -Least(-a, -b);
}
float WithSign(float magnitude, float a, float b) {
  return std::signbit(a) != std::signbit(b) ? -std::fabs(magnitude) : std::fabs(magnitude);
}

void Extremes(std::vector<Row>* rows) {
  for (const bool flush : {false, true}) {
    for (const bool strict : {false, true}) {
      for (const bool xorsign : {false, true}) {
        for (const bool most : {false, true}) {
          rows->push_back({fmt::format("{}{}{}{}.f32", most ? "max" : "min", flush ? ".ftz" : "",
                                       strict ? ".NaN" : "", xorsign ? ".xorsign.abs" : ""),
                           "FFF", [=](u64 a, u64 b, u64) {
                             float x = FromBits<float>(a), y = FromBits<float>(b);
                             if (flush) x = Flushed(x), y = Flushed(y);
                             if (strict && (std::isnan(x) || std::isnan(y)))
                               return ToBits(std::nanf(""));
                             if (!xorsign) return ToBits(most ? Most(x, y) : Least(x, y));
                             const float p = std::fabs(x), q = std::fabs(y);
                             return ToBits(WithSign(most ? Most(p, q) : Least(p, q), x, y));
                           }});
        }
      }
    }
  }
  rows->push_back({"min.f64", "DDD", Of(+[](double a, double b) { return Least(a, b); })});
  rows->push_back({"max.f64", "DDD", Of(+[](double a, double b) { return Most(a, b); })});
}

}  // namespace

std::vector<Row> FloatRows() {
  std::vector<Row> rows;
  Singles(&rows);
  Doubles(&rows);
  Extremes(&rows);
  const auto add = [&](const char* name, const char* kinds, Reference want) {
    rows.push_back({name, kinds, std::move(want)});
  };
  add("abs.f32", "FF", Of(+[](float a) { return std::fabs(a); }));
  add("abs.ftz.f32", "FF", Of(+[](float a) { return Flushed(std::fabs(a)); }));
  add("abs.f64", "DD", Of(+[](double a) { return std::fabs(a); }));
  add("neg.f32", "FF", Of(+[](float a) { return -a; }));
  add("neg.ftz.f32", "FF", Of(+[](float a) { return Flushed(-a); }));
  add("neg.f64", "DD", Of(+[](double a) { return -a; }));
  add("copysign.f32", "FFF", Of(+[](float a, float b) { return std::copysign(b, a); }));
  add("copysign.f64", "DDD", Of(+[](double a, double b) { return std::copysign(b, a); }));
  add("mov.f32", "FF", Of(+[](float a) { return a; }));
  add("mov.f64", "DD", Of(+[](double a) { return a; }));
  return rows;
}

}  // namespace kw::eval::conformance
