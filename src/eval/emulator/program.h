// A kernel ready to run, and the builder's form of it.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kw/base/error.h"
#include "opcode.h"
#include "ptx.h"
#include "warp.h"

namespace kw::eval::emu {

// What kind of work an instruction is, for the counters.
enum class Work : uint8_t { kFp32, kFp64, kFp16, kInteger, kSpecial, kTensor, kOther, kCount };

// Op::imm of bar.warp.sync, the one collective whose lanes may wait at different places.
inline constexpr uint64_t kWarpBarrier = ~uint64_t{0};

// A basic block of the final program.
struct BlockInfo {
  uint32_t first = 0, size = 0;  // ops
  uint32_t work[static_cast<int>(Work::kCount)] = {};
  uint32_t instructions = 0;  // of PTX
};

struct Origin {
  const ptx::Instruction* instruction = nullptr;
  const ptx::Function* function = nullptr;
  std::string why;  // of an unsupported one
};

struct Copy {
  uint32_t from = 0, to = 0, bytes = 0;
};

struct CallSite {
  int callee = -1;  // index in Program::functions; -1: built in or indirect
  enum class BuiltIn : uint8_t { kNone, kPrintf, kAssert, kIndirect } built_in = BuiltIn::kNone;
  std::vector<uint32_t> argument_offsets;  // in the caller's local frame
  std::vector<Copy> arguments, results;  // for indirect calls `to` and `from` come from the callee
};

struct FunctionCode {
  std::string_view name;
  const ptx::Function* source = nullptr;
  uint32_t entry = 0;        // op
  uint32_t frame_bytes = 0;  // registers
  uint32_t predicates = 0;
  uint32_t local_bytes = 0;  // of its frame, parameters included
  std::vector<uint32_t> parameter_offsets, result_offsets;
  // Bytes of the frame that may be read before anything was written to them: offset and length.
  std::vector<std::pair<uint32_t, uint32_t>> unwritten;
};

// Zeroed bytes at a multiple of 64; pages that nobody touches cost nothing.
class AlignedBytes {
 public:
  AlignedBytes() = default;
  explicit AlignedBytes(size_t bytes) : memory_(std::calloc(bytes + 64, 1)) {}
  char* get() const {
    return reinterpret_cast<char*>((reinterpret_cast<uintptr_t>(memory_.get()) + 63) &
                                   ~uintptr_t{63});
  }

 private:
  struct Free {
    void operator()(void* p) const { std::free(p); }
  };
  std::unique_ptr<void, Free> memory_;
};

struct Program {
  std::string kernel;
  std::vector<Op> ops;
  std::vector<uint32_t> lists;
  AlignedBytes constants;
  std::vector<BlockInfo> blocks;
  std::vector<Origin> origins;
  std::vector<FunctionCode> functions;  // [0] is the kernel
  std::vector<int> code_of_function;    // by the module's number; -1 where it is not reached
  std::vector<CallSite> calls;
  std::vector<std::vector<uint32_t>> tables;  // of indirect branches
  uint32_t site_count = 0;
  uint32_t parameter_bytes = 0;
  std::vector<std::pair<uint32_t, uint32_t>> parameters;
  uint32_t static_shared = 0;      // bytes
  uint32_t dynamic_shared_at = 0;  // where extern arrays begin
  uint32_t narrowest_shared = 4;   // access, in bytes
  uint32_t narrowest_store = 4;    // to device memory, atomics included, in bytes
  bool calls_functions = false;
  // Its blocks may see in which order others run: by atomics or volatile accesses in device memory,
  // by clocks, or by what they print.
  bool blocks_signal = false;
  int max_threads = 0, required_threads = 0;
};

// The address of a module's function, for calls by pointer.
inline uint64_t FunctionAddress(int function) {
  return kCodeWindow + 16 * static_cast<uint64_t>(function);
}

// Addresses of module variables, for the decoder.
struct SymbolTable {
  std::map<std::string_view, uint64_t> addresses;
};

// Decodes a kernel and all functions that it reaches.
[[nodiscard]] Result<std::unique_ptr<Program>> BuildProgram(const ptx::Module& module,
                                                            std::string_view kernel,
                                                            const SymbolTable& symbols);

// The handler of a key for this machine; nullptr when there is none.
Handler FindHandler(uint32_t key);
// It does an instruction and the Op::repeats after it, all of them its own and without a guard.
bool HandlesRuns(Handler handler);
// For tests: which build of the handlers is in use; SetVectorHandlers(false) takes the plain one.
bool VectorHandlersInUse();
void SetVectorHandlers(bool on);

// ---- the builder's form ----

enum class Place : uint8_t {
  kD,
  kA,
  kB,
  kC,  // register offset
  kPredicateD,
  kPredicateTarget,  // index of a predicate
  kPredicateA,
  kPredicateB,
  kPredicateC,  // index * 2 + negated
  kList,
};

struct Ref {
  int32_t reg = 0;  // virtual register, or ~index of a constant
  Place place = Place::kD;
  bool is_def = false;
  bool negated = false;
};

struct Micro {
  Op op;
  int32_t guard = -1;
  bool guard_negated = false;
  bool counts = false;  // the first of its instruction
  Work work = Work::kOther;
  uint32_t amount = 1;   // of that work: a tensor instruction may be worth several
  int shared_bytes = 0;  // of a load from or store to shared memory, a lane
  std::vector<Ref> refs;
  int32_t target = -1, next = -1;  // label ids of branches: PTX instruction indexes
  std::vector<int32_t> targets;    // of an indirect branch
};

struct VirtualRegister {
  uint8_t bytes = 0;  // 0 predicate, 2, 4, 8
};

struct FunctionDraft {
  const ptx::Function* source = nullptr;
  std::vector<Micro> micros;
  std::vector<int32_t> start;  // of each PTX instruction, index into micros; one more at the end
  std::vector<VirtualRegister> registers;
  FunctionCode code;
};

// Orders blocks, allocates registers, and appends the function to the program.
[[nodiscard]] Result<void> Assemble(FunctionDraft* draft, Program* program);

}  // namespace kw::eval::emu
