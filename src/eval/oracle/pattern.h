// What wrong elements have in common: where they lie, and what they hold.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace kw::eval {

struct WrongOutput {
  std::vector<int64_t> shape;  // row-major; empty for a single value
  std::vector<double> got, expected;
  std::vector<uint8_t> bad;             // 1 where an element is wrong; at least one is
  std::map<std::string, int64_t> axes;  // sizes that a missing factor may be made of
  // Would `value` pass where `expected` is expected?
  std::function<bool(double value, double expected)> close;
};

struct Pattern {
  std::string text;    // "only columns 32..39 of each row are wrong; they are 0", or ""
  std::string advice;  // what usually causes it, or ""
};
Pattern FindPattern(const WrongOutput& wrong);

}  // namespace kw::eval
