// The table of scalar instructions: a row is one form of an opcode, the kinds of its operands,
// and what it must give.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "scalar.h"

namespace kw::eval::conformance {

// Kinds of operands and results; they choose the register, the values, and how to compare.
//   h w d   16, 32, 64 bits of an integer      n   a count of bits, in 32
//   H B     f16, bf16      P Q   pairs of them, in 32 bits
//   F D     f32, f64       p     a predicate     8   two fp8, in 16 bits
// Floats compare by bits, but all NaNs are one.
int BytesOf(char kind);
// Edge values of a kind, and random ones after them.
std::vector<u64> ValuesOf(char kind, u32 seed);

// How far a result may lie from the reference: absolute, or relative to it.
struct Bound {
  double relative = 0, absolute = 0;
  bool exact() const { return relative == 0 && absolute == 0; }
};

using Reference = std::function<u64(u64, u64, u64)>;

struct Row {
  std::string opcode;  // with all its modifiers: "add.rn.f32"
  std::string kinds;   // result, then operands: "FFF"
  Reference want;
  Bound bound;
  std::string body;  // when it is more than `opcode %0, %1, ...;`: %0 is the result
  // Only operands for which this holds are compared: what PTX leaves open.
  std::function<bool(u64, u64, u64)> defined;
};

// A reference of typed operands as one of bits.
template <class R, class... A>
Reference Of(R (*f)(A...)) {
  return [f](u64 a, u64 b, u64 c) {
    const u64 all[] = {a, b, c};
    return [&]<size_t... I>(std::index_sequence<I...>) { return ToBits(f(FromBits<A>(all[I])...)); }
    (std::index_sequence_for<A...>{});
  };
}
template <class R, class... A>
Reference Of(std::function<R(A...)> f) {
  return [f](u64 a, u64 b, u64 c) {
    const u64 all[] = {a, b, c};
    return [&]<size_t... I>(std::index_sequence<I...>) { return ToBits(f(FromBits<A>(all[I])...)); }
    (std::index_sequence_for<A...>{});
  };
}

std::vector<Row> IntegerRows();
std::vector<Row> BitRows();
std::vector<Row> FloatRows();
std::vector<Row> ApproximateRows();
std::vector<Row> HalfRows();
std::vector<Row> CompareRows();
std::vector<Row> ConvertRows();

// A table under the name of the test that runs it.
struct Table {
  std::string name;
  std::vector<Row> rows;
};
const std::vector<Table>& Tables();

}  // namespace kw::eval::conformance
