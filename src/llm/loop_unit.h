// What is said again and again, looked at as a whole: whether it may be a ruler, a table or a
// drawing, and where its instances begin.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace kw::llm {

// What its UTF-8 bytes are, packed into a number, the first byte highest. Bytes that are no UTF-8
// are characters of their own.
using Character = char32_t;

// A unit is seen as a ring: its last character stands before its first one.
using Unit = std::u32string;
Unit UnitOf(std::string_view bytes);
std::string ToBytes(const Unit& unit);

struct UnitTraits {
  bool line_break = false;
  bool blank = false;       // white space only
  bool code_fence = false;  // three backticks in a row
  bool comma = false;
  // Letters that are no part of a number, a format (%lld) or an escape (\x00). One character alone
  // is no word: "mmmmmmm" draws the bits of a mantissa; hexadecimal digits without an end are none.
  bool word = false;
};
UnitTraits DescribeUnit(const Unit& unit);

// Where an instance begins best: the begin of a line, else of a word, of punctuation or of white
// space, else 0.
size_t BeginOfInstance(const Unit& unit);

}  // namespace kw::llm
