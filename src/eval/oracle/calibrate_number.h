// The number that stands in for `double` when a task's reference.cpp is compiled a second time
// (calibrate_source.cc; docs/design/calibration.md): every operation rounds to the working
// precision, and a sum by += goes in the order of the ensemble's member that is chosen.
//
// A task's own code is compiled below this text, so it is C++17 of the standard library alone, and
// reserves the name kw_calibration. KW_CALIBRATE_DOUBLE makes the working precision float64.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>

namespace kw_calibration {

#ifdef KW_CALIBRATE_DOUBLE
using Work = double;
#else
using Work = float;
#endif

enum class Order { kSequential, kPairwise, kKahan };

struct Member {
  Order order = Order::kSequential;
  bool fused = false;  // a product that is added at once is not rounded before
  int math_ulps = 0;   // how far functions of the mathematical library may be off, on top
  bool fast = false;   // exp and log by powers of two, quotients by reciprocals
  // A narrower format that results are rounded to; 0 bits: none.
  int mantissa_bits = 0, least_exponent = 0;
  double largest = 0;
  // Not all results: the factors of products that are summed by +=, where one has that format.
  bool factors_only = false;
};
// NOLINTBEGIN: one process computes for one member at a time.
inline Member member;
inline int64_t overflows = 0;  // results of finite operands that the format does not hold
// NOLINTEND

inline Work RoundedToNarrow(Work value) {
  if (value == 0 || !std::isfinite(value)) return value;
  int exponent = 0;
  std::frexp(value, &exponent);
  const int binade = exponent - 1 > member.least_exponent ? exponent - 1 : member.least_exponent;
  const int unit = binade - member.mantissa_bits;
  const Work rounded = std::ldexp(std::nearbyint(std::ldexp(value, -unit)), unit);
  if (std::fabs(rounded) <= static_cast<Work>(member.largest)) return rounded;
  ++overflows;
  return std::copysign(std::numeric_limits<Work>::infinity(), value);
}

// A constant expression knows no member.
constexpr Work Rounded(Work value) {
  if (__builtin_is_constant_evaluated() || member.mantissa_bits == 0 || member.factors_only) {
    return value;
  }
  return RoundedToNarrow(value);
}

// The same of a result, which overflows when its operands did not.
constexpr Work Rounded(Work value, Work x, Work y) {
  if (__builtin_is_constant_evaluated()) return value;
  if (std::isinf(value) && std::isfinite(x) && std::isfinite(y)) ++overflows;
  return Rounded(value);
}

// A number from -span to span that follows from the bits of the value, so that a function whose
// error it is stays a function.
inline int Chosen(Work value, int span) {
  uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof value);
  bits = (bits + 0x9e3779b97f4a7c15) * 0xbf58476d1ce4e5b9;
  bits ^= bits >> 29;
  return static_cast<int>((bits >> 33) % static_cast<uint64_t>(2 * span + 1)) - span;
}

// What a library that is right to a few units in the last place may give for `value`. 0 and 1 are
// exact in every library.
inline Work Blurred(Work value) {
  if (member.math_ulps == 0 || value == 0 || value == 1 || !std::isfinite(value)) return value;
  int steps = Chosen(value, member.math_ulps);
  const Work infinity = std::numeric_limits<Work>::infinity();
  for (; steps > 0; --steps) value = std::nextafter(value, infinity);
  for (; steps < 0; ++steps) value = std::nextafter(value, -infinity);
  return value;
}

inline Work Exp(Work x) {
  return member.fast ? std::exp2(x * static_cast<Work>(1.4426950408889634)) : std::exp(x);
}
// lg2.approx is off by up to 2^-22, or by that part of a result beyond 1 (PTX ISA, lg2).
inline Work Log(Work x) {
  if (!member.fast) return std::log(x);
  const Work power = std::log2(x);
  if (power == 0 || !std::isfinite(power)) return power;
  const Work size = std::fabs(power) > 1 ? std::fabs(power) : 1;
  const Work off = static_cast<Work>(Chosen(x, 8)) / 8 * std::ldexp(size, -22);
  return (power + off) * static_cast<Work>(0.6931471805599453);
}

class Number {
 public:
  constexpr Number() = default;
  template <class T, std::enable_if_t<std::is_arithmetic_v<T>, int> = 0>
  constexpr Number(T value)  // NOLINT: as numbers convert to double
      : a_(static_cast<Work>(value)) {}
  // A copy is the value read: sums that are under way stay with their object.
  constexpr Number(const Number& other) : a_(other.Read()) {}
  constexpr Number& operator=(const Number& other) {
    Set(other.Read());
    return *this;
  }
  template <class T, std::enable_if_t<std::is_arithmetic_v<T>, int> = 0>
  explicit constexpr operator T() const {
    return static_cast<T>(Read());
  }

  constexpr Work Read() const {
    if (state_ == State::kProduct) return Rounded(a_ * b_, a_, b_);
    if (state_ == State::kPairwise) return Collapsed();
    return a_;
  }

  Number& operator+=(const Number& x) {
    if (state_ == State::kProduct || &x == this) {
      const Work term = x.Read();
      Set(Read());
      Add(Number(term));
    } else if (x.IsFused() && member.factors_only && x.HasNarrowFactor()) {
      Add(Product(RoundedToNarrow(x.a_), RoundedToNarrow(x.b_)));
    } else {
      Add(x);
    }
    return *this;
  }
  Number& operator-=(const Number& x) { return *this += -x; }
  constexpr Number& operator*=(const Number& x) {
    *this = *this * x;
    return *this;
  }
  constexpr Number& operator/=(const Number& x) {
    *this = *this / x;
    return *this;
  }
  Number& operator++() { return *this += 1; }
  Number& operator--() { return *this += -1; }
  Number operator++(int) {
    const Number before(*this);
    *this += 1;
    return before;
  }
  Number operator--(int) {
    const Number before(*this);
    *this += -1;
    return before;
  }

  constexpr Number operator+() const { return Number(Read()); }
  constexpr Number operator-() const {
    return state_ == State::kProduct ? Product(-a_, b_) : Number(-Read());
  }
  friend constexpr Number operator+(const Number& x, const Number& y) {
    if (x.IsFused()) return Number(x.Fused(y.Read()));
    return Number(y.Plus(x.Read()));
  }
  friend constexpr Number operator-(const Number& x, const Number& y) { return x + -y; }
  friend constexpr Number operator*(const Number& x, const Number& y) {
    if (__builtin_is_constant_evaluated()) return Number(x.Read() * y.Read());
    if (member.fused) return Product(x.Read(), y.Read());
    return Number(Rounded(x.Read() * y.Read(), x.Read(), y.Read()));
  }
  friend constexpr Number operator/(const Number& x, const Number& y) {
    const Work divisor = y.Read();
    // A quotient by zero is no overflow.
    Work quotient = x.Read() / divisor;
    if (!__builtin_is_constant_evaluated() && member.fast) {
      const Work reciprocal = 1 / divisor;
      if (std::isnormal(reciprocal)) quotient = x.Read() * reciprocal;
    }
    return Number(divisor == 0 ? quotient : Rounded(quotient, x.Read(), divisor));
  }

  friend constexpr bool operator<(const Number& x, const Number& y) { return x.Read() < y.Read(); }
  friend constexpr bool operator>(const Number& x, const Number& y) { return y < x; }
  friend constexpr bool operator<=(const Number& x, const Number& y) {
    return x.Read() <= y.Read();
  }
  friend constexpr bool operator>=(const Number& x, const Number& y) { return y <= x; }
  friend constexpr bool operator==(const Number& x, const Number& y) {
    return x.Read() == y.Read();
  }
  friend constexpr bool operator!=(const Number& x, const Number& y) { return !(x == y); }

 private:
  enum class State : unsigned char { kValue, kProduct, kPairwise, kKahan };
  // Sums of 2^0, 2^1, ... terms; the last level takes all that are longer.
  static constexpr int kLevels = 16;

  static constexpr Number Product(Work a, Work b) {
    Number product(a);
    product.b_ = b;
    product.state_ = State::kProduct;
    return product;
  }
  constexpr void Set(Work value) {
    a_ = value;
    state_ = State::kValue;
  }
  constexpr bool IsFused() const { return state_ == State::kProduct; }
  // As an element of a 16-bit input is.
  bool HasNarrowFactor() const { return RoundedToNarrow(a_) == a_ || RoundedToNarrow(b_) == b_; }
  constexpr Work Fused(Work other) const {
    return Rounded(std::fma(a_, b_, other), a_ + b_, other);
  }
  // other + *this
  constexpr Work Plus(Work other) const {
    return IsFused() ? Fused(other) : Rounded(other + Read(), other, Read());
  }

  void Add(const Number& x) {
    switch (member.order) {
      case Order::kSequential:
        Set(x.Plus(Read()));
        break;
      case Order::kPairwise:
        AddPairwise(x);
        break;
      case Order::kKahan:
        AddKahan(x);
        break;
    }
  }

  constexpr bool HoldsLevel(int level) const {
    return level + 1 < kLevels ? ((terms_ >> level) & 1) != 0 : (terms_ >> level) != 0;
  }
  // As a binary counter: two sums of equally many terms become one of twice as many.
  void AddPairwise(const Number& x) {
    if (state_ != State::kPairwise) terms_ = 0;
    state_ = State::kPairwise;
    int level = 0;
    Work sum = 0;
    if (HoldsLevel(0)) {
      sum = x.Plus(pending_.sums[level++]);
    } else {
      sum = x.Read();
    }
    for (; level + 1 < kLevels && HoldsLevel(level); ++level) {
      sum = Rounded(pending_.sums[level] + sum);
    }
    if (level + 1 == kLevels && HoldsLevel(level)) sum = Rounded(pending_.sums[level] + sum);
    pending_.sums[level] = sum;
    ++terms_;
  }
  // Of what is pending, the short sums first, and what was there before them last.
  constexpr Work Collapsed() const {
    bool any = false;
    Work sum = 0;
    for (int level = 0; level < kLevels; ++level) {
      if (!HoldsLevel(level)) continue;
      sum = any ? Rounded(pending_.sums[level] + sum) : pending_.sums[level];
      any = true;
    }
    return a_ == 0 ? sum : Rounded(a_ + sum);
  }

  void AddKahan(const Number& x) {
    if (state_ != State::kKahan) pending_.sums[0] = 0;
    state_ = State::kKahan;
    const Work term = x.Plus(-pending_.sums[0]);
    const Work sum = Rounded(a_ + term);
    const Work lost = Rounded(Rounded(sum - a_) - term);
    a_ = sum;
    pending_.sums[0] = std::isfinite(lost) ? lost : 0;
  }

  Work a_ = 0, b_ = 0;  // the value, or a product's factors
  State state_ = State::kValue;
  uint64_t terms_ = 0;  // of a pairwise sum
  union Pending {
    constexpr Pending() : none(0) {}
    char none;
    Work sums[kLevels];  // of a pairwise sum; of a Kahan sum the first is what was lost
  } pending_;
};

#define KW_CALIBRATE_EXACT(name) \
  inline Number name(const Number& x) { return Number(Rounded(std::name(x.Read()))); }
#define KW_CALIBRATE_FUNCTION(name)                                  \
  inline Number name(const Number& x) {                              \
    const Work value = x.Read();                                     \
    return Number(Rounded(Blurred(std::name(value)), value, value)); \
  }
#define KW_CALIBRATE_QUICK(name, Function)                          \
  inline Number name(const Number& x) {                             \
    const Work value = x.Read();                                    \
    return Number(Rounded(Blurred(Function(value)), value, value)); \
  }
#define KW_CALIBRATE_FUNCTION2(name)                                          \
  inline Number name(const Number& x, const Number& y) {                      \
    const Work first = x.Read(), second = y.Read();                           \
    return Number(Rounded(Blurred(std::name(first, second)), first, second)); \
  }
#define KW_CALIBRATE_EXACT2(name)                          \
  inline Number name(const Number& x, const Number& y) {   \
    return Number(Rounded(std::name(x.Read(), y.Read()))); \
  }
#define KW_CALIBRATE_TEST(name, type) \
  inline type name(const Number& x) { return std::name(x.Read()); }

// Every function of <cmath> that has a place here: each is made once, and put where a task's code
// looks for it.
// clang-format off
#define KW_CALIBRATE_EACH(EXACT, FUNCTION, QUICK, FUNCTION2, EXACT2, TEST)                      \
  EXACT(abs) EXACT(fabs) EXACT(floor) EXACT(ceil) EXACT(round) EXACT(trunc) EXACT(rint)         \
  EXACT(nearbyint)                                                                              \
  QUICK(exp, Exp) QUICK(log, Log)                                                               \
  FUNCTION(sqrt) FUNCTION(cbrt) FUNCTION(exp2) FUNCTION(expm1)                                  \
  FUNCTION(log2) FUNCTION(log10) FUNCTION(log1p) FUNCTION(sin) FUNCTION(cos) FUNCTION(tan)      \
  FUNCTION(asin) FUNCTION(acos) FUNCTION(atan) FUNCTION(sinh) FUNCTION(cosh) FUNCTION(tanh)     \
  FUNCTION(asinh) FUNCTION(acosh) FUNCTION(atanh) FUNCTION(erf) FUNCTION(erfc) FUNCTION(tgamma) \
  FUNCTION(lgamma)                                                                              \
  FUNCTION2(pow) FUNCTION2(atan2) FUNCTION2(hypot)                                              \
  EXACT2(fmod) EXACT2(remainder) EXACT2(copysign) EXACT2(fmax) EXACT2(fmin) EXACT2(fdim)        \
  TEST(isnan, bool) TEST(isinf, bool) TEST(isfinite, bool) TEST(isnormal, bool)                 \
  TEST(signbit, bool) TEST(lround, long) TEST(llround, long long) TEST(lrint, long)             \
  TEST(llrint, long long)
// clang-format on

KW_CALIBRATE_EACH(KW_CALIBRATE_EXACT, KW_CALIBRATE_FUNCTION, KW_CALIBRATE_QUICK,
                  KW_CALIBRATE_FUNCTION2, KW_CALIBRATE_EXACT2, KW_CALIBRATE_TEST)

inline Number fma(const Number& x, const Number& y, const Number& z) {
  return Number(Rounded(std::fma(x.Read(), y.Read(), z.Read())));
}
inline Number ldexp(const Number& x, int exponent) {
  return Number(Rounded(std::ldexp(x.Read(), exponent)));
}
inline Number frexp(const Number& x, int* exponent) {
  return Number(std::frexp(x.Read(), exponent));
}

template <class T>
using IfArithmetic = std::enable_if_t<std::is_arithmetic_v<T>, int>;

}  // namespace kw_calibration

// std::exp(x), exp(x) by the argument's namespace, and ::exp(x) are the same function.
#define KW_CALIBRATE_USE(name) using kw_calibration::name;
#define KW_CALIBRATE_USE_OF(name, of) using kw_calibration::name;
KW_CALIBRATE_EACH(KW_CALIBRATE_USE, KW_CALIBRATE_USE, KW_CALIBRATE_USE_OF, KW_CALIBRATE_USE,
                  KW_CALIBRATE_USE, KW_CALIBRATE_USE_OF)
using kw_calibration::fma;
using kw_calibration::frexp;
using kw_calibration::ldexp;

namespace std {

KW_CALIBRATE_EACH(KW_CALIBRATE_USE, KW_CALIBRATE_USE, KW_CALIBRATE_USE_OF, KW_CALIBRATE_USE,
                  KW_CALIBRATE_USE, KW_CALIBRATE_USE_OF)
using kw_calibration::fma;
using kw_calibration::frexp;
using kw_calibration::ldexp;

// A literal beside a number: std::max(0.0, x) has one type where double is double.
template <class T, kw_calibration::IfArithmetic<T> = 0>
kw_calibration::Number max(const kw_calibration::Number& x, T y) {
  return x < y ? kw_calibration::Number(y) : x;
}
template <class T, kw_calibration::IfArithmetic<T> = 0>
kw_calibration::Number max(T x, const kw_calibration::Number& y) {
  return x < y ? y : kw_calibration::Number(x);
}
template <class T, kw_calibration::IfArithmetic<T> = 0>
kw_calibration::Number min(const kw_calibration::Number& x, T y) {
  return y < x ? kw_calibration::Number(y) : x;
}
template <class T, kw_calibration::IfArithmetic<T> = 0>
kw_calibration::Number min(T x, const kw_calibration::Number& y) {
  return y < x ? y : kw_calibration::Number(x);
}
template <class T, class U, kw_calibration::IfArithmetic<T> = 0,
          kw_calibration::IfArithmetic<U> = 0>
kw_calibration::Number clamp(const kw_calibration::Number& x, T low, U high) {
  return x < low ? kw_calibration::Number(low) : high < x ? kw_calibration::Number(high) : x;
}

template <>
class numeric_limits<kw_calibration::Number> : public numeric_limits<kw_calibration::Work> {
  using Base = numeric_limits<kw_calibration::Work>;

 public:
  static constexpr kw_calibration::Number min() { return Base::min(); }
  static constexpr kw_calibration::Number max() { return Base::max(); }
  static constexpr kw_calibration::Number lowest() { return Base::lowest(); }
  static constexpr kw_calibration::Number epsilon() { return Base::epsilon(); }
  static constexpr kw_calibration::Number infinity() { return Base::infinity(); }
  static constexpr kw_calibration::Number quiet_NaN() { return Base::quiet_NaN(); }
  static constexpr kw_calibration::Number denorm_min() { return Base::denorm_min(); }
};

}  // namespace std
