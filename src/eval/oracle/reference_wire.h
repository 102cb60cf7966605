// What the oracle and kwright-reference say to each other, on pipes, both ways in frames:
//
//   frame    := length:u64  payload                  all numbers little-endian
//   call     := count:u32 argument*                  oracle -> reference
//   argument := kind:u8 name:text count:u64 [value:8] [element:8 * count]
//   text     := length:u32 byte*
//   answer   := 'R'                                  loaded, before the first call
//             | 'O' element:8 *                      the outputs, one after the other
//             | 'F' text                             a fault of the task folder: which
//
// Both sides take the other for hostile: every length is checked.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "kw/base/error.h"

namespace kw::eval {

struct ReferenceArgument {
  enum class Kind : uint8_t {
    kDoubles,         // const double*
    kIntegers,        // const int64_t*
    kReal,            // double
    kInteger,         // int64_t
    kBool,            // bool
    kOutputDoubles,   // double*
    kOutputIntegers,  // int64_t*
  };
  Kind kind = Kind::kInteger;
  std::string name;
  uint64_t count = 0;  // elements of a buffer
  double real = 0;
  int64_t integer = 0;
  std::string bytes;  // an input buffer's elements

  bool is_input() const { return kind == Kind::kDoubles || kind == Kind::kIntegers; }
  bool is_output() const { return kind == Kind::kOutputDoubles || kind == Kind::kOutputIntegers; }
};

std::string EncodeReferenceCall(const std::vector<ReferenceArgument>& arguments);
Result<std::vector<ReferenceArgument>> DecodeReferenceCall(std::string_view payload);

// How long to wait for the other side, and what to look at meanwhile.
struct Patience {
  int64_t deadline_us = 0;             // on the monotonic clock; 0: none
  std::function<Result<void>()> look;  // every few milliseconds: an error ends the wait; or empty
};

// Sends and takes one frame. kTimeout when the deadline passes, kNotFound at the end of input, kIo
// when the other side is gone, kLimit for a frame of more than max_bytes.
[[nodiscard]] Result<void> SendFrame(int fd, std::string_view payload, const Patience& patience);
[[nodiscard]] Result<std::string> TakeFrame(int fd, uint64_t max_bytes, const Patience& patience);

}  // namespace kw::eval
