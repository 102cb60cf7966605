// From PTX instructions to micro instructions.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "program.h"

namespace kw::eval::emu {

using ptx::Operand;
using ptx::Type;

// An operand as micro instructions take it.
struct Arg {
  int32_t reg = 0;
  bool negated = false;
  bool absent = false;
};

// The modifiers of one instruction: each must be taken by someone.
class Modifiers {
 public:
  explicit Modifiers(const std::vector<std::string_view>& parts)
      : parts_(parts), taken_(parts.size(), false) {
    taken_[0] = true;
  }
  bool Take(std::string_view name);
  // The next type from the left, or kNone.
  Type TakeType();
  // Takes what only advises caches.
  void TakeCacheHints();
  // The first that nobody took, or "".
  std::string_view Left() const;
  // The first untaken one, taken.
  std::string_view TakeAny();

 private:
  const std::vector<std::string_view>& parts_;
  std::vector<bool> taken_;
};

class Decoder {
 public:
  Decoder(const ptx::Module& module, const SymbolTable& symbols, Program* program)
      : module_(module), symbols_(symbols), program_(program) {}

  // Finds the functions that a kernel reaches and lays out their shared variables.
  kw::Result<std::vector<int>> Survey(int kernel);
  kw::Result<FunctionDraft> Function(int function_index);
  const std::vector<char>& constants() const { return constants_; }
  // The first words of all instructions that have a method.
  static std::vector<std::string_view> KnownOpcodes();

 private:
  using Method = bool (Decoder::*)();
  static const std::unordered_map<std::string_view, Method>& Methods();

  void Instruction(const ptx::Instruction& instruction);
  void Guard(size_t first);
  bool Unsupported(std::string_view why);

  // decode_operands.cc
  int32_t NewRegister(int bytes);
  int32_t Constant(uint64_t bits, int bytes);
  Micro& Emit(Handler fn, OpKind kind = OpKind::kStraight);
  Micro* EmitKey(Code code, Type type, uint32_t variant);
  void Def(Micro& micro, Arg arg, Place place);
  void Use(Micro& micro, Arg arg, Place place);
  bool Emit1(Code code, Type type, uint32_t variant, Arg d, Arg a);
  bool Emit2(Code code, Type type, uint32_t variant, Arg d, Arg a, Arg b);
  bool Emit3(Code code, Type type, uint32_t variant, Arg d, Arg a, Arg b, Arg c);
  bool EmitWords(Code code, uint32_t extra);
  Micro* EmitExtend(Arg d, int d_bytes, Arg a, int a_bytes, int in_bits, bool in_signed,
                    int out_bits, bool out_signed);
  void CountUses();
  bool OnlyChosen(const Operand& operand) const;
  bool Count(size_t least, size_t most);
  const Operand& At(size_t i) const { return instruction_->operands[i]; }
  std::optional<Arg> Value(const Operand& operand, Type type);
  std::optional<Arg> ValueOfBytes(const Operand& operand, int bytes, bool is_float);
  std::optional<Arg> Target(const Operand& operand, Type type);
  std::optional<Arg> PredicateValue(const Operand& operand);
  std::optional<Arg> PredicateResult(const Operand& operand);
  int RegisterBytes(const Operand& operand) const;
  std::optional<Arg> SymbolAddress(const Operand& operand, int bytes);
  std::optional<Arg> SpecialValue(const Operand& operand, int bytes);

  // decode_arithmetic.cc, decode_compare.cc, decode_convert.cc
  bool Binary();
  bool Multiply();
  bool Unary();
  bool FloatUnary();
  bool FloatBinary(std::string_view name, Type type, Modifiers& mods);
  bool CarryArithmetic();
  bool Shift();
  bool BitField();
  bool Bits1();
  bool Lop3Op();
  bool Permute();
  bool FunnelShift();
  bool DotProduct();
  bool AbsDiff4();
  bool Sad();
  bool Setp();
  bool Set();
  bool Selp();
  bool Slct();
  bool Testp();
  bool PredicateLogic(std::string_view name);
  bool Convert();
  bool ConvertPair(Type to, bool finite, Modifiers& mods);
  bool ConvertPack(Modifiers& mods);
  bool ConvertInteger(Type to, Type from, bool saturate);

  // decode_memory.cc
  struct Address {
    Arg base;
    int64_t offset = 0;
  };
  enum class Space : uint8_t { kGlobal, kShared, kLocal, kParam, kGeneric };
  std::optional<Space> TakeSpace(Modifiers& mods);
  std::optional<Address> AddressOf(const Operand& operand, Space space);
  const ptx::Variable* FindVariable(std::string_view name) const;
  bool Move();
  bool MovePack(const Operand& to, const Operand& from, Type type);
  bool Load();
  void NoteStoreWidth(Space space, int bytes);
  void NoteSignal(Space space);
  bool LoadParameter(Type type, int count);
  bool Store();
  bool Cvta();
  bool IsSpacep();
  bool AtomicOrReduce();
  bool CopyAsyncOp();
  bool Ignored();
  bool WaitForCopies(uint64_t under_way);
  bool Fence();

  // decode_control.cc
  bool Branch();
  bool IndirectBranch();
  bool Return();
  bool Exit();
  bool Trap();
  bool Call();
  bool Barrier();
  bool WarpBarrier();
  bool Shuffle();
  bool Vote();
  bool Match();
  bool Redux();
  bool ActiveMaskOp();
  bool ElectOp();
  int32_t LabelTarget(const Operand& operand) const;

  // decode_tensor.cc
  bool Mma();
  bool Wmma();
  bool LoadMatrix();
  bool MbarrierOp();

  const ptx::Module& module_;
  const SymbolTable& symbols_;
  Program* program_;
  void SurveyOperand(const Operand& operand, int function, std::vector<int>* order);

  std::map<std::string_view, uint32_t> shared_;  // offsets
  std::vector<const ptx::Variable*> shared_used_;
  std::map<int, int> code_index_;  // function of the module -> of the program
  std::vector<char> constants_;
  std::map<std::pair<uint64_t, int>, int32_t> constant_index_;

  const ptx::Function* function_ = nullptr;
  const ptx::Instruction* instruction_ = nullptr;
  int32_t instruction_index_ = 0;
  FunctionDraft* draft_ = nullptr;
  std::map<std::pair<int32_t, std::string_view>, uint32_t> local_;  // (scope, name) -> offset
  std::map<std::pair<int32_t, std::string_view>, const ptx::Variable*> variables_;
  std::map<std::string_view, uint32_t> parameters_;  // of the kernel's block or the frame
  std::map<std::pair<int32_t, std::string_view>, int32_t> labels_;
  // Uses of each register, and those of them that only choose (selp): a value that is loaded
  // early and then not chosen may be undefined.
  std::vector<uint32_t> uses_, choices_;
  std::string why_;
};

Type Unsigned(Type type);  // of the same width
Type Plain(Type type);     // .b32 as .u32, signs stay
Type OfBytes(int bytes);   // the unsigned integer that a register of so many bytes holds
bool IsHalf(Type type);
bool IsReal(Type type);
std::optional<Rounding> TakeRounding(Modifiers& mods);

// What an operand must give: its absence ends the instruction as one that is not known.
#define KW_NEED(name, expression) \
  const auto name = (expression); \
  if (!name) return false

}  // namespace kw::eval::emu
