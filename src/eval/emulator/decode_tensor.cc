// mma, wmma, ldmatrix, stmatrix, mbarrier.
//
// Fragments, for lane = 4 * g + t, with p elements in a register of 32 bits (PTX manual, "Matrix
// Fragments for mma"): A is made of blocks of 16 rows, register r of a block holding row
// g + 8 * (r & 1), columns t * p + 4p * (r >> 1) and on; B of blocks of 8 columns, register r
// holding rows t * p + 4p * r and on of column g; C of 16 x 8 blocks, element e at row
// g + 8 * (e >> 1), column 2t + (e & 1). wmma fragments are these in turn; where wmma has more
// registers than elements (f16), the rest are copies.
#include <algorithm>
#include <charconv>

#include "decoder.h"
#include "fmt/format.h"
#include "tensor_info.h"

namespace kw::eval::emu {
namespace {

struct Shape {
  uint32_t m = 0, n = 0, k = 0;
};

std::optional<Shape> TakeShape(Modifiers& mods) {
  static constexpr std::string_view kShapes[] = {"m16n16k16", "m32n8k16", "m8n32k16", "m16n16k8",
                                                 "m16n8k16",  "m16n8k8",  "m16n8k4",  "m16n8k32",
                                                 "m8n8k16",   "m8n8k4"};
  for (const std::string_view name : kShapes) {
    if (!mods.Take(name)) continue;
    Shape shape;
    const size_t n = name.find('n'), k = name.find('k');
    std::from_chars(name.data() + 1, name.data() + n, shape.m);
    std::from_chars(name.data() + n + 1, name.data() + k, shape.n);
    std::from_chars(name.data() + k + 1, name.data() + name.size(), shape.k);
    return shape;
  }
  return std::nullopt;
}

uint32_t ElementsIn32(Type type) {
  switch (type) {
    case Type::kF16:
    case Type::kBf16:
      return 2;
    case Type::kS8:
    case Type::kU8:
    case Type::kB8:
      return 4;
    default:
      return 1;
  }
}

enum class Role { kA, kB, kC };

uint32_t CellOf(Role role, const Shape& s, uint32_t p, uint32_t e, uint32_t lane) {
  const uint32_t g = lane >> 2, t = lane & 3;
  uint32_t row = 0, column = 0;
  if (role == Role::kC) {
    if (s.m >= 16) {
      const uint32_t block = e / 4, blocks = s.n / 8;
      row = (g + 8 * (e >> 1 & 1) + 16 * (block / blocks)) % s.m;
      column = t * 2 + (e & 1) + 8 * (block % blocks);
    } else {
      row = g;
      column = (t * 2 + (e & 1) + 8 * (e / 2)) % s.n;
    }
    return row * 32 + column;
  }
  const uint32_t r = e / p, j = e % p, halves = std::max(1u, s.k / (4 * p));
  if (role == Role::kA) {
    if (s.m >= 16) {
      const uint32_t in_block = r % (2 * halves);
      row = (g + 8 * (in_block & 1) + 16 * (r / (2 * halves))) % s.m;
      column = t * p + j + 4 * p * (in_block >> 1);
    } else {
      row = g;
      column = t * p + j + 4 * p * (r % halves);
    }
  } else {
    row = t * p + j + 4 * p * (r % halves);
    column = (g + 8 * (r / halves)) % s.n;
  }
  return row * 32 + column;
}

// The table of a fragment with so many registers.
uint32_t AddTable(Program* program, Role role, const Shape& shape, uint32_t p, uint32_t registers) {
  const uint32_t at = static_cast<uint32_t>(program->lists.size());
  for (uint32_t e = 0; e < registers * p; ++e) {
    for (uint32_t lane = 0; lane < kLanes; ++lane) {
      program->lists.push_back(CellOf(role, shape, p, e, lane));
    }
  }
  return at;
}

// Registers that a fragment must have, copies not counted.
uint32_t RegistersOf(Role role, const Shape& s, Type type) {
  const uint32_t elements = role == Role::kA ? s.m * s.k : role == Role::kB ? s.k * s.n : s.m * s.n;
  return std::max(1u, elements / kLanes / ElementsIn32(type));
}

class Info {
 public:
  uint32_t& operator[](TensorField field) { return values_[static_cast<size_t>(field)]; }
  uint32_t Append(Program* program) const {
    const uint32_t at = static_cast<uint32_t>(program->lists.size());
    program->lists.insert(program->lists.end(), std::begin(values_), std::end(values_));
    return at;
  }

 private:
  uint32_t values_[static_cast<size_t>(TensorField::kCount)] = {};
};

}  // namespace

// {mma,wmma.mma}.sync.aligned{.alayout.blayout}.shape{.layouts}{.satfinite}.dtype.atype.btype.ctype
// Old f16 wmma names only dtype and ctype.
bool Decoder::Mma() {
  Modifiers mods(instruction_->parts);
  const bool wmma = instruction_->parts[0] == "wmma";
  if (wmma) mods.Take("mma");
  mods.Take("sync");
  mods.Take("aligned");
  KW_NEED(shape, TakeShape(mods));
  // The layouts are in the fragments already: mma has row.col only.
  const bool a_row = mods.Take("row");
  mods.Take("row");
  mods.Take("col");
  mods.Take("col");
  if (!wmma && !a_row && shape->k != 0) return Unsupported("its layout");
  const bool saturate = mods.Take("satfinite");
  mods.Take("rn");
  const bool e4m3_a =
      !wmma && std::count(instruction_->parts.begin(), instruction_->parts.end(), "e4m3") > 0;
  const bool e5m2 = std::count(instruction_->parts.begin(), instruction_->parts.end(), "e5m2") > 0;
  Type types[4] = {};  // d a b c
  if (e4m3_a || e5m2) {
    types[0] = mods.TakeType();
    for (int i = 1; i < 3; ++i) {
      const std::string_view name = mods.TakeAny();
      if (name != "e4m3" && name != "e5m2") return Unsupported(name);
      types[i] = name == "e4m3" ? Type::kB8 : Type::kU8;
    }
    types[3] = mods.TakeType();
  } else {
    for (Type& type : types) type = mods.TakeType();
    if (types[2] == Type::kNone) {
      types[3] = types[1];
      types[1] = types[2] = Type::kF16;
    }
  }
  if (!mods.Left().empty()) return Unsupported(mods.Left());
  const auto is = [&](int i, std::initializer_list<Type> set) {
    return std::find(set.begin(), set.end(), types[i]) != set.end();
  };
  if (!Count(4, 4)) return false;
  const bool doubles = types[0] == Type::kF64;
  const bool integers = types[0] == Type::kS32;
  if (doubles) {
    if (shape->m != 8 || !is(1, {Type::kF64})) return Unsupported("its shape");
  } else if (integers) {
    if (!is(1, {Type::kS8, Type::kU8}) || !is(2, {Type::kS8, Type::kU8}) || types[3] != types[0]) {
      return Unsupported("its types");
    }
  } else if (!is(0, {Type::kF32, Type::kF16}) || !is(3, {Type::kF32, Type::kF16}) ||
             !is(1, {Type::kF16, Type::kBf16, Type::kTf32, Type::kB8, Type::kU8}) ||
             (shape->m == 8 && shape->n == 8)) {
    return Unsupported("its types");
  }
  Info info;
  info[TensorField::kM] = shape->m;
  info[TensorField::kN] = shape->n;
  info[TensorField::kK] = shape->k;
  info[TensorField::kTypeD] = static_cast<uint32_t>(types[0]);
  info[TensorField::kTypeA] = static_cast<uint32_t>(types[1]);
  info[TensorField::kTypeB] = static_cast<uint32_t>(types[2]);
  info[TensorField::kTypeC] = static_cast<uint32_t>(types[3]);
  info[TensorField::kSaturate] = saturate ? 1 : 0;
  static constexpr TensorField kCounts[] = {TensorField::kD, TensorField::kA, TensorField::kB,
                                            TensorField::kC};
  static constexpr Role kRoles[] = {Role::kC, Role::kA, Role::kB, Role::kC};
  std::vector<Arg> args;
  for (size_t i = 0; i < 4; ++i) {
    std::vector<Operand> alone;
    if (At(i).kind != Operand::Kind::kList) alone.push_back(At(i));
    const std::vector<Operand>& items = alone.empty() ? At(i).list : alone;
    const uint32_t need = RegistersOf(kRoles[i], *shape, types[i]);
    // Only operands of wmma come with copies.
    const bool copies = wmma && kRoles[i] != Role::kC && items.size() % need == 0;
    if (items.size() != need && (!copies || items.empty() || items.size() > 16)) {
      return Unsupported("its number of registers");
    }
    info[kCounts[i]] = static_cast<uint32_t>(items.size());
    for (const Operand& item : items) {
      const int bytes = doubles ? 8 : 4;
      if (i == 0) {
        if (RegisterBytes(item) != bytes) return Unsupported("a register of another width");
        args.push_back(Arg{item.reg});
      } else {
        KW_NEED(value, ValueOfBytes(item, bytes, true));
        args.push_back(*value);
      }
    }
  }
  if (info[TensorField::kC] != info[TensorField::kD] && types[0] == types[3]) {
    return Unsupported("its number of registers");
  }
  const auto table = [&](Role role, int type, TensorField count) {
    return AddTable(program_, role, *shape, ElementsIn32(types[type]), info[count]);
  };
  info[TensorField::kTableA] = table(Role::kA, 1, TensorField::kA);
  info[TensorField::kTableB] = table(Role::kB, 2, TensorField::kB);
  // Elements of C and D are in one order whatever their type.
  info[TensorField::kTableC] =
      AddTable(program_, Role::kC, *shape, 1, shape->m * shape->n / kLanes);
  Micro* micro = EmitKey(Code::kMma, doubles ? Type::kF64 : integers ? Type::kS32 : Type::kF32, 0);
  if (micro == nullptr) return false;
  micro->op.kind = OpKind::kCollective;
  micro->op.imm = info.Append(program_);
  micro->work = Work::kTensor;
  // The unit of tensor work is one m16n8k16.
  micro->amount = std::max(1u, shape->m * shape->n * shape->k / 2048);
  for (uint32_t i = 0; i < args.size(); ++i) {
    if (i < info[TensorField::kD])
      Def(*micro, args[i], Place::kList);
    else
      Use(*micro, args[i], Place::kList);
  }
  Use(*micro, Arg{Constant(kAllLanes, 4)}, Place::kC);
  return true;
}

// wmma.load.{a,b,c}.sync.aligned.layout.shape{.space}.type r, [p]{, stride}
// wmma.store.d.sync.aligned.layout.shape{.space}.type [p], r{, stride}
bool Decoder::Wmma() {
  Modifiers mods(instruction_->parts);
  const bool load = mods.Take("load"), store = mods.Take("store");
  if (!load && !store) return Mma();
  const bool a = mods.Take("a"), b = mods.Take("b");
  if (!a && !b && !mods.Take(load ? "c" : "d")) return Unsupported("its operand");
  mods.Take("sync");
  mods.Take("aligned");
  const bool by_column = mods.Take("col");
  mods.Take("row");
  KW_NEED(shape, TakeShape(mods));
  const Space space = *TakeSpace(mods);
  const Type type = mods.TakeType();
  if (!mods.Left().empty()) return Unsupported(mods.Left());
  if (!Count(2, 3)) return false;
  const Operand& registers = load ? At(0) : At(1);
  const Operand& pointer = load ? At(1) : At(0);
  const Role role = a ? Role::kA : b ? Role::kB : Role::kC;
  const uint32_t need = RegistersOf(role, *shape, type);
  std::vector<Operand> alone;
  if (registers.kind != Operand::Kind::kList) alone.push_back(registers);
  const std::vector<Operand>& items = alone.empty() ? registers.list : alone;
  if (items.size() < need || items.size() % need != 0 || items.size() > 16) {
    return Unsupported("its number of registers");
  }
  if (space == Space::kLocal || space == Space::kParam) return Unsupported("its space");
  Info info;
  info[TensorField::kM] = role == Role::kB ? shape->k : shape->m;
  info[TensorField::kN] = role == Role::kA ? shape->k : shape->n;
  info[TensorField::kTypeA] = static_cast<uint32_t>(type);
  info[TensorField::kD] = static_cast<uint32_t>(items.size());
  KW_NEED(address, AddressOf(pointer, space == Space::kShared ? Space::kShared : Space::kGlobal));
  Arg base = address->base;
  if (space == Space::kShared) {
    const Arg wide{NewRegister(8)};
    if (EmitExtend(wide, 8, base, 4, 32, false, 64, false) == nullptr) return false;
    base = wide;
  }
  const uint32_t line = by_column ? info[TensorField::kM] : info[TensorField::kN];
  Arg stride{Constant(line, 4)};
  if (instruction_->operands.size() == 3) {
    KW_NEED(given, Value(At(2), Type::kU32));
    stride = *given;
  }
  if (address->offset < 0 || address->offset > INT32_MAX) return Unsupported("its address");
  info[TensorField::kOffset] = static_cast<uint32_t>(address->offset);
  info[TensorField::kTableA] =
      AddTable(program_, role, *shape, ElementsIn32(type), info[TensorField::kD]);
  std::vector<Arg> args;
  const int bytes = type == Type::kF64 ? 8 : 4;
  for (const Operand& item : items) {
    if (RegisterBytes(item) != bytes) return Unsupported("a register of another width");
    args.push_back(Arg{item.reg});
  }
  Micro* micro = EmitKey(load ? Code::kWmmaLoad : Code::kWmmaStore, Type::kNone, 0);
  if (micro == nullptr) return false;
  micro->op.kind = OpKind::kCollective;
  micro->op.imm = info.Append(program_);
  micro->op.extra = (space == Space::kShared   ? 1u
                     : space == Space::kGlobal ? 2u
                                               : 0u) |
                    (by_column ? 4u : 0u);
  for (const Arg& arg : args) {
    if (load)
      Def(*micro, arg, Place::kList);
    else
      Use(*micro, arg, Place::kList);
  }
  Use(*micro, base, Place::kA);
  Use(*micro, stride, Place::kB);
  Use(*micro, Arg{Constant(kAllLanes, 4)}, Place::kC);
  NoteStoreWidth(space, ptx::Bytes(type));
  return true;
}

// ldmatrix.sync.aligned.m8n8.xN{.trans}.shared.b16 r, [p]; stmatrix with the operands swapped
bool Decoder::LoadMatrix() {
  Modifiers mods(instruction_->parts);
  const bool store = instruction_->parts[0] == "stmatrix";
  mods.Take("sync");
  mods.Take("aligned");
  if (!mods.Take("m8n8")) return Unsupported("its shape");
  const uint32_t count = mods.Take("x4") ? 4 : mods.Take("x2") ? 2 : mods.Take("x1") ? 1 : 0;
  const bool transposed = mods.Take("trans");
  const Space space = *TakeSpace(mods);
  if (count == 0 || mods.TakeType() != Type::kB16 || !mods.Left().empty() || !Count(2, 2)) {
    return Unsupported("its modifiers");
  }
  if (space != Space::kShared && space != Space::kGeneric) return Unsupported("its space");
  const Operand& registers = store ? At(1) : At(0);
  std::vector<Operand> alone;
  if (registers.kind != Operand::Kind::kList) alone.push_back(registers);
  const std::vector<Operand>& items = alone.empty() ? registers.list : alone;
  if (items.size() != count) return Unsupported("its number of registers");
  // A generic address of shared memory loses its window in 32 bits.
  KW_NEED(address, AddressOf(store ? At(0) : At(1), Space::kShared));
  Micro* micro = EmitKey(store ? Code::kStoreMatrix : Code::kLoadMatrix, Type::kB16, 0);
  if (micro == nullptr) return false;
  micro->op.kind = OpKind::kCollective;
  micro->op.imm = static_cast<uint64_t>(address->offset) & 0xffffffffu;
  micro->op.extra = count | (transposed ? 0x100u : 0u);
  for (const Operand& item : items) {
    if (RegisterBytes(item) != 4) return Unsupported("a register of another width");
    if (store)
      Use(*micro, Arg{item.reg}, Place::kList);
    else
      Def(*micro, Arg{item.reg}, Place::kList);
  }
  Use(*micro, address->base, Place::kA);
  Use(*micro, Arg{Constant(kAllLanes, 4)}, Place::kC);
  program_->narrowest_shared = std::min(program_->narrowest_shared, uint32_t{2});
  return true;
}

// mbarrier.{init,inval,arrive,arrive_drop,test_wait,try_wait}{.parity}{...}.shared.b64
bool Decoder::MbarrierOp() {
  Modifiers mods(instruction_->parts);
  const std::string_view what = mods.TakeAny();
  for (const std::string_view word :
       {"release", "acquire", "relaxed", "cta", "cluster", "noComplete"}) {
    mods.Take(word);
  }
  const bool parity = mods.Take("parity");
  const Space space = *TakeSpace(mods);
  mods.TakeType();
  if (!mods.Left().empty()) return Unsupported(mods.Left());
  if (space != Space::kShared && space != Space::kGeneric) return Unsupported("its space");
  enum Kind : uint32_t { kInit, kArrive, kWaitToken, kWaitParity, kInvalidate, kDrop };
  Kind kind;
  size_t pointer = 0;
  if (what == "init") {
    kind = kInit;
  } else if (what == "inval") {
    kind = kInvalidate;
  } else if (what == "arrive" || what == "arrive_drop") {
    kind = what == "arrive" ? kArrive : kDrop;
    pointer = 1;
  } else if (what == "test_wait" || what == "try_wait") {
    kind = parity ? kWaitParity : kWaitToken;
    pointer = 1;
  } else {
    return Unsupported(what);
  }
  if (!Count(pointer + 1, pointer + 3)) return false;
  KW_NEED(address, AddressOf(At(pointer), Space::kShared));
  Arg b{Constant(1, 4)};
  if (kind == kInit || instruction_->operands.size() > pointer + 1) {
    if (!Count(pointer + 2, pointer + 3)) return false;
    KW_NEED(value, Value(At(pointer + 1), kind == kWaitToken ? Type::kB64 : Type::kU32));
    b = *value;
  }
  Micro* micro = EmitKey(Code::kMbarrier, Type::kB64, 0);
  if (micro == nullptr) return false;
  micro->op.extra = kind;
  micro->op.imm = static_cast<uint64_t>(address->offset) & 0xffffffffu;
  micro->op.d = kNoPredicate;
  Use(*micro, address->base, Place::kA);
  Use(*micro, b, Place::kB);
  if (kind == kWaitToken || kind == kWaitParity) {
    KW_NEED(p, PredicateResult(At(0)));
    Def(draft_->micros.back(), *p, Place::kPredicateD);
  } else if (pointer == 1 && At(0).kind != Operand::Kind::kSink) {
    KW_NEED(d, Target(At(0), Type::kB64));
    Def(draft_->micros.back(), *d, Place::kD);
  }
  return true;
}

}  // namespace kw::eval::emu
