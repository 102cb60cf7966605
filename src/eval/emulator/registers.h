// Where a function's virtual registers lie in a warp's frame.
#pragma once

#include <utility>
#include <vector>

#include "program.h"

namespace kw::eval::emu {

// A basic block: micros [begin, end) of the line, and the blocks that may follow it.
struct LineBlock {
  int begin = 0, end = 0;
  std::vector<int> successors;
};

struct RegisterPlaces {
  std::vector<uint32_t> slot;  // of each virtual register, among those of its kind
  uint32_t slots32 = 0, slots64 = 0;
  uint32_t predicates = 3;  // the first are fixed
  // Registers that may be read before anything was written to them.
  std::vector<int> unwritten;
};

// Registers that are never alive at once share a slot, so that a warp's frame stays small. `line`
// holds all micros in their final order.
RegisterPlaces PlaceRegisters(const std::vector<Micro*>& line, const std::vector<LineBlock>& blocks,
                              const std::vector<VirtualRegister>& registers);

}  // namespace kw::eval::emu
