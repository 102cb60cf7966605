// One library call on device memory: its checks, its arithmetic, and what it would cost.
#pragma once

#include <string>
#include <vector>

#include "device_memory.h"
#include "kw/eval/blas.h"
#include "runtime.h"

namespace kw::eval::emu {

// Room for one tile, kept from call to call: fresh pages are dear for small calls.
struct BlasScratch {
  std::vector<char> sums, packed_a, packed_b, out;
};

// Takes what it spends from *budget.
BlasOutcome RunBlas(const BlasCall& call, DeviceMemory* memory, HazardLog* hazards,
                    const DeviceSheet& sheet, uint64_t* budget, BlasScratch* scratch);

// Lane-instructions, as kw/eval/blas.h says; as a double, which no size overflows.
double BlasWork(const BlasCall& call);

// The launch of a good library for this call: its shape, and its counters without the traffic to
// DRAM, which the memory knows (docs/design/cost-model.md).
void PlanBlas(const BlasCall& call, const DeviceSheet& sheet, BlasOutcome* outcome);

// What is wrong with an access to an address that lies in no live allocation, or ends outside of
// it (reports.cc).
struct AddressFinding {
  std::string kind, text;
};
AddressFinding JudgeAddress(const DeviceMemory& memory, uint64_t address, uint32_t bytes,
                            bool store);

}  // namespace kw::eval::emu
