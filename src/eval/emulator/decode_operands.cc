// Micro instructions, and what they take: registers, constants, addresses, special registers.
#include <algorithm>
#include <bit>
#include <cstring>

#include "decoder.h"
#include "fmt/format.h"

namespace kw::eval::emu {
namespace {

const std::unordered_map<std::string_view, SpecialRegister>& SpecialNames() {
  using S = SpecialRegister;
  static const std::unordered_map<std::string_view, S> kNames = {
      {"%tid.x", S::kTidX},
      {"%tid.y", S::kTidY},
      {"%tid.z", S::kTidZ},
      {"%ntid.x", S::kNtidX},
      {"%ntid.y", S::kNtidY},
      {"%ntid.z", S::kNtidZ},
      {"%ctaid.x", S::kCtaidX},
      {"%ctaid.y", S::kCtaidY},
      {"%ctaid.z", S::kCtaidZ},
      {"%nctaid.x", S::kNctaidX},
      {"%nctaid.y", S::kNctaidY},
      {"%nctaid.z", S::kNctaidZ},
      {"%laneid", S::kLaneId},
      {"%warpid", S::kWarpId},
      {"%nwarpid", S::kNwarpId},
      {"%smid", S::kSmId},
      {"%nsmid", S::kNsmId},
      {"%gridid", S::kGridId},
      {"%lanemask_eq", S::kLaneMaskEq},
      {"%lanemask_le", S::kLaneMaskLe},
      {"%lanemask_lt", S::kLaneMaskLt},
      {"%lanemask_ge", S::kLaneMaskGe},
      {"%lanemask_gt", S::kLaneMaskGt},
      {"%clock", S::kClock},
      {"%clock_hi", S::kClockHi},
      {"%clock64", S::kClock64},
      {"%globaltimer", S::kGlobalTimer},
      {"%globaltimer_lo", S::kGlobalTimerLo},
      {"%globaltimer_hi", S::kGlobalTimerHi},
      {"%dynamic_smem_size", S::kDynamicShared},
      {"%total_smem_size", S::kTotalShared},
      // Without clusters each block is a cluster of its own.
      // Where grid.sync() finds its barrier.
      {"%envreg1", S::kWorkspaceHigh},
      {"%envreg2", S::kWorkspaceLow},
      {"%cluster_ctarank", S::kZero},
      {"%cluster_nctarank", S::kOne},
      {"%cluster_ctaid.x", S::kZero},
      {"%cluster_ctaid.y", S::kZero},
      {"%cluster_ctaid.z", S::kZero},
      {"%cluster_nctaid.x", S::kOne},
      {"%cluster_nctaid.y", S::kOne},
      {"%cluster_nctaid.z", S::kOne},
      {"%clusterid.x", S::kCtaidX},
      {"%clusterid.y", S::kCtaidY},
      {"%clusterid.z", S::kCtaidZ},
      {"%nclusterid.x", S::kNctaidX},
      {"%nclusterid.y", S::kNctaidY},
      {"%nclusterid.z", S::kNctaidZ}};
  return kNames;
}

bool ReadsClock(SpecialRegister which) {
  return which >= SpecialRegister::kClock && which <= SpecialRegister::kGlobalTimerHi;
}

// What a symbol's bits are as an immediate of a type.
uint64_t ImmediateBits(const Operand& operand, int bytes, bool is_float) {
  if (operand.kind == Operand::Kind::kInteger) {
    const int64_t v = operand.value;
    if (is_float && bytes == 4) return std::bit_cast<uint32_t>(static_cast<float>(v));
    if (is_float && bytes == 8) return std::bit_cast<uint64_t>(static_cast<double>(v));
    return static_cast<uint64_t>(v);
  }
  const uint64_t bits = static_cast<uint64_t>(operand.value);
  if (operand.single) {
    if (bytes != 8) return bits;
    return std::bit_cast<uint64_t>(
        static_cast<double>(std::bit_cast<float>(static_cast<uint32_t>(bits))));
  }
  if (bytes != 4) return bits;
  return std::bit_cast<uint32_t>(static_cast<float>(std::bit_cast<double>(bits)));
}

}  // namespace

Type OfBytes(int bytes) { return bytes <= 2 ? Type::kU16 : bytes == 4 ? Type::kU32 : Type::kU64; }

// ---- building ----

int32_t Decoder::NewRegister(int bytes) {
  draft_->registers.push_back({static_cast<uint8_t>(bytes)});
  return static_cast<int32_t>(draft_->registers.size()) - 1;
}

// A constant, spread over 32 lanes. Returns ~offset.
int32_t Decoder::Constant(uint64_t bits, int bytes) {
  if (bytes < 8) bits &= (uint64_t{1} << (bytes * 8)) - 1;
  const auto [at, fresh] = constant_index_.emplace(std::make_pair(bits, bytes), 0);
  if (fresh) {
    const size_t offset = constants_.size();
    constants_.resize(offset + std::max<size_t>(64, static_cast<size_t>(bytes) * kLanes));
    for (int i = 0; i < kLanes; ++i) {
      std::memcpy(constants_.data() + offset + static_cast<size_t>(i * bytes), &bits,
                  static_cast<size_t>(bytes));
    }
    at->second = ~static_cast<int32_t>(offset);
  }
  return at->second;
}

Micro& Decoder::Emit(Handler fn, OpKind kind) {
  Micro& micro = draft_->micros.emplace_back();
  micro.op.fn = fn;
  micro.op.kind = kind;
  micro.op.origin = static_cast<uint32_t>(program_->origins.size()) - 1;
  micro.op.target = kNoPredicate;
  return micro;
}

Micro* Decoder::EmitKey(Code code, Type type, uint32_t variant) {
  const Handler fn =
      FindHandler(Key(static_cast<uint32_t>(code), static_cast<uint32_t>(type), variant));
  if (fn == nullptr) {
    Unsupported("this combination of modifiers and types");
    return nullptr;
  }
  Micro& micro = Emit(fn);
  switch (type) {
    case Type::kF32:
      micro.work = Work::kFp32;
      break;
    case Type::kF64:
      micro.work = Work::kFp64;
      break;
    case Type::kF16:
    case Type::kF16x2:
    case Type::kBf16:
    case Type::kBf16x2:
      micro.work = Work::kFp16;
      break;
    case Type::kNone:
    case Type::kPred:
      break;
    default:
      micro.work = Work::kInteger;
  }
  if (code >= Code::kSqrt && code <= Code::kTanh) micro.work = Work::kSpecial;
  // A move between PTX registers is renaming: ptxas leaves nothing of it.
  if (code == Code::kMov) micro.work = Work::kOther;
  return &micro;
}

void Decoder::Def(Micro& micro, Arg arg, Place place) {
  micro.refs.push_back({arg.reg, place, true, false});
}
void Decoder::Use(Micro& micro, Arg arg, Place place) {
  micro.refs.push_back({arg.reg, place, false, arg.negated});
}

bool Decoder::Emit1(Code code, Type type, uint32_t variant, Arg d, Arg a) {
  Micro* micro = EmitKey(code, type, variant);
  if (micro == nullptr) return false;
  Def(*micro, d, Place::kD);
  Use(*micro, a, Place::kA);
  return true;
}
bool Decoder::Emit2(Code code, Type type, uint32_t variant, Arg d, Arg a, Arg b) {
  Micro* micro = EmitKey(code, type, variant);
  if (micro == nullptr) return false;
  Def(*micro, d, Place::kD);
  Use(*micro, a, Place::kA);
  Use(*micro, b, Place::kB);
  return true;
}
bool Decoder::Emit3(Code code, Type type, uint32_t variant, Arg d, Arg a, Arg b, Arg c) {
  if (!Emit2(code, type, variant, d, a, b)) return false;
  Use(draft_->micros.back(), c, Place::kC);
  return true;
}

Micro* Decoder::EmitExtend(Arg d, int d_bytes, Arg a, int a_bytes, int in_bits, bool in_signed,
                           int out_bits, bool out_signed) {
  Micro* micro = EmitKey(Code::kExtend, OfBytes(d_bytes), static_cast<uint32_t>(OfBytes(a_bytes)));
  if (micro == nullptr) return nullptr;
  Def(*micro, d, Place::kD);
  Use(*micro, a, Place::kA);
  micro->op.extra = static_cast<uint32_t>(in_bits) | (in_signed ? 1u << 8 : 0) |
                    static_cast<uint32_t>(out_bits) << 16 | (out_signed ? 1u << 24 : 0);
  return micro;
}

// ---- operands ----

int Decoder::RegisterBytes(const Operand& operand) const {
  if (operand.kind != Operand::Kind::kRegister) return -1;
  return draft_->registers[static_cast<size_t>(operand.reg)].bytes;
}

std::optional<Arg> Decoder::ValueOfBytes(const Operand& operand, int bytes, bool is_float) {
  switch (operand.kind) {
    case Operand::Kind::kRegister:
      if (RegisterBytes(operand) != bytes) {
        Unsupported("a register of another width");
        return std::nullopt;
      }
      return Arg{operand.reg, operand.negated};
    case Operand::Kind::kInteger:
    case Operand::Kind::kFloat:
      return Arg{Constant(ImmediateBits(operand, bytes, is_float), bytes)};
    case Operand::Kind::kSymbol:
      return SymbolAddress(operand, bytes);
    case Operand::Kind::kSpecial:
      return SpecialValue(operand, bytes);
    default:
      break;
  }
  Unsupported("an operand");
  return std::nullopt;
}

std::optional<Arg> Decoder::Value(const Operand& operand, Type type) {
  return ValueOfBytes(operand, std::max(2, ptx::Bytes(type)), ptx::IsFloat(type));
}

std::optional<Arg> Decoder::Target(const Operand& operand, Type type) {
  const int bytes = std::max(2, ptx::Bytes(type));
  if (operand.kind == Operand::Kind::kSink) return Arg{NewRegister(bytes)};
  if (operand.kind != Operand::Kind::kRegister || RegisterBytes(operand) != bytes) {
    Unsupported("a result register of another width");
    return std::nullopt;
  }
  return Arg{operand.reg};
}

std::optional<Arg> Decoder::PredicateValue(const Operand& operand) {
  if (operand.kind == Operand::Kind::kRegister && RegisterBytes(operand) == 0) {
    return Arg{operand.reg, operand.negated};
  }
  if (operand.kind == Operand::Kind::kInteger) {
    // Constant predicates are ~0 (true) and ~1 (false).
    const bool value = (operand.value != 0) != operand.negated;
    return Arg{value ? ~0 : ~1};
  }
  Unsupported("a predicate operand");
  return std::nullopt;
}

std::optional<Arg> Decoder::PredicateResult(const Operand& operand) {
  if (operand.kind == Operand::Kind::kSink) return Arg{NewRegister(0)};
  if (operand.kind == Operand::Kind::kRegister && RegisterBytes(operand) == 0) {
    return Arg{operand.reg};
  }
  Unsupported("a predicate result");
  return std::nullopt;
}

std::optional<Arg> Decoder::SymbolAddress(const Operand& operand, int bytes) {
  const uint64_t addend = static_cast<uint64_t>(operand.value);
  if (bytes != 4 && bytes != 8) {
    Unsupported("an address in a narrow register");
    return std::nullopt;
  }
  // In the thread's own memory, which begins elsewhere for each.
  const auto own = [&](uint64_t offset) {
    const Arg d{NewRegister(bytes)};
    Micro* micro = EmitKey(Code::kLocalAddress, OfBytes(bytes), 0);
    Def(*micro, d, Place::kD);
    micro->op.imm = offset + addend;
    return d;
  };
  for (int32_t scope = instruction_->scope; scope >= 0; scope = function_->scope_parent[scope]) {
    const auto local = local_.find({scope, operand.name});
    if (local != local_.end()) return own(local->second);
  }
  const auto parameter = parameters_.find(operand.name);
  if (parameter != parameters_.end()) {
    if (!function_->is_entry) return own(parameter->second);
    return Arg{Constant(parameter->second + addend, bytes)};
  }
  const auto shared = shared_.find(operand.name);
  if (shared != shared_.end()) return Arg{Constant(shared->second + addend, bytes)};
  const auto global = symbols_.addresses.find(operand.name);
  if (global != symbols_.addresses.end()) return Arg{Constant(global->second + addend, bytes)};
  const auto function = module_.function_index.find(operand.name);
  if (function != module_.function_index.end()) {
    const auto code = code_index_.find(function->second);
    if (code != code_index_.end()) {
      return Arg{Constant(FunctionAddress(function->second), bytes)};
    }
  }
  Unsupported(fmt::format("the symbol {}", operand.name));
  return std::nullopt;
}

std::optional<Arg> Decoder::SpecialValue(const Operand& operand, int bytes) {
  if (operand.name == "WARP_SZ") return Arg{Constant(kLanes, bytes)};
  const auto found = SpecialNames().find(operand.name);
  if (found == SpecialNames().end()) {
    Unsupported(fmt::format("the special register {}", operand.name));
    return std::nullopt;
  }
  const Arg d{NewRegister(bytes)};
  Micro* micro = EmitKey(Code::kSpecial, OfBytes(bytes), 0);
  Def(*micro, d, Place::kD);
  micro->op.imm = static_cast<uint64_t>(found->second);
  program_->blocks_signal |= ReadsClock(found->second);
  return d;
}

}  // namespace kw::eval::emu
