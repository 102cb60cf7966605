// What the decoder tells the tensor handlers, as a row of numbers in Program::lists.
#pragma once

#include <cstdint>

namespace kw::eval::emu {

enum class TensorField : uint32_t {
  kM,
  kN,
  kK,
  kTypeA,
  kTypeB,
  kTypeC,
  kTypeD,  // ptx::Type; kB8 is e4m3, kU8 e5m2 in float products
  kA,
  kB,
  kC,
  kD,  // registers
  kTableA,
  kTableB,
  kTableC,  // indexes into lists
  kSaturate,
  kOffset,  // of the address, in bytes
  kCount,
};

}  // namespace kw::eval::emu
