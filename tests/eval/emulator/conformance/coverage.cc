#include "coverage.h"

#include <algorithm>
#include <map>
#include <set>

#include "fmt/format.h"
#include "fmt/ranges.h"
#include "src/eval/emulator/ptx.h"

namespace kw::eval::conformance {

const std::vector<Elsewhere>& ShownElsewhere() {
  static const std::vector<Elsewhere> kEntries = {
      {"ld", "spaces, types, v2 v4, nc, cache operators, volatile relaxed acquire",
       "Memory.*, MemoryAccess.*, Probes"},
      {"ldu", "as ld", "Memory.NarrowLoadsExtendByTheirType"},
      {"st", "spaces, types, v2 v4, cache operators, volatile relaxed release",
       "Memory.*, MemoryAccess.*, Probes"},
      {"cvta", "to and from global, shared, local", "Memory.AddressesKnowTheirSpace"},
      {"isspacep", "global shared local", "Memory.AddressesKnowTheirSpace"},
      {"atom", "operations and types, scopes and orders, shared and global", "Memory.Atomics*"},
      {"red", "as atom", "Memory.Atomics*"},
      {"cp", "async ca cg, commit_group, wait_group, wait_all, mbarrier.arrive",
       "AsyncCopies.*, Numbers.MmaWithLdmatrixAndAsyncCopies"},
      {"prefetch", "no effect on results", "Ignored.Instructions"},
      {"prefetchu", "no effect on results", "Ignored.Instructions"},
      {"discard", "no effect on results", "Ignored.Instructions"},
      {"applypriority", "no effect on results", "Ignored.Instructions"},
      {"createpolicy", "a policy that nothing reads", "Ignored.Instructions"},
      {"griddepcontrol", "no effect: launches are ordered", "Ignored.Instructions"},
      {"nanosleep", "no effect on results", "Ignored.Instructions"},
      {"pmevent", "no effect on results", "Ignored.Instructions"},
      {"setmaxnreg", "no effect on results", "Ignored.Instructions"},
      {"membar", "cta gl sys", "GlobalRaces.*, Ignored.Instructions"},
      {"fence", "sc acq_rel proxy", "GlobalRaces.*, Ignored.Instructions"},
      {"bra", "uni, guarded, divergent", "Kernels.*, Probes"},
      {"brx", "idx", "Features.CallsSwitchesLocalArraysConstantsAndPrintf"},
      {"ret", "", "every test"},
      {"exit", "", "Ignored.Instructions, Probes"},
      {"trap", "", "Hazards.TrapsAndRefusedLaunches"},
      {"brkpt", "goes on", "Ignored.Instructions"},
      {"call", "direct, indirect, recursive, vprintf, __assertfail",
       "Features.CallsSwitchesLocalArraysConstantsAndPrintf"},
      {"bar", "sync arrive red warp.sync, named, counted", "Hazards.Barriers, Features.*"},
      {"barrier", "as bar", "Probes, Libraries.*"},
      {"shfl", "sync up down bfly idx", "Warps.ShufflesOfEveryMode"},
      {"vote", "sync all any uni ballot", "Warps.VotesMatchesAndReductions"},
      {"match", "any all b32 b64", "Warps.VotesMatchesAndReductions"},
      {"redux", "add min max and or xor u32 s32 b32", "Warps.VotesMatchesAndReductions"},
      {"activemask", "b32", "Warps.VotesMatchesAndReductions"},
      {"elect", "sync", "Warps.VotesMatchesAndReductions"},
      {"mma", "f16 bf16 tf32 e4m3 e5m2 s8 u8 f64", "Numbers.MmaWithLdmatrixAndAsyncCopies, Probes"},
      {"wmma", "load mma store: f16 bf16 tf32 s8 u8 f64", "Numbers.WmmaOfEveryShape, Probes"},
      {"ldmatrix", "x1 x2 x4 trans", "Numbers.MmaWithLdmatrixAndAsyncCopies"},
      {"stmatrix", "x1 x2 x4 trans", "Probes"},
      {"mbarrier", "init inval arrive arrive_drop test_wait try_wait", "Libraries.*, Probes"},
  };
  return kEntries;
}

namespace {

struct Entry {
  std::set<std::string> types, modifiers, tables;
  int rows = 0;
};

bool IsType(std::string_view part) {
  return ptx::TypeNamed(part) != ptx::Type::kNone || part == "e4m3x2" || part == "e5m2x2";
}

std::map<std::string, Entry> ByOpcode() {
  std::map<std::string, Entry> entries;
  for (const Table& table : Tables()) {
    for (const Row& row : table.rows) {
      std::string_view rest = row.opcode;
      Entry* entry = nullptr;
      while (!rest.empty()) {
        const std::string part(rest.substr(0, rest.find('.')));
        rest.remove_prefix(std::min(rest.size(), part.size() + 1));
        if (entry == nullptr) {
          entry = &entries[part];
        } else {
          (IsType(part) ? entry->types : entry->modifiers).insert(part);
        }
      }
      ++entry->rows;
      entry->tables.insert(table.name);
    }
  }
  return entries;
}

}  // namespace

std::string CoveragePage() {
  const auto entries = ByOpcode();
  int rows = 0;
  for (const auto& [opcode, entry] : entries) rows += entry.rows;
  std::string page = fmt::format(R"(# What the emulator's tests show, by opcode

Written by `scripts/emulator-coverage` from the tables under `tests/eval/emulator/conformance`; a test fails when this page or the tables lag behind the decoder.

## Functions of one lane's operands
{} opcodes in {} rows. `Conformance.OfEveryRow` runs each row on edge values and random ones against a scalar reference: plainly, with the result in an operand's register, and under a guard; with both builds of the handlers.

| opcode | types | modifiers | rows | table |
| --- | --- | --- | --- | --- |
)",
                                 entries.size(), rows);
  for (const auto& [opcode, entry] : entries) {
    page += fmt::format("| {} | {} | {} | {} | {} |\n", opcode, fmt::join(entry.types, " "),
                        fmt::join(entry.modifiers, " "), entry.rows, fmt::join(entry.tables, ", "));
  }
  page += R"(
## Memory, warps, control, tensors
"Probes" are the sources under `tests/eval/emulator/probes`, which nvcc compiles for compute_75, 80, 86, 89 and 90: every kernel is decoded whole, and every opcode of `opcodes.txt` beside them occurs.

| opcode | forms | test |
| --- | --- | --- |
)";
  for (const Elsewhere& entry : ShownElsewhere()) {
    page += fmt::format("| {} | {} | {} |\n", entry.opcode, entry.forms, entry.test);
  }
  page += R"(
## Refused by name
TMA (`cp.async.bulk`, `expect_tx`), clusters, `wgmma`, textures and surfaces, device `malloc`, `alloca`, 128-bit atomics: `RefusedProbes`, whose messages name the instruction and its line. Also sparse, sub-byte and other f64 tensor shapes.
)";
  return page;
}

}  // namespace kw::eval::conformance
