// What the instruction handlers see: plain structs, no library types, because the handlers are
// compiled once for each instruction set and must not share inline functions.
//
// A register is an array over the 32 lanes of a warp (struct of arrays): 64, 128 or 256 bytes.
// A predicate is a mask, one bit a lane.
#pragma once

#include <cstdint>

namespace kw::eval::emu {

inline constexpr int kLanes = 32;
inline constexpr uint32_t kAllLanes = 0xffffffffu;

// Address windows of the generic space, by their upper 32 bits. Device memory begins at
// kDeviceBase.
inline constexpr uint64_t kSharedWindow = uint64_t{0x00000a00} << 32;
inline constexpr uint64_t kLocalWindow = uint64_t{0x00000b00} << 32;
inline constexpr uint64_t kParamWindow = uint64_t{0x00000c00} << 32;
inline constexpr uint64_t kCodeWindow = uint64_t{0x00000d00} << 32;
inline constexpr uint64_t kWindowMask = 0xffffffff00000000u;

struct Warp;
struct Op;
// False: the launch must stop; Launch::stop says why.
using Handler = bool (*)(Warp&, const Op&);

enum class OpKind : uint8_t {
  kStraight,    // call fn, go on
  kCollective,  // call fn when the lanes of its member mask are here
  kBarrier,
  kBranch,  // to `target` where the guard holds, else to `next`
  kJump,
  kIndirect,  // brx.idx
  kExit,
  kReturn,
  kCall,
  kTrap,
  kUnsupported,
};

// One decoded instruction. Operands are byte offsets into the frame of registers; the top bit
// says: into the constants instead.
struct Op {
  Handler fn = nullptr;
  uint32_t d = 0, a = 0, b = 0, c = 0;
  uint64_t imm = 0;
  uint32_t guard = 0;  // predicate index * 2 + negated; 0 none (predicate 0 is all true)
  uint32_t list = 0;   // index into Code::lists: all operands, when there are many
  uint32_t extra = 0;  // modifiers, by handler
  uint32_t site = 0;   // memory site
  uint32_t block = 0;  // basic block, of terminators
  uint32_t target = 0, next = 0;
  uint32_t origin = 0;  // index of the PTX instruction, for reports
  OpKind kind = OpKind::kStraight;
  uint8_t lists = 0;     // operands in the list
  uint16_t repeats = 0;  // instructions after it that its handler does in the same call
};

// An allocation as the memory handlers see it.
struct Span {
  uint64_t start = 0, bytes = 0;
  char* host = nullptr;
  uint8_t* written = nullptr;   // a bit a byte, nullptr once all is written
  uint64_t* touched = nullptr;  // a bit a 32-byte sector, for this launch
  uint64_t* stored = nullptr;   // of stores; on one thread it is `touched`
  uint32_t* authors = nullptr;  // who stored each unit last; nullptr: no store in this launch
  uint64_t unwritten = 0;       // bytes
  bool read_only = false;       // constants and launch parameters
  bool is_protected = false;    // a store is a hazard
  bool live = true;
  bool reported = false;  // protected and already stored to
};

// What an instruction that touches memory remembers: the pattern of its last access, relative
// to the first active lane, with all that follows from the pattern.
struct Site {
  union {
    int64_t delta[kLanes];    // device memory
    int32_t delta32[kLanes];  // shared and local memory
  };
  uint32_t mask = 0;  // 0: nothing remembered
  // kChunked: each 8 lanes are uniform or contiguous, as `chunks` says.
  enum Shape : uint8_t { kGeneral, kUniform, kContiguous, kChunked } shape = kGeneral;
  bool wide = false;  // which of the deltas
  Shape chunks[4] = {};
  bool repeated = false;  // all lanes, and each 8 of them as the first 8
  uint8_t conflicts = 0;  // extra wavefronts in shared memory
  uint8_t sector_count = 0;
  bool dense = false;  // the sectors lie side by side
  uint8_t run_count = 0;
  bool distinct = false;      // no two lanes touch the same byte of shared memory
  uint32_t learned = 0;       // patterns so far
  int16_t phase = -1;         // first address & 31 for which the sectors hold
  int64_t low = 0, high = 0;  // of the delta; high includes the access
  uint64_t alignment = 0;     // all bits that some delta has
  Span* span = nullptr;
  int32_t sectors[2 * kLanes];  // distinct, relative to the first lane's sector
  // Distinct bytes of shared memory as runs, relative to the first lane's address.
  int32_t run_start[kLanes], run_bytes[kLanes];
  // The same as bits, one to a unit of the race shadow from `low` on; 0 bytes: runs are quicker.
  static constexpr int kUnitBytes = 16;
  uint8_t unit_bytes = 0;
  uint8_t units[kUnitBytes];
};

// What is known of each unit of shared memory: who wrote and who read it last, and when, on a
// clock that steps at each barrier. An access is ordered before warp w when its stamp is below
// floor[w] (all warps) or seen[w][its warp]. A unit is as small as the kernel's narrowest access.
struct RaceShadow {
  uint32_t* writer;   // stamp << 6 | warp; below `base`: never written by this block
  uint32_t* reader;   // stamp of the last reads
  uint32_t* readers;  // the warps that read at that stamp, a bit each
  uint32_t* lanes;    // epoch << 5 | lane of the last plain store by one lane, else 0
  uint32_t clock;
  uint32_t epochs;  // given out so far: one to a warp for each stretch between its own barriers
  uint32_t base;
  uint32_t unit_shift;
  uint32_t floor[kLanes];
  uint32_t seen[kLanes][kLanes];
  uint32_t released[kLanes];  // what fences and atomics, or mbarriers, have made visible
};
// What is known of the stores of a launch to device memory. A warp that stores becomes an author,
// a new one after each step of its block's clock; each unit of an allocation that is stored to
// keeps the last author's number, with kAtomicStore for accesses that race with plain ones only.
// Blocks are ordered by fences and atomics alone, on the launch's clock: what was stored before a
// release is ordered before all that comes after a later acquisition. As in a block, all flags
// count as one.
struct Author {
  uint64_t block = 0;  // linear
  uint32_t warp = 0;
  uint32_t stamp = 0;                // of the block's clock
  uint32_t released = ~uint32_t{0};  // when on the launch's clock; not yet
};
struct StoreShadow {
  uint32_t base;        // numbers below are of earlier launches
  uint32_t unit_shift;  // a unit is as small as the kernel's narrowest store
  uint32_t clock;       // steps at each release
};
inline constexpr uint32_t kAtomicStore = uint32_t{1} << 31;

inline constexpr uint32_t kAtomicWriter = 62;  // in place of a warp: an atomic, or the host

// A load from shared memory, kept until the warp's next barrier: stores of other lanes race with
// it. Its pattern is the site's, while that has not learned another.
struct LaneRead {
  const Site* site;
  uint32_t learned;  // Site::learned then
  uint32_t first;    // address of the first active lane
  uint32_t bytes;
};
inline constexpr uint32_t kLaneReads = 8;

// A cp.async under way. Its bytes are read when it is issued and stored when it is waited for.
struct AsyncCopy {
  uint32_t to, bytes;  // shared address
  uint32_t group;      // of its lane
  uint32_t lane;
  char data[16];
};
inline constexpr uint32_t kPendingWriter = 61;                             // in place of a warp
inline constexpr uint32_t kPendingStamp = ~uint32_t{63} | kPendingWriter;  // after all others
inline constexpr uint64_t kAllCopies = ~uint64_t{0};

enum class RaceKind : int { kReadAfterWrite, kWriteAfterRead, kWriteAfterWrite };

// Reports and the rare paths, implemented once outside of the handlers.
struct Launch;
class LaunchParts;
struct Block;

struct Counts {
  uint64_t global_load_sectors, global_store_sectors, global_requests;
  uint64_t shared_requests, shared_conflicts, atomics;
};

// A warp that runs. `mask` are the lanes that execute; `write` may also name lanes that have
// ended, whose registers nobody reads again: so full-width stores stay possible.
struct Warp {
  char* base[2];  // registers, constants
  uint32_t* predicates;
  uint32_t mask, write;
  uint32_t live;  // lanes that have not ended
  const uint32_t* lists;
  Site* sites;
  char* shared;
  uint32_t shared_bytes;
  char* local;              // interleaved: word w of lane l is at (w * 32 + l) * 4
  uint32_t local_bytes;     // a lane
  uint32_t* local_written;  // the lanes that have stored to each word; nullptr: not watched
  uint32_t local_base;      // of the current frame
  const char* params;       // of the kernel
  uint32_t param_bytes;
  uint32_t index;  // in the block
  uint32_t first_thread;
  Counts* counts;
  RaceShadow* race;
  StoreShadow* stores;    // nullptr: the launch is a single warp
  uint32_t author;        // its number, of author_stamp; 0: none
  uint32_t author_stamp;  // of the block's clock
  uint32_t acquired;      // on the launch's clock
  uint32_t epoch;         // of its lanes: steps at each barrier of the warp, and at fences
  uint32_t epoch_stamp;   // what it stores in this epoch has a stamp << 6 from here on
  uint32_t read_count;    // loads in this epoch; the last kLaneReads are in `reads`
  LaneRead reads[kLaneReads];
  AsyncCopy* copies;
  uint32_t copy_count, copy_capacity;
  uint32_t copy_groups[kLanes];  // committed so far
  Launch* launch;
  LaunchParts* parts;  // nullptr: the launch runs on one thread
  Block* block;
  uint32_t* poison;     // the pattern for undefined values (one word)
  bool sync_touched;    // an access that other threads may wait for
  bool fenced, looked;  // a fence since the block's start; an atomic since the last fence
  uint32_t tid[3][kLanes];
};

enum class StoreAccess : uint8_t { kLoad, kStore, kAtomic };

// Operations that the handlers leave to the run time. All return false when the launch ends.
bool FaultGlobal(Warp& w, const Op& op, const uint64_t* addresses, uint64_t offset, uint32_t bytes,
                 bool store);
enum class Window : uint8_t { kShared, kLocal, kParam };
bool FaultWindow(Warp& w, const Op& op, Window window, int lane, uint64_t offset, uint32_t bytes,
                 bool misaligned);
Span* FindSpan(Warp& w, uint64_t address, uint64_t bytes);
void KeepPiece(Warp& w, const Span& span, uint64_t piece);
void NoteUninitialised(Warp& w, const Op& op, int lane, uint64_t address, bool shared);
void NoteUninitialisedLocal(Warp& w, const Op& op, uint32_t lanes, uint32_t offset);
bool StoreToReadOnly(Warp& w, const Op& op, int lane, uint64_t address, Span* span);
void NoteRace(Warp& w, const Op& op, uint32_t address, uint32_t other_warp, RaceKind kind);
void NoteLaneRace(Warp& w, const Op& op, uint32_t address, int lane, int other, RaceKind kind);
void NoteShuffle(Warp& w, const Op& op, uint32_t members);
void GrowCopies(Warp& w);
// Stores of a launch (store_authors.cc).
void BecomeAuthor(Warp& w);
void WatchStores(Warp& w, Span* span);
void ReleaseStores(Warp& w);
bool IsPlainStoreOfBlock(const Warp& w, uint32_t mark);
// Reports units of [offset, offset + bytes) whose last author is not ordered before this access.
// `fresh`: the bytes that are stored, or nullptr; who stores what is there already does not race.
void CheckAuthors(Warp& w, const Op& op, int lane, const Span& span, uint64_t offset,
                  uint32_t bytes, StoreAccess access, const char* fresh);
bool StopUnsupported(Warp& w, const Op& op);
uint64_t SpecialValue(Warp& w, uint32_t which);

// A key in the table of handlers: what, for which type, in which variant.
constexpr uint32_t Key(uint32_t code, uint32_t type, uint32_t variant = 0) {
  return code << 16 | type << 8 | variant;
}
struct HandlerEntry {
  uint32_t key;
  Handler fn;
};
struct HandlerList {
  const HandlerEntry* entries;
  int count;
};

}  // namespace kw::eval::emu
