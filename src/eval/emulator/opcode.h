// What handlers are found by: emu::Key(Code, Type, variant).
#pragma once

#include <cstdint>

namespace kw::eval::emu {

enum class Code : uint8_t {
  // integer and bits
  kAdd,
  kSub,
  kMul,
  kMulHi,
  kMulWide,
  kMad,
  kMadHi,
  kMadWide,
  kDiv,
  kRem,
  kAbs,
  kNeg,
  kMin,
  kMax,
  kAnd,
  kOr,
  kXor,
  kNot,
  kCnot,
  kShl,
  kShr,
  kPopc,
  kClz,
  kBrev,
  kBfind,
  kBfe,
  kBfi,
  kSad,
  kPrmt,
  kLop3,
  kShf,
  kDp4a,
  kDp2a,
  kAbsDiff4,
  kAddSat,
  kSubSat,
  kMul24,
  kBmsk,
  kSzext,
  kFns,
  kAddCarry,
  // float
  kFma,
  kSqrt,
  kRcp,
  kRsqrt,
  kEx2,
  kLg2,
  kSin,
  kCos,
  kTanh,
  kCopysign,
  kTestp,
  kSaturate,
  kRelu,
  kRounded,
  // compare and choose
  kSetp,
  kSetpBool,
  kSelp,
  kPredicate,
  // move and convert; kCvt's type is the destination's, its variant the source's
  kMov,
  kPack,
  kUnpack,
  kExtend,
  kCvt,
  kRoundToInteger,
  kCvtRounded,
  kCvtPack,
  kLocalAddress,
  kSpecial,
  // memory: the variant holds register bytes and vector length
  kLoadParam,
  kLoadGlobal,
  kLoadShared,
  kLoadLocal,
  kLoadGeneric,
  kStoreGlobal,
  kStoreShared,
  kStoreLocal,
  kStoreGeneric,
  kAtomic,
  kCopyAsync,
  kIsSpace,
  kNothing,
  // warp
  kShuffle,
  kVote,
  kMatch,
  kRedux,
  kActiveMask,
  kElect,
  kMma,
  kWmmaLoad,
  kWmmaStore,
  kWmmaMma,
  kLoadMatrix,
  kStoreMatrix,
  kMbarrier,
  kCount,
};

// Comparisons, in the order of PTX's manual; the second half is true for unordered operands.
enum class Compare : uint8_t {
  kEq,
  kNe,
  kLt,
  kLe,
  kGt,
  kGe,
  kEqu,
  kNeu,
  kLtu,
  kLeu,
  kGtu,
  kGeu,
  kNum,
  kNan,
};

enum class Rounding : uint8_t { kNearest, kZero, kDown, kUp, kAway };

// Variants of float arithmetic.
inline constexpr uint32_t kFtz = 1;      // flush subnormal inputs and results to zero
inline constexpr uint32_t kNanMode = 2;  // min.NaN, max.NaN
inline constexpr uint32_t kXorSign = 4;
inline constexpr uint32_t kSaturated = 1;  // mad.hi.sat
inline constexpr uint32_t kHighPart = 1;   // mul24.hi
// In Op::imm of a comparison of halves: subnormal operands count as zero.
inline constexpr uint64_t kFlushHalves = 16;

// Op::extra of kSetp: how the result joins the predicate `c`.
enum class Combine : uint8_t { kNone, kAnd, kOr, kXor };
inline constexpr uint32_t kNoPredicate = 0xffffffffu;

// Op::extra of kPredicate.
enum class PredicateOp : uint8_t { kMove, kAnd, kOr, kXor };

// Op::extra of loads whose value is only ever chosen or not (selp): the compiler may have moved
// them before their condition, so what they read need not be defined.
inline constexpr uint32_t kMovedEarly = 0x80000000u;

// Op::extra of accesses to shared memory: lane for lane as far from the first one's address as at
// the access before that has the same site.
inline constexpr uint32_t kKnownPattern = 0x40000000u;

enum class AtomicOp : uint8_t {
  kAnd,
  kOr,
  kXor,
  kExch,
  kAdd,
  kInc,
  kDec,
  kMin,
  kMax,
  kCas,
  kLoad,
  kStore,
};

enum class SpecialRegister : uint8_t {
  kTidX,
  kTidY,
  kTidZ,
  kNtidX,
  kNtidY,
  kNtidZ,
  kCtaidX,
  kCtaidY,
  kCtaidZ,
  kNctaidX,
  kNctaidY,
  kNctaidZ,
  kLaneId,
  kWarpId,
  kNwarpId,
  kSmId,
  kNsmId,
  kGridId,
  kLaneMaskEq,
  kLaneMaskLe,
  kLaneMaskLt,
  kLaneMaskGe,
  kLaneMaskGt,
  kClock,
  kClockHi,
  kClock64,
  kGlobalTimer,
  kGlobalTimerLo,
  kGlobalTimerHi,
  kDynamicShared,
  kTotalShared,
  kOne,
  kZero,
  kWorkspaceHigh,
  kWorkspaceLow,
};

}  // namespace kw::eval::emu
