// The two builds of the handlers.
#pragma once

#include "warp.h"

namespace kw::eval::emu {

inline constexpr int kArithmeticParts = 4, kMemoryParts = 5;
struct Tables {
  HandlerList lists[kArithmeticParts + kMemoryParts];
};
Tables PlainTables();
Tables VectorTables();  // AVX2, FMA, F16C, BMI2: only for machines that have them

namespace plain {
HandlerList Arithmetic(int part);
HandlerList Memory(int part);
}  // namespace plain
namespace vector {
HandlerList Arithmetic(int part);
HandlerList Memory(int part);
}  // namespace vector

}  // namespace kw::eval::emu
