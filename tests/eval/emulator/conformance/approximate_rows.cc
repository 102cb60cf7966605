// Approximate functions, within the errors that the PTX manual states for each.
#include <cmath>

#include "fmt/format.h"
#include "table.h"

namespace kw::eval::conformance {
namespace {

constexpr double kUlp = 0x1p-23;

struct Function {
  const char* name;
  double (*exact)(double);
  Bound bound;
  bool (*defined)(float);
};
bool Always(float) { return true; }
constexpr Function kSingles[] = {
    {"rcp", [](double x) { return 1 / x; }, {kUlp, 0x1p-149}, Always},
    {"sqrt", [](double x) { return std::sqrt(x); }, {0x1p-23, 0x1p-149}, Always},
    {"rsqrt", [](double x) { return 1 / std::sqrt(x); }, {0x1.13p-23, 0}, Always},
    {"sin",
     [](double x) { return std::sin(x); },
     {0, 0x1.6p-21},
     [](float x) { return !(std::fabs(x) > 6.2831855f) || std::isinf(x); }},
    {"cos",
     [](double x) { return std::cos(x); },
     {0, 0x1.6p-21},
     [](float x) { return !(std::fabs(x) > 6.2831855f) || std::isinf(x); }},
    {"lg2",
     [](double x) { return std::log2(x); },
     {0x1p-22, 0},
     [](float x) { return !(x > 0.5f && x < 2.0f); }},
    {"lg2",
     [](double x) { return std::log2(x); },
     {0, 0x1p-22},
     [](float x) { return x > 0.5f && x < 2.0f; }},
    {"ex2", [](double x) { return std::exp2(x); }, {2 * kUlp, 0x1p-148}, Always},
    {"tanh", [](double x) { return std::tanh(x); }, {0x1p-11, 0x1p-149}, Always},
};

void Singles(std::vector<Row>* rows) {
  for (const Function& f : kSingles) {
    for (const bool flush : {false, true}) {
      if (flush && std::string_view(f.name) == "tanh") continue;
      Row row{fmt::format("{}.approx{}.f32", f.name, flush ? ".ftz" : ""),
              "FF",
              [=](u64 a, u64, u64) {
                const float x = FromBits<float>(a);
                const float r = static_cast<float>(f.exact(flush ? Flushed(x) : x));
                return ToBits(flush ? Flushed(r) : r);
              },
              f.bound,
              "",
              [=](u64 a, u64, u64) { return f.defined(FromBits<float>(a)); }};
      // On which side of the least normal number a result falls is within the error.
      if (flush) row.bound.absolute = std::max(row.bound.absolute, 0x1p-126);
      rows->push_back(std::move(row));
    }
  }
}

void Quotients(std::vector<Row>* rows) {
  for (const char* kind : {"approx", "full"}) {
    for (const bool flush : {false, true}) {
      const bool full = kind[0] == 'f';
      rows->push_back({fmt::format("div.{}{}.f32", kind, flush ? ".ftz" : ""),
                       "FFF",
                       [=](u64 a, u64 b, u64) {
                         float x = FromBits<float>(a), y = FromBits<float>(b);
                         if (flush) x = Flushed(x), y = Flushed(y);
                         const float r = x / y;
                         return ToBits(flush ? Flushed(r) : r);
                       },
                       {2 * kUlp, flush ? 0x1p-126 : 0x1p-148},
                       "",
                       [=](u64, u64 b, u64) {
                         const float y = std::fabs(FromBits<float>(b));
                         return full || !(y > 0x1p126f) || std::isinf(y);
                       }});
    }
  }
}

// What 16-bit functions give: the bound covers the rounding to their format.
template <class H>
void Halves(std::vector<Row>* rows, const char* type, char kind, char pair, Bound ex2, Bound tanh) {
  const auto add = [&](const char* name, double (*exact)(double), Bound bound) {
    const std::string one(2, kind), two(2, pair);
    rows->push_back({fmt::format("{}.{}", name, type), one,
                     [=](u64 a, u64, u64) { return ToBits(H(exact(FromBits<H>(a).value()))); },
                     bound});
    rows->push_back({fmt::format("{}.{}x2", name, type), two,
                     [=](u64 a, u64, u64) {
                       const Pair<H> x = FromBits<Pair<H>>(a);
                       return ToBits(Pair<H>{H(exact(x.low.value())), H(exact(x.high.value()))});
                     },
                     bound});
  };
  const bool bf16 = kind == 'B';
  add(
      bf16 ? "ex2.approx.ftz" : "ex2.approx", [](double x) { return std::exp2(x); }, ex2);
  add(
      "tanh.approx", [](double x) { return std::tanh(x); }, tanh);
}

}  // namespace

std::vector<Row> ApproximateRows() {
  std::vector<Row> rows;
  Singles(&rows);
  Quotients(&rows);
  Halves<Half>(&rows, "f16", 'H', 'P', {0x1.2p-10, 0x1p-24}, {0, 0x1.03p-11});
  Halves<Bfloat>(&rows, "bf16", 'B', 'Q', {0x1p-7, 0x1p-126}, {0, 0x1p-8});
  rows.push_back(
      {"rcp.approx.ftz.f64",
       "DD",
       Of(+[](double x) { return 1 / x; }),
       {0x1p-20, 0x1p-1022},
       "",
       [](u64 a, u64, u64) { return std::fpclassify(FromBits<double>(a)) != FP_SUBNORMAL; }});
  rows.push_back(
      {"rsqrt.approx.f64", "DD", Of(+[](double x) { return 1 / std::sqrt(x); }), {0x1p-20, 0}});
  rows.push_back(
      {"rsqrt.approx.ftz.f64",
       "DD",
       Of(+[](double x) { return 1 / std::sqrt(x); }),
       {0x1p-20, 0},
       "",
       [](u64 a, u64, u64) { return std::fpclassify(FromBits<double>(a)) != FP_SUBNORMAL; }});
  return rows;
}

}  // namespace kw::eval::conformance
