#include "design.h"

#include <algorithm>

namespace kw::author {
namespace {

struct PieceRow {
  Slot slot;
  std::string_view name;
};
constexpr std::array<PieceRow, kPieces> kPieceTable = {{
    {Slot::kLaunch, "thread_per_row"},
    {Slot::kLaunch, "warp_per_row"},
    {Slot::kLaunch, "block_per_row"},
    {Slot::kLaunch, "grid_stride"},
    {Slot::kLaunch, "thread_per_element"},
    {Slot::kReduce, "serial"},
    {Slot::kReduce, "shared_tree"},
    {Slot::kReduce, "warp_shuffle"},
    {Slot::kBlock, "block_64"},
    {Slot::kBlock, "block_128"},
    {Slot::kBlock, "block_256"},
    {Slot::kBlock, "block_512"},
    {Slot::kWidth, "scalar"},
    {Slot::kWidth, "vector2"},
    {Slot::kWidth, "vector4"},
    {Slot::kTiling, "naive"},
    {Slot::kTiling, "tile16"},
    {Slot::kTiling, "tile32"},
    {Slot::kTiling, "register_tile"},
    {Slot::kPasses, "separate_passes"},
    {Slot::kPasses, "online"},
    {Slot::kMath, "precise_math"},
    {Slot::kMath, "fast_math"},
    {Slot::kUnroll, "rolled"},
    {Slot::kUnroll, "unrolled"},
    {Slot::kRestrict, "plain_pointers"},
    {Slot::kRestrict, "restrict_pointers"},
}};

constexpr std::array<std::string_view, kMistakes> kMistakeNames = {
    "tail_guard", "divides",         "off_by_one", "identity", "barrier",       "scaling",
    "epsilon",    "half_accumulate", "stream",     "no_entry", "missing_brace", "unclosed_fence"};

std::vector<Piece> LaunchOptions(Family family) {
  switch (family) {
    case Family::kRows:
      return {Piece::kBlockPerRow, Piece::kThreadPerRow, Piece::kWarpPerRow, Piece::kGridStride};
    case Family::kElementwise:
      return {Piece::kThreadPerElement, Piece::kGridStride};
    case Family::kMatmul:
      return {Piece::kThreadPerElement};
  }
  return {};
}

std::vector<Piece> ReduceOptions(Family family, Piece launch) {
  if (family != Family::kRows || launch == Piece::kThreadPerRow) return {Piece::kSerial};
  if (launch == Piece::kWarpPerRow) return {Piece::kWarpShuffle};
  return {Piece::kSharedTree, Piece::kWarpShuffle};
}

std::vector<Piece> BlockOptions(const Design& design, Family family) {
  if (family == Family::kMatmul) {
    switch (design.at(Slot::kTiling)) {
      case Piece::kNaive:
        return {Piece::kBlock256, Piece::kBlock64};
      default:
        return {Piece::kBlock256};
    }
  }
  return {Piece::kBlock256, Piece::kBlock128, Piece::kBlock64, Piece::kBlock512};
}

std::vector<Piece> WidthOptions(const OpSpec& spec, Family family) {
  if (family == Family::kMatmul || spec.op == Op::kUnknown) return {Piece::kScalar};
  if (spec.all_of(Element::kFloat)) return {Piece::kScalar, Piece::kVector2, Piece::kVector4};
  if (spec.all_of(Element::kHalf)) return {Piece::kScalar, Piece::kVector2, Piece::kVector4};
  if (spec.all_of(Element::kBFloat16)) return {Piece::kScalar, Piece::kVector2};
  return {Piece::kScalar};
}

bool UsesExp(Op op) { return op == Op::kSoftmax || op == Op::kSiluAndMul; }

bool UsesSharedMemory(const OpSpec& spec, const Design& design) {
  if (FamilyOf(spec.op) == Family::kMatmul) return !design.has(Piece::kNaive);
  return design.has(Piece::kBlockPerRow) ||
         (design.has(Piece::kGridStride) && FamilyOf(spec.op) == Family::kRows);
}

}  // namespace

Family FamilyOf(Op op) {
  switch (op) {
    case Op::kSoftmax:
    case Op::kRmsNorm:
    case Op::kLayerNorm:
    case Op::kRowSum:
      return Family::kRows;
    case Op::kMatmul:
      return Family::kMatmul;
    default:
      return Family::kElementwise;
  }
}

std::string_view OpName(Op op) {
  constexpr std::string_view names[] = {"unknown",      "softmax",    "rmsnorm",
                                        "layernorm",    "row_sum",    "gelu",
                                        "silu_and_mul", "leaky_relu", "matmul"};
  return names[static_cast<size_t>(op)];
}

std::string_view FamilyName(Family family) {
  constexpr std::string_view names[] = {"rows", "elementwise", "matmul"};
  return names[static_cast<size_t>(family)];
}

Slot SlotOf(Piece piece) { return kPieceTable[static_cast<size_t>(piece)].slot; }
std::string_view PieceName(Piece piece) { return kPieceTable[static_cast<size_t>(piece)].name; }
std::string_view MistakeName(Mistake mistake) {
  return kMistakeNames[static_cast<size_t>(mistake)];
}

int Design::block() const {
  switch (at(Slot::kBlock)) {
    case Piece::kBlock64:
      return 64;
    case Piece::kBlock128:
      return 128;
    case Piece::kBlock512:
      return 512;
    default:
      return 256;
  }
}

int Design::width() const {
  if (has(Piece::kVector2)) return 2;
  return has(Piece::kVector4) ? 4 : 1;
}

bool OpSpec::all_of(Element element) const {
  auto same = [&](const Parameter& p) { return p.element == element; };
  return std::all_of(inputs.begin(), inputs.end(), same) &&
         std::all_of(outputs.begin(), outputs.end(), same);
}

std::vector<Piece> Options(const OpSpec& spec, const Design& design, Slot slot) {
  const Family family = FamilyOf(spec.op);
  switch (slot) {
    case Slot::kLaunch:
      return LaunchOptions(family);
    case Slot::kReduce:
      return ReduceOptions(family, design.at(Slot::kLaunch));
    case Slot::kBlock:
      return BlockOptions(design, family);
    case Slot::kWidth:
      if (spec.op == Op::kRowSum) {
        // The output is one element a row: only the inputs are read in vectors.
        OpSpec in = spec;
        in.outputs.clear();
        return WidthOptions(in, family);
      }
      return WidthOptions(spec, family);
    case Slot::kTiling:
      if (family != Family::kMatmul) return {Piece::kNaive};
      return {Piece::kTile16, Piece::kNaive, Piece::kTile32, Piece::kRegisterTile};
    case Slot::kPasses:
      if (spec.op != Op::kSoftmax) return {Piece::kSeparatePasses};
      return {Piece::kSeparatePasses, Piece::kOnline};
    case Slot::kMath:
      if (!UsesExp(spec.op)) return {Piece::kPreciseMath};
      return {Piece::kPreciseMath, Piece::kFastMath};
    case Slot::kUnroll:
      if (design.has(Piece::kThreadPerElement) && family == Family::kElementwise) {
        return {Piece::kRolled};
      }
      return {Piece::kRolled, Piece::kUnrolled};
    case Slot::kRestrict:
      return {Piece::kPlainPointers, Piece::kRestrictPointers};
  }
  return {};
}

void Legalise(const OpSpec& spec, Design& design) {
  constexpr Slot order[] = {Slot::kLaunch, Slot::kReduce, Slot::kTiling,
                            Slot::kBlock,  Slot::kWidth,  Slot::kPasses,
                            Slot::kMath,   Slot::kUnroll, Slot::kRestrict};
  for (Slot slot : order) {
    const std::vector<Piece> options = Options(spec, design, slot);
    if (std::find(options.begin(), options.end(), design.at(slot)) == options.end()) {
      design.Set(options.front());
    }
  }
  for (int i = 0; i < kMistakes; ++i) {
    const auto mistake = static_cast<Mistake>(i);
    if (!Applies(spec, design, mistake)) design.Set(mistake, false);
  }
}

bool Applies(const OpSpec& spec, const Design& design, Mistake mistake) {
  switch (mistake) {
    case Mistake::kIdentity:
      return spec.op == Op::kSoftmax;
    case Mistake::kBarrier:
      return UsesSharedMemory(spec, design);
    case Mistake::kScaling:
      return spec.op == Op::kSoftmax || spec.op == Op::kRmsNorm || spec.op == Op::kLayerNorm ||
             spec.op == Op::kGelu;
    case Mistake::kEpsilon:
      return spec.op == Op::kRmsNorm || spec.op == Op::kLayerNorm;
    case Mistake::kHalfAccumulate:
      return FamilyOf(spec.op) != Family::kElementwise && !spec.inputs.empty() &&
             (spec.inputs[0].element == Element::kHalf ||
              spec.inputs[0].element == Element::kBFloat16);
    default:
      return true;
  }
}

}  // namespace kw::author
