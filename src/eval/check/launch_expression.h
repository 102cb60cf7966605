// What `kwright check --launch` is given: one launch of a kernel, its buffers made up.
//
//   launch   = kernel "<<<" dims "," dims [ "," number ] ">>>" "(" [ argument { "," argument } ]
//   ")" kernel   = name { "::" name } [ "<" template arguments ">" ] dims     = number | [ "dim3" ]
//   "(" number [ "," number [ "," number ] ] ")" argument = [ "out" ] type "[" number "]" [ "="
//   value ]      a buffer
//            | type value                                       a scalar
//   number   = digits { "*" digits }
//   type     = f16 bf16 f32 f64 i8 i16 i32 i64 u8 u16 u32 u64 bool
//
// A buffer holds seeded standard normal values (integers: 0 to 99; bool: 0 or 1), or the value
// behind "=" in every element, or nothing yet ("out").
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "kw/base/error.h"
#include "kw/eval/emulator.h"

namespace kw::eval {

struct LaunchType {
  std::string_view name;    // "f32"
  std::string_view cpp;     // "float"
  std::string_view header;  // that declares it, or ""
  int bytes;
  bool real, is_signed;
};

struct LaunchArgument {
  enum class Contents { kScalar, kRandom, kFilled, kUninitialised };
  const LaunchType* type = nullptr;  // one of a fixed list
  Contents contents = Contents::kScalar;
  uint64_t count = 0;    // of a buffer's elements
  double real = 0;       // the value, of a real type
  uint64_t integer = 0;  // the value, of the others; two's complement
};

struct LaunchExpression {
  std::string kernel;
  Dim3 grid, block;
  uint32_t dynamic_shared = 0;
  std::vector<LaunchArgument> arguments;
};

// kParse says what is wrong, at which column, and shows the place.
[[nodiscard]] Result<LaunchExpression> ParseLaunch(std::string_view text);
// The same again, in one spelling: ParseLaunch(FormatLaunch(x)) is x.
std::string FormatLaunch(const LaunchExpression& launch);
// "f32[1024]", "i32 5"
std::string FormatArgument(const LaunchArgument& argument);

}  // namespace kw::eval
