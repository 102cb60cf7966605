// ldmatrix, mma, wmma.
#pragma once

#include "lanes/memory.h"

namespace kw::eval::emu {
namespace {
bool ElectNothing(Warp&, const Op&) { return true; }
constexpr HandlerEntry kTensor[] = {
    {K(Code::kNothing, Type::kPred), &ElectNothing},
};
}  // namespace
}  // namespace kw::eval::emu
