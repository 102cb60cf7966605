// mov, ld, st, atomics, address arithmetic.
#include <algorithm>

#include "decoder.h"
#include "fmt/format.h"

namespace kw::eval::emu {
namespace {

bool TakeScope(Modifiers& mods) {
  return mods.Take("cta") || mods.Take("cluster") || mods.Take("gpu") || mods.Take("sys");
}

// Order of an access. `ordered`: other threads may wait for it.
struct AccessOrder {
  bool ordered = false, acquires = false, releases = false;
};
AccessOrder TakeOrder(Modifiers& mods) {
  AccessOrder order;
  const bool both = mods.Take("acq_rel");
  order.acquires = mods.Take("acquire") || both;
  order.releases = mods.Take("release") || both;
  order.ordered = order.acquires || order.releases;
  for (const std::string_view name : {"volatile", "relaxed", "mmio"}) {
    order.ordered |= mods.Take(name);
  }
  mods.Take("weak");
  TakeScope(mods);
  return order;
}

}  // namespace

std::optional<Decoder::Space> Decoder::TakeSpace(Modifiers& mods) {
  if (mods.Take("global")) return Space::kGlobal;
  if (mods.Take("const")) return Space::kGlobal;
  if (mods.Take("shared") || mods.Take("shared::cta")) return Space::kShared;
  if (mods.Take("local")) return Space::kLocal;
  if (mods.Take("param") || mods.Take("param::entry") || mods.Take("param::func")) {
    return Space::kParam;
  }
  return Space::kGeneric;
}

const ptx::Variable* Decoder::FindVariable(std::string_view name) const {
  for (int32_t scope = instruction_->scope; scope >= 0; scope = function_->scope_parent[scope]) {
    const auto found = variables_.find({scope, name});
    if (found != variables_.end()) return found->second;
  }
  return nullptr;
}

// Shared addresses are 32 bits wide, all others 64.
std::optional<Decoder::Address> Decoder::AddressOf(const Operand& operand, Space space) {
  if (operand.kind != Operand::Kind::kAddress) {
    Unsupported("its address");
    return std::nullopt;
  }
  const int want = space == Space::kShared ? 4 : 8;
  Address address;
  address.offset = operand.value;
  if (operand.list.empty()) {
    address.base = Arg{Constant(static_cast<uint64_t>(operand.value), want)};
    address.offset = 0;
    return address;
  }
  const Operand& base = operand.list[0];
  if (base.kind == Operand::Kind::kSymbol) {
    Operand symbol = base;
    symbol.value = 0;
    const auto value = SymbolAddress(symbol, want);
    if (!value) return std::nullopt;
    address.base = *value;
    return address;
  }
  const int bytes = RegisterBytes(base);
  if (bytes != 4 && bytes != 8) {
    Unsupported("an address in a narrow register");
    return std::nullopt;
  }
  address.base = Arg{base.reg};
  if (bytes != want) {
    const Arg converted{NewRegister(want)};
    if (EmitExtend(converted, want, address.base, bytes, std::min(bytes, want) * 8, false, want * 8,
                   false) == nullptr) {
      return std::nullopt;
    }
    address.base = converted;
  }
  return address;
}

// ---- mov ----

bool Decoder::MovePack(const Operand& to, const Operand& from, Type type) {
  const int bytes = ptx::Bytes(type);
  if (from.kind == Operand::Kind::kList) {
    const int parts = static_cast<int>(from.list.size());
    if (parts == 0 || bytes % parts != 0) return Unsupported("its parts");
    const int part = bytes / parts;
    Micro micro_refs;
    KW_NEED(d, Target(to, type));
    std::vector<Arg> values;
    for (const Operand& item : from.list) {
      KW_NEED(value, ValueOfBytes(item, part, false));
      values.push_back(*value);
    }
    Micro* micro = EmitKey(Code::kPack, OfBytes(bytes), static_cast<uint32_t>(part));
    if (micro == nullptr) return false;
    Def(*micro, *d, Place::kD);
    Def(*micro, *d, Place::kList);
    for (const Arg& value : values) Use(*micro, value, Place::kList);
    return true;
  }
  const int parts = static_cast<int>(to.list.size());
  if (parts == 0 || bytes % parts != 0) return Unsupported("its parts");
  const int part = bytes / parts;
  KW_NEED(a, Value(from, type));
  // The parts go through registers of their own: one of them may be the source.
  std::vector<std::pair<Arg, Arg>> moves;
  for (int i = 0; i < parts; ++i) {
    const Operand& item = to.list[static_cast<size_t>(i)];
    if (item.kind == Operand::Kind::kSink) continue;
    if (RegisterBytes(item) != part) return Unsupported("a part of another width");
    Micro* micro = EmitKey(Code::kUnpack, OfBytes(bytes), static_cast<uint32_t>(part));
    if (micro == nullptr) return false;
    micro->op.imm = static_cast<uint64_t>(i);
    Def(*micro, Arg{item.reg}, Place::kD);
    Use(*micro, *a, Place::kA);
  }
  return true;
}

bool Decoder::Move() {
  Modifiers mods(instruction_->parts);
  const Type type = mods.TakeType();
  if (!mods.Left().empty()) return Unsupported(mods.Left());
  if (!Count(2, 2)) return false;
  if (type == Type::kPred) return PredicateLogic("mov");
  if (At(0).kind == Operand::Kind::kList || At(1).kind == Operand::Kind::kList) {
    return MovePack(At(0), At(1), type);
  }
  KW_NEED(d, Target(At(0), type));
  KW_NEED(a, Value(At(1), type));
  return Emit1(Code::kMov, OfBytes(ptx::Bytes(type)), 0, *d, *a);
}

// ---- ld and st ----

// Other blocks may see the accesses of an instruction happen.
void Decoder::NoteSignal(Space space) {
  program_->blocks_signal |= space == Space::kGlobal || space == Space::kGeneric;
}

// Shadows have units as small as the narrowest access.
void Decoder::NoteStoreWidth(Space space, int bytes) {
  const uint32_t width = static_cast<uint32_t>(bytes);
  const bool shared = space == Space::kShared, device = space == Space::kGlobal;
  if (shared || space == Space::kGeneric) {
    program_->narrowest_shared = std::min(program_->narrowest_shared, width);
  }
  if (device || space == Space::kGeneric) {
    program_->narrowest_store = std::min(program_->narrowest_store, width);
  }
}

bool Decoder::LoadParameter(Type type, int count) {
  const Operand& operand = At(1);
  const int bytes = ptx::Bytes(type);
  const auto parameter = operand.list.empty() || operand.list[0].kind != Operand::Kind::kSymbol
                             ? parameters_.end()
                             : parameters_.find(operand.list[0].name);
  if (parameter == parameters_.end()) return Unsupported("its parameter");
  for (int k = 0; k < count; ++k) {
    const Operand& to = count == 1 ? At(0) : At(0).list[static_cast<size_t>(k)];
    const int64_t at = static_cast<int64_t>(parameter->second) + operand.value + k * bytes;
    if (at < 0 || at + bytes > program_->parameter_bytes) return Unsupported("its offset");
    if (to.kind == Operand::Kind::kSink) continue;
    const int width = RegisterBytes(to);
    const int raw = std::max(2, bytes);
    if (width < raw) return Unsupported("a result register that is too narrow");
    Micro* micro = EmitKey(Code::kLoadParam, Type::kNone, static_cast<uint32_t>(bytes));
    if (micro == nullptr) return false;
    micro->op.imm = static_cast<uint64_t>(at);
    const bool direct = width == raw && !(bytes == 1 && ptx::IsSigned(type));
    const Arg loaded{direct ? to.reg : NewRegister(raw)};
    Def(*micro, loaded, Place::kD);
    if (!direct && EmitExtend(Arg{to.reg}, width, loaded, raw, bytes * 8, ptx::IsSigned(type),
                              width * 8, false) == nullptr) {
      return false;
    }
  }
  return true;
}

bool Decoder::Load() {
  Modifiers mods(instruction_->parts);
  mods.TakeCacheHints();
  const AccessOrder order = TakeOrder(mods);
  const bool param = std::find(instruction_->parts.begin(), instruction_->parts.end(), "param") !=
                     instruction_->parts.end();
  Space space = *TakeSpace(mods);
  const int count = mods.Take("v2") ? 2 : mods.Take("v4") ? 4 : 1;
  const Type type = mods.TakeType();
  if (!mods.Left().empty()) return Unsupported(mods.Left());
  if (!Count(2, 2)) return Unsupported("its operands");
  const int bytes = ptx::Bytes(type);
  if (bytes == 0 || bytes > 8 || bytes * count > 16) return Unsupported("its type");
  if (count > 1 &&
      (At(0).kind != Operand::Kind::kList || At(0).list.size() != static_cast<size_t>(count))) {
    return Unsupported("its vector");
  }
  if (space == Space::kParam) {
    const bool symbol = !At(1).list.empty() && At(1).list[0].kind == Operand::Kind::kSymbol;
    const bool frame = symbol && FindVariable(At(1).list[0].name) != nullptr;
    if (function_->is_entry && !frame) {
      if (symbol) return LoadParameter(type, count);
      // An address made by mov: an offset into the parameter block.
      if (At(1).list.empty()) return Unsupported("its address");
      Operand plain = At(1).list[0];
      KW_NEED(offset, ValueOfBytes(plain, 8, false));
      const Arg generic{NewRegister(8)};
      if (!Emit2(Code::kAdd, Type::kU64, 0, generic, *offset, Arg{Constant(kParamWindow, 8)})) {
        return false;
      }
      space = Space::kGeneric;
    } else {
      space = Space::kLocal;
    }
  }
  std::optional<Address> address;
  if (param && space == Space::kGeneric) {
    address = Address{Arg{draft_->micros.back().refs[0].reg}, At(1).value};
  } else {
    address = AddressOf(At(1), space);
  }
  if (!address) return false;
  const int raw = std::max(2, bytes);
  std::vector<Arg> loaded;
  std::vector<std::pair<Arg, int>> extend;  // target, its bytes; parallel to `loaded`
  for (int k = 0; k < count; ++k) {
    const Operand& to = count == 1 ? At(0) : At(0).list[static_cast<size_t>(k)];
    if (to.kind == Operand::Kind::kSink) {
      loaded.push_back(Arg{NewRegister(raw)});
      extend.emplace_back(Arg{}, 0);
      continue;
    }
    const int width = RegisterBytes(to);
    if (width < raw) return Unsupported("a result register that is too narrow");
    const bool direct = width == raw && !(bytes == 1 && ptx::IsSigned(type));
    loaded.push_back(Arg{direct ? to.reg : NewRegister(raw)});
    extend.emplace_back(Arg{to.reg}, direct ? 0 : width);
  }
  static constexpr Code kCodes[] = {Code::kLoadGlobal, Code::kLoadShared, Code::kLoadLocal,
                                    Code::kNothing, Code::kLoadGeneric};
  Micro* micro = EmitKey(kCodes[static_cast<int>(space)], Type::kNone,
                         static_cast<uint32_t>(bytes * 16 + count));
  if (micro == nullptr) return false;
  micro->op.imm = static_cast<uint64_t>(address->offset);
  micro->op.site = program_->site_count++;
  micro->op.extra = order.ordered ? 3 : 0;
  if (order.ordered) NoteSignal(space);
  if (space == Space::kShared) micro->shared_bytes = bytes * count;
  if (count == 1 && OnlyChosen(At(0))) micro->op.extra |= kMovedEarly;
  for (const Arg& arg : loaded) Def(*micro, arg, count == 1 ? Place::kD : Place::kList);
  Use(*micro, address->base, Place::kA);
  if (space == Space::kShared || space == Space::kGeneric) {
    program_->narrowest_shared = std::min(program_->narrowest_shared, static_cast<uint32_t>(bytes));
  }
  for (int k = 0; k < count; ++k) {
    const auto& [to, width] = extend[static_cast<size_t>(k)];
    if (width != 0 && EmitExtend(to, width, loaded[static_cast<size_t>(k)], raw, bytes * 8,
                                 ptx::IsSigned(type), width * 8, false) == nullptr) {
      return false;
    }
  }
  return !order.acquires || Fence();
}

bool Decoder::Store() {
  Modifiers mods(instruction_->parts);
  mods.TakeCacheHints();
  const AccessOrder order = TakeOrder(mods);
  Space space = *TakeSpace(mods);
  const int count = mods.Take("v2") ? 2 : mods.Take("v4") ? 4 : 1;
  const Type type = mods.TakeType();
  if (!mods.Left().empty()) return Unsupported(mods.Left());
  if (!Count(2, 2)) return false;
  const int bytes = ptx::Bytes(type);
  if (bytes == 0 || bytes > 8 || bytes * count > 16) return Unsupported("its type");
  if (count > 1 &&
      (At(1).kind != Operand::Kind::kList || At(1).list.size() != static_cast<size_t>(count))) {
    return Unsupported("its vector");
  }
  if (space == Space::kParam) space = Space::kLocal;
  KW_NEED(address, AddressOf(At(0), space));
  const int raw = std::max(2, bytes);
  std::vector<Arg> values;
  for (int k = 0; k < count; ++k) {
    const Operand& from = count == 1 ? At(1) : At(1).list[static_cast<size_t>(k)];
    if (from.kind == Operand::Kind::kRegister && RegisterBytes(from) != raw) {
      const int width = RegisterBytes(from);
      if (width < raw) return Unsupported("a register that is too narrow");
      const Arg cut{NewRegister(raw)};
      if (EmitExtend(cut, raw, Arg{from.reg}, width, raw * 8, false, raw * 8, false) == nullptr) {
        return false;
      }
      values.push_back(cut);
      continue;
    }
    KW_NEED(value, ValueOfBytes(from, raw, ptx::IsFloat(type)));
    values.push_back(*value);
  }
  static constexpr Code kCodes[] = {Code::kStoreGlobal, Code::kStoreShared, Code::kStoreLocal,
                                    Code::kNothing, Code::kStoreGeneric};
  if (order.releases && !Fence()) return false;
  Micro* micro = EmitKey(kCodes[static_cast<int>(space)], Type::kNone,
                         static_cast<uint32_t>(bytes * 16 + count));
  if (micro == nullptr) return false;
  micro->op.imm = static_cast<uint64_t>(address->offset);
  micro->op.site = program_->site_count++;
  micro->op.extra = order.ordered ? 3 : 0;
  if (order.ordered) NoteSignal(space);
  if (space == Space::kShared) micro->shared_bytes = bytes * count;
  Use(*micro, address->base, Place::kA);
  if (count == 1) {
    Use(*micro, values[0], Place::kB);
  } else {
    Use(*micro, address->base, Place::kList);
    for (const Arg& value : values) Use(*micro, value, Place::kList);
  }
  NoteStoreWidth(space, bytes);
  return true;
}

// ---- addresses ----

bool Decoder::Cvta() {
  Modifiers mods(instruction_->parts);
  const bool to = mods.Take("to");
  const Space space = *TakeSpace(mods);
  const Type type = mods.TakeType();
  if (!mods.Left().empty()) return Unsupported(mods.Left());
  if (!Count(2, 2) || type != Type::kU64) return Unsupported("its type");
  KW_NEED(d, Target(At(0), type));
  KW_NEED(a, Value(At(1), type));
  uint64_t window = 0;
  if (space == Space::kShared) window = kSharedWindow;
  if (space == Space::kLocal) window = kLocalWindow;
  if (space == Space::kParam) window = kParamWindow;
  if (window == 0) return Emit1(Code::kMov, Type::kU64, 0, *d, *a);
  return Emit2(to ? Code::kSub : Code::kAdd, Type::kU64, 0, *d, *a, Arg{Constant(window, 8)});
}

bool Decoder::IsSpacep() {
  Modifiers mods(instruction_->parts);
  const bool is_const = mods.Take("const");
  const Space space = *TakeSpace(mods);
  if (!mods.Left().empty() || is_const) return Unsupported("its space");
  if (!Count(2, 2)) return false;
  KW_NEED(p, PredicateResult(At(0)));
  KW_NEED(a, Value(At(1), Type::kU64));
  Micro* micro = EmitKey(Code::kIsSpace, Type::kPred, 0);
  Def(*micro, *p, Place::kPredicateD);
  Use(*micro, *a, Place::kA);
  micro->op.imm = space == Space::kShared  ? kSharedWindow
                  : space == Space::kLocal ? kLocalWindow
                  : space == Space::kParam ? kParamWindow
                                           : 0;
  return true;
}

// ---- atomics ----

// atom{.order}{.scope}{.space}.op{.noftz}.type d, [a], b{, c}; red without d
bool Decoder::AtomicOrReduce() {
  Modifiers mods(instruction_->parts);
  const bool reads = instruction_->parts[0] == "atom";
  mods.TakeCacheHints();
  const AccessOrder order = TakeOrder(mods);
  mods.Take("noftz");
  const Space space = *TakeSpace(mods);
  static const std::pair<std::string_view, AtomicOp> kOps[] = {
      {"and", AtomicOp::kAnd},   {"or", AtomicOp::kOr},   {"xor", AtomicOp::kXor},
      {"exch", AtomicOp::kExch}, {"add", AtomicOp::kAdd}, {"inc", AtomicOp::kInc},
      {"dec", AtomicOp::kDec},   {"min", AtomicOp::kMin}, {"max", AtomicOp::kMax},
      {"cas", AtomicOp::kCas}};
  std::optional<AtomicOp> what;
  for (const auto& [name, op] : kOps) {
    if (!what && mods.Take(name)) what = op;
  }
  const size_t count = mods.Take("v2") ? 2 : mods.Take("v4") ? 4 : mods.Take("v8") ? 8 : 1;
  const Type type = mods.TakeType();
  if (!what || !mods.Left().empty()) return Unsupported(mods.Left());
  const int bytes = ptx::Bytes(type);
  if (bytes != 2 && bytes != 4 && bytes != 8) return Unsupported("its type");
  const bool real = ptx::IsFloat(type) || type == Type::kF16x2 || type == Type::kBf16x2;
  if (real && *what != AtomicOp::kAdd && *what != AtomicOp::kMin && *what != AtomicOp::kMax &&
      *what != AtomicOp::kExch) {
    return Unsupported("its type");
  }
  const size_t first = reads ? 1 : 0;
  const size_t operands = first + (*what == AtomicOp::kCas ? 3 : 2);
  if (!Count(operands, operands)) return false;
  const Space at = space == Space::kShared ? Space::kGeneric : space;
  if (space == Space::kLocal || space == Space::kParam) return Unsupported("its space");
  // A 32-bit shared address is widened: lanes are taken one by one anyway.
  Address address;
  if (space == Space::kShared) {
    KW_NEED(narrow, AddressOf(At(first), Space::kShared));
    address = *narrow;
    const Arg wide{NewRegister(8)};
    if (EmitExtend(wide, 8, address.base, 4, 32, false, 64, false) == nullptr) return false;
    address.base = wide;
  } else {
    KW_NEED(wide, AddressOf(At(first), at));
    address = *wide;
  }
  const uint32_t where = space == Space::kGlobal ? 0 : space == Space::kShared ? 1 : 2;
  const bool looks = *what != AtomicOp::kExch;
  if (order.releases && !Fence()) return false;
  // Vectors are atomic by elements.
  const auto element = [&](const Operand& from, size_t k, const Arg* d) {
    KW_NEED(b, Value(from, type));
    Arg c = *b;
    if (*what == AtomicOp::kCas) {
      KW_NEED(third, Value(At(first + 2), type));
      c = *third;
    }
    Micro* micro = EmitKey(Code::kAtomic, OfBytes(bytes), 0);
    if (micro == nullptr) return false;
    micro->op.extra = static_cast<uint32_t>(*what) | static_cast<uint32_t>(type) << 8 |
                      where << 16 | (looks ? 1u << 24 : 0);
    micro->op.imm = static_cast<uint64_t>(address.offset) + k * static_cast<size_t>(bytes);
    micro->op.d = kNoPredicate;
    micro->op.site = program_->site_count++;
    Use(*micro, address.base, Place::kA);
    Use(*micro, *b, Place::kB);
    Use(*micro, c, Place::kC);
    if (d != nullptr) Def(*micro, *d, Place::kD);
    return true;
  };
  NoteStoreWidth(space, bytes);
  NoteSignal(space);
  if (count == 1) {
    std::optional<Arg> d;
    if (reads && !(d = Target(At(0), type))) return false;
    return element(At(first + 1), 0, d ? &*d : nullptr) && (!order.acquires || Fence());
  }
  const std::vector<Operand>& values = At(first + 1).list;
  if (values.size() != count || *what == AtomicOp::kCas || (reads && At(0).list.size() != count)) {
    return Unsupported("its vector");
  }
  // A result may stand among the values: it is written when all have been read.
  std::vector<Arg> results;
  for (size_t k = 0; k < count; ++k) {
    if (reads) results.push_back(Arg{NewRegister(bytes)});
    if (!element(values[k], k, reads ? &results[k] : nullptr)) return false;
  }
  for (size_t k = 0; k < results.size(); ++k) {
    KW_NEED(d, Target(At(0).list[k], type));
    if (!Emit1(Code::kMov, OfBytes(bytes), 0, *d, results[k])) return false;
  }
  return !order.acquires || Fence();
}

bool Decoder::WaitForCopies(uint64_t under_way) {
  Micro* micro = EmitKey(Code::kCopyAsync, Type::kB16, 0);
  if (micro == nullptr) return false;
  micro->op.imm = under_way;
  return true;
}

// cp.async.{ca,cg}.shared.global [dst], [src], bytes{, kept}; commit_group, wait_group, wait_all
bool Decoder::CopyAsyncOp() {
  Modifiers mods(instruction_->parts);
  if (!mods.Take("async")) return Unsupported("its kind");
  if (mods.Take("commit_group")) {
    if (!mods.Left().empty()) return Unsupported(mods.Left());
    return EmitKey(Code::kCopyAsync, Type::kB8, 0) != nullptr;
  }
  if (mods.Take("wait_all")) {
    if (!mods.Left().empty()) return Unsupported(mods.Left());
    return WaitForCopies(kAllCopies);
  }
  if (mods.Take("wait_group")) {
    if (!mods.Left().empty()) return Unsupported(mods.Left());
    if (!Count(1, 1) || At(0).kind != Operand::Kind::kInteger || At(0).value < 0) {
      return Unsupported("its count");
    }
    return WaitForCopies(static_cast<uint64_t>(At(0).value));
  }
  if (mods.Take("mbarrier")) {
    // The arrival comes when the copies are done, which is now: with noinc it is one like any
    // other, else it adds one first.
    const bool arrives = mods.Take("noinc");
    if (!WaitForCopies(kAllCopies)) return false;
    if (!arrives) return Fence();
    KW_NEED(barrier, AddressOf(At(0), Space::kShared));
    Micro* micro = EmitKey(Code::kMbarrier, Type::kB64, 0);
    micro->op.extra = 1;
    micro->op.imm = static_cast<uint64_t>(barrier->offset);
    micro->op.d = kNoPredicate;
    Use(*micro, barrier->base, Place::kA);
    Use(*micro, Arg{Constant(1, 4)}, Place::kB);
    return true;
  }
  mods.TakeCacheHints();
  if (!(mods.Take("shared") || mods.Take("shared::cta")) || !mods.Take("global") ||
      !mods.Left().empty()) {
    return Unsupported("its kind");
  }
  if (!Count(3, 4) || At(2).kind != Operand::Kind::kInteger) return Unsupported("its size");
  const int64_t bytes = At(2).value;
  if (bytes != 4 && bytes != 8 && bytes != 16) return Unsupported("its size");
  KW_NEED(to, AddressOf(At(0), Space::kShared));
  KW_NEED(from, AddressOf(At(1), Space::kGlobal));
  Arg kept{Constant(static_cast<uint64_t>(bytes), 4)};
  if (instruction_->operands.size() == 4) {
    if (At(3).kind == Operand::Kind::kRegister && RegisterBytes(At(3)) == 0) {
      return Unsupported("a predicate in place of a size");
    }
    KW_NEED(size, Value(At(3), Type::kU32));
    kept = *size;
  }
  Micro* micro = EmitKey(Code::kCopyAsync, Type::kNone, 0);
  if (micro == nullptr) return false;
  micro->op.imm =
      static_cast<uint64_t>(from->offset) << 32 | (static_cast<uint64_t>(to->offset) & 0xffffffffu);
  micro->op.extra = static_cast<uint32_t>(bytes);
  micro->op.site = program_->site_count++;
  Use(*micro, to->base, Place::kA);
  Use(*micro, from->base, Place::kB);
  Use(*micro, kept, Place::kC);
  program_->narrowest_shared = std::min(program_->narrowest_shared, uint32_t{4});
  return true;
}

// prefetch, discard, applypriority, createpolicy, griddepcontrol: nothing that a result shows
bool Decoder::Ignored() {
  for (const Operand& operand : instruction_->operands) {
    const bool result = instruction_->parts[0] == "createpolicy" && &operand == &At(0);
    if (!result) continue;
    KW_NEED(d, Target(operand, Type::kB64));
    return Emit1(Code::kMov, Type::kU64, 0, *d, Arg{Constant(0, 8)});
  }
  return EmitKey(Code::kNothing, Type::kNone, 0) != nullptr;
}

}  // namespace kw::eval::emu
