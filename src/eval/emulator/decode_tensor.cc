#include "decoder.h"
namespace kw::eval::emu {
bool Decoder::Mma() { return Unsupported("mma"); }
bool Decoder::Wmma() { return Unsupported("wmma"); }
bool Decoder::LoadMatrix() { return Unsupported("ldmatrix"); }
bool Decoder::MbarrierOp() { return Unsupported("mbarrier"); }
}  // namespace kw::eval::emu
