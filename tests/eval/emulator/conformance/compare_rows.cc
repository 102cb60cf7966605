// setp, set, selp, slct, testp.
#include "fmt/format.h"
#include "table.h"

namespace kw::eval::conformance {
namespace {

// What a comparison says of numbers in this order; `nan`: one of them is none.
bool Holds(std::string_view how, bool less, bool equal, bool nan) {
  if (how == "num") return !nan;
  if (how == "nan") return nan;
  // `equ` holds for NaN as well, `leu` does, `eq` does not.
  if (nan) return how.size() == 3;
  const std::string_view base = how.substr(0, 2);
  if (base == "eq") return equal;
  if (base == "ne") return !equal;
  if (base == "lt" || base == "lo") return less;
  if (base == "le" || base == "ls") return less || equal;
  if (base == "gt" || base == "hi") return !less && !equal;
  return !less;
}

constexpr const char* kOrders[] = {"eq", "ne", "lt", "le", "gt", "ge"};
constexpr const char* kUnordered[] = {"equ", "neu", "ltu", "leu", "gtu", "geu", "num", "nan"};

struct Kind {
  const char* type;
  char letter;
  bool flushes;
  // -1, 0, 1, or 2 when a NaN is among them
  int (*compare)(u64, u64, bool);
};
template <class T>
int Order(T a, T b) {
  if (a != a || b != b) return 2;
  return a < b ? -1 : a > b ? 1 : 0;
}
template <class T>
int Whole(u64 a, u64 b, bool) {
  return Order(static_cast<T>(a), static_cast<T>(b));
}
int Single(u64 a, u64 b, bool flush) {
  const float x = FromBits<float>(a), y = FromBits<float>(b);
  return flush ? Order(Flushed(x), Flushed(y)) : Order(x, y);
}
int Twofold(u64 a, u64 b, bool) { return Order(FromBits<double>(a), FromBits<double>(b)); }
template <class H>
int Halfway(u64 a, u64 b, bool flush) {
  double x = FromBits<H>(a).value(), y = FromBits<H>(b).value();
  if (flush && std::fabs(x) < 0x1p-14) x = 0;
  if (flush && std::fabs(y) < 0x1p-14) y = 0;
  return Order(x, y);
}
constexpr Kind kKinds[] = {
    {"u16", 'h', false, Whole<u16>},       {"s16", 'h', false, Whole<i16>},
    {"b16", 'h', false, Whole<u16>},       {"u32", 'w', false, Whole<u32>},
    {"s32", 'w', false, Whole<i32>},       {"b32", 'w', false, Whole<u32>},
    {"u64", 'd', false, Whole<u64>},       {"s64", 'd', false, Whole<i64>},
    {"b64", 'd', false, Whole<u64>},       {"f32", 'F', true, Single},
    {"f64", 'D', false, Twofold},          {"f16", 'H', true, Halfway<Half>},
    {"bf16", 'B', false, Halfway<Bfloat>},
};

bool Judge(const Kind& kind, std::string_view how, u64 a, u64 b, bool flush) {
  const int order = kind.compare(a, b, flush);
  return Holds(how, order < 0, order == 0, order == 2);
}

void Setp(std::vector<Row>* rows, const Kind& kind, const std::string& how, bool flush) {
  const std::string two(2, kind.letter);
  const std::string name = fmt::format("setp.{}{}.{}", how, flush ? ".ftz" : "", kind.type);
  rows->push_back(
      {name, "p" + two, [=](u64 a, u64 b, u64) { return u64{Judge(kind, how, a, b, flush)}; }});
  if (how != "lt" && how != "eq") return;
  // Both results, joined with a third predicate.
  for (const std::string join : {"and", "or", "xor"}) {
    rows->push_back({fmt::format("setp.{}.{}{}.{}", how, join, flush ? ".ftz" : "", kind.type),
                     "w" + two + "p",
                     [=](u64 a, u64 b, u64 c) {
                       const bool t = Judge(kind, how, a, b, flush), q = (c & 1) != 0;
                       const auto joined = [&](bool x) {
                         return join == "and" ? x && q : join == "or" ? x || q : x != q;
                       };
                       return u64{joined(t)} + 2 * u64{joined(!t)};
                     },
                     {},
                     fmt::format("setp.{}.{}{}.{} %px|%py, %1, %2, %3; selp.b32 %0, 1, 0, %px; "
                                 "@%py add.u32 %0, %0, 2;",
                                 how, join, flush ? ".ftz" : "", kind.type)});
  }
}

void SetTo(std::vector<Row>* rows, const Kind& kind, const std::string& how, bool flush) {
  const std::string two(2, kind.letter);
  const auto add = [&](const char* to, char letter, u64 yes) {
    rows->push_back({fmt::format("set.{}{}.{}.{}", how, flush ? ".ftz" : "", to, kind.type),
                     letter + two,
                     [=](u64 a, u64 b, u64) { return Judge(kind, how, a, b, flush) ? yes : 0; }});
  };
  add("u32", 'w', 0xffffffff);
  add("s32", 'w', 0xffffffff);
  add("f32", 'F', 0x3f800000);
  if (kind.letter == 'H') add("f16", 'H', 0x3c00), add("u16", 'h', 0xffff);
  if (kind.letter == 'B') add("bf16", 'B', 0x3f80), add("s16", 'h', 0xffff);
}

void Pairs(std::vector<Row>* rows, const Kind& kind, const std::string& how, bool flush,
           char letter, u64 one) {
  const std::string two(2, letter), ftz = flush ? ".ftz" : "";
  const auto bits = [=](u64 a, u64 b, u64 yes) {
    return (Judge(kind, how, a & 0xffff, b & 0xffff, flush) ? yes : 0) |
           (Judge(kind, how, a >> 16, b >> 16, flush) ? yes << 16 : 0);
  };
  rows->push_back({fmt::format("setp.{}{}.{}x2", how, ftz, kind.type),
                   "w" + two,
                   [=](u64 a, u64 b, u64) { return (bits(a, b, 1) & 1) | bits(a, b, 1) >> 15; },
                   {},
                   fmt::format("setp.{}{}.{}x2 %px|%py, %1, %2; selp.b32 %0, 1, 0, %px; "
                               "@%py add.u32 %0, %0, 2;",
                               how, ftz, kind.type)});
  rows->push_back({fmt::format("set.{0}{1}.{2}x2.{2}x2", how, ftz, kind.type), letter + two,
                   [=](u64 a, u64 b, u64) { return bits(a, b, one); }});
  rows->push_back({fmt::format("set.{}{}.u32.{}x2", how, ftz, kind.type), "w" + two,
                   [=](u64 a, u64 b, u64) { return bits(a, b, 0xffff); }});
}

void Testp(std::vector<Row>* rows) {
  static constexpr std::pair<const char*, bool (*)(double, bool)> kTests[] = {
      {"finite", [](double v, bool) { return std::isfinite(v); }},
      {"infinite", [](double v, bool) { return std::isinf(v); }},
      {"number", [](double v, bool) { return !std::isnan(v); }},
      {"notanumber", [](double v, bool) { return std::isnan(v); }},
      {"normal", [](double v, bool tiny) { return std::isfinite(v) && v != 0 && !tiny; }},
      {"subnormal", [](double v, bool tiny) { return v != 0 && tiny; }},
  };
  for (const auto& [name, test] : kTests) {
    rows->push_back({fmt::format("testp.{}.f32", name), "pF", [test = test](u64 a, u64, u64) {
                       const float v = FromBits<float>(a);
                       return u64{test(v, std::fabs(v) < 0x1p-126f)};
                     }});
    rows->push_back({fmt::format("testp.{}.f64", name), "pD", [test = test](u64 a, u64, u64) {
                       const double v = FromBits<double>(a);
                       return u64{test(v, std::fabs(v) < 0x1p-1022)};
                     }});
  }
}

void Choices(std::vector<Row>* rows) {
  for (const auto& [types, letter] :
       {std::pair{"b16 u16 s16", 'h'}, {"b32 u32 s32 f32", 'w'}, {"b64 u64 s64 f64", 'd'}}) {
    std::string_view rest = types;
    const std::string two(3, letter);
    while (!rest.empty()) {
      const std::string type(rest.substr(0, 3));
      rest.remove_prefix(std::min<size_t>(4, rest.size()));
      rows->push_back(
          {"selp." + type, two + "p", [](u64 a, u64 b, u64 c) { return (c & 1) != 0 ? a : b; }});
      rows->push_back({fmt::format("slct.{}.s32", type), two + "w",
                       [](u64 a, u64 b, u64 c) { return static_cast<i32>(c) >= 0 ? a : b; }});
      rows->push_back({fmt::format("slct.{}.f32", type), two + "F",
                       [](u64 a, u64 b, u64 c) { return FromBits<float>(c) >= 0 ? a : b; }});
      rows->push_back({fmt::format("slct.ftz.{}.f32", type), two + "F", [](u64 a, u64 b, u64 c) {
                         return Flushed(FromBits<float>(c)) >= 0 ? a : b;
                       }});
    }
  }
}

}  // namespace

std::vector<Row> CompareRows() {
  std::vector<Row> rows;
  for (const Kind& kind : kKinds) {
    const bool real = kind.letter < 'a', bits = kind.type[0] == 'b' && kind.letter != 'B';
    for (const bool flush : {false, true}) {
      if (flush && !kind.flushes) continue;
      for (const std::string how : kOrders) {
        if (bits && how != "eq" && how != "ne") continue;
        Setp(&rows, kind, how, flush);
        SetTo(&rows, kind, how, flush);
      }
      if (kind.type[0] == 'u') {
        for (const std::string how : {"lo", "ls", "hi", "hs"}) Setp(&rows, kind, how, flush);
      }
      if (!real) continue;
      for (const std::string how : kUnordered) {
        Setp(&rows, kind, how, flush);
        SetTo(&rows, kind, how, flush);
      }
      for (const std::string how : {"lt", "ne", "geu", "nan"}) {
        if (kind.letter == 'H') Pairs(&rows, kind, how, flush, 'P', 0x3c00);
        if (kind.letter == 'B') Pairs(&rows, kind, how, flush, 'Q', 0x3f80);
      }
    }
  }
  Testp(&rows);
  Choices(&rows);
  return rows;
}

}  // namespace kw::eval::conformance
