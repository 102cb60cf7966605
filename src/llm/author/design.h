// design: what a kernel is made of. A piece fills a slot; a mistake is left out or put in.
//
// Names (PieceName, MistakeName) are the keys of data/models/simulated_author.toml.
#pragma once

#include <array>
#include <bitset>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kw::author {

enum class Op {
  kUnknown,
  kSoftmax,
  kRmsNorm,
  kLayerNorm,
  kRowSum,
  kGelu,
  kSiluAndMul,
  kLeakyRelu,
  kMatmul,
};
enum class Family { kRows, kElementwise, kMatmul };
Family FamilyOf(Op op);
std::string_view OpName(Op op);  // "softmax", as tasks spell it
std::string_view FamilyName(Family family);

enum class Slot { kLaunch, kReduce, kBlock, kWidth, kTiling, kPasses, kMath, kUnroll, kRestrict };
inline constexpr int kSlots = 9;

enum class Piece {
  kThreadPerRow,
  kWarpPerRow,
  kBlockPerRow,
  kGridStride,
  kThreadPerElement,  // launch
  kSerial,
  kSharedTree,
  kWarpShuffle,  // reduce
  kBlock64,
  kBlock128,
  kBlock256,
  kBlock512,  // block
  kScalar,
  kVector2,
  kVector4,  // width
  kNaive,
  kTile16,
  kTile32,
  kRegisterTile,  // tiling
  kSeparatePasses,
  kOnline,  // passes
  kPreciseMath,
  kFastMath,  // math
  kRolled,
  kUnrolled,  // unroll
  kPlainPointers,
  kRestrictPointers,  // restrict
};
inline constexpr int kPieces = 27;
Slot SlotOf(Piece piece);
std::string_view PieceName(Piece piece);  // "thread_per_row", ...

enum class Mistake {
  kTailGuard,       // no check that an index is inside
  kDivides,         // sizes assumed to divide by the block, the tile or the vector
  kOffByOne,        // a loop that ends one step early
  kIdentity,        // a maximum that starts above -inf, or idle lanes that count as 0
  kBarrier,         // no __syncthreads between writing and reading shared memory
  kScaling,         // the final division or factor is forgotten
  kEpsilon,         // epsilon outside of the square root
  kHalfAccumulate,  // sums kept in half or bfloat16
  kStream,          // launched on the default stream
  kNoEntry,         // run is missing, misnamed or not extern "C"
  kMissingBrace,
  kUnclosedFence,
};
inline constexpr int kMistakes = 12;
std::string_view MistakeName(Mistake mistake);  // "tail_guard", ...

using MistakeSet = std::bitset<kMistakes>;

struct Design {
  std::array<Piece, kSlots> pieces = {
      Piece::kBlockPerRow, Piece::kSharedTree, Piece::kBlock256,
      Piece::kScalar,      Piece::kNaive,      Piece::kSeparatePasses,
      Piece::kPreciseMath, Piece::kRolled,     Piece::kPlainPointers};
  MistakeSet mistakes;
  int variant = 0;  // which of several spellings of a mistake is written

  Piece at(Slot slot) const { return pieces[static_cast<size_t>(slot)]; }
  bool has(Piece piece) const { return at(SlotOf(piece)) == piece; }
  void Set(Piece piece) { pieces[static_cast<size_t>(SlotOf(piece))] = piece; }
  bool has(Mistake mistake) const { return mistakes[static_cast<size_t>(mistake)]; }
  void Set(Mistake mistake, bool on = true) { mistakes[static_cast<size_t>(mistake)] = on; }
  int block() const;  // threads a block
  int width() const;  // elements a load: 1, 2 or 4
};

// How values are stored.
enum class Element { kFloat, kHalf, kBFloat16, kOther };

struct Parameter {
  enum class Role { kInput, kScalar, kOutput, kAxis, kStream };
  Role role;
  std::string type;  // "const float*", as the prototype spells it
  std::string name;
  Element element = Element::kOther;
};

// What a prompt shows of the operation that it asks for.
struct OpSpec {
  Op op = Op::kUnknown;
  std::string prototype;              // without the final ';'
  std::vector<Parameter> parameters;  // prototype order
  std::vector<Parameter> inputs, outputs;
  std::vector<std::string> axes;                               // names, prototype order
  std::vector<std::string> scalars;                            // names
  std::vector<std::pair<std::string, std::string>> constants;  // axis -> value, from the text
  std::string epsilon = "1e-5f";                               // expressions
  std::string slope = "0.01f";
  std::string rows = "1", cols = "1";  // of the row operations; elements are rows * cols
  std::string m, n, k;                 // of matmul
  bool b_transposed = false;           // B is [n, k]
  bool gelu_tanh = false;
  bool gate_second = false;  // silu_and_mul: the second half or input is the gate

  bool all_of(Element element) const;  // every tensor is of this type
};

// What may fill a slot, given the launch and the slots before it; one option when there is no
// choice.
std::vector<Piece> Options(const OpSpec& spec, const Design& design, Slot slot);
// Sets every slot that holds what Options does not allow to the first that it does.
void Legalise(const OpSpec& spec, Design& design);
// Whether the mistake can be made in this design.
bool Applies(const OpSpec& spec, const Design& design, Mistake mistake);

}  // namespace kw::author
