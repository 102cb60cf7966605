// Runs one warp.
//
// A warp is a set of lane groups, each at its own pc. The group with the smallest pc runs until
// its block of instructions ends; groups that reach the same pc become one. A group that goes
// round a loop in which it looks at memory that others may change gives way after a while, so
// that lanes, warps and blocks can wait for each other in loops.
#include "warp_runner.h"

#include <bit>
#include <cstring>

#include "fmt/format.h"

namespace kw::eval::emu {
namespace {

constexpr uint32_t kSpinQuota = 32;
constexpr uint32_t kMaxCallDepth = 256;

bool SameFrame(const Group& a, const Group& b) {
  return a.pc == b.pc && a.function == b.function && a.stack == b.stack;
}

// Does an operand lie in the constants?
bool IsConstant(uint32_t operand) { return operand >> 31 != 0; }

// Lanes that a collective waits for and that are still alive elsewhere.
uint32_t Missing(const WarpState& ws, const Group& group, const Op& op) {
  uint32_t here = group.mask;
  if (op.imm == kWarpBarrier) {
    // Lanes may wait at different places.
    for (const Group& other : ws.groups) {
      if (other.state == Group::State::kCollective && other.members == group.members) {
        here |= other.mask;
      }
    }
  }
  return group.members & ws.warp.live & ~here;
}

}  // namespace

void Restore(WarpState& ws, const Group& group) {
  Warp& w = ws.warp;
  w.mask = group.mask;
  w.write = group.mask | ~w.live;
  w.base[0] = ws.registers + group.registers;
  w.predicates = ws.predicates.data() + group.predicates;
  w.local_base = group.local;
}

// The ready group that runs next: least penalty, deepest call, smallest pc.
int WarpRunner::Pick() {
  int best = -1;
  for (size_t i = 0; i < ws_.groups.size(); ++i) {
    const Group& g = ws_.groups[i];
    if (g.state != Group::State::kReady) continue;
    if (best < 0) {
      best = static_cast<int>(i);
      continue;
    }
    const Group& b = ws_.groups[static_cast<size_t>(best)];
    const bool better = g.penalty != b.penalty             ? g.penalty < b.penalty
                        : g.stack.size() != b.stack.size() ? g.stack.size() > b.stack.size()
                                                           : g.pc < b.pc;
    if (better) best = static_cast<int>(i);
  }
  return best;
}

void WarpRunner::MergeReady() {
  for (size_t i = 0; i < ws_.groups.size(); ++i) {
    Group& a = ws_.groups[i];
    if (a.state != Group::State::kReady || a.mask == 0) continue;
    for (size_t j = i + 1; j < ws_.groups.size(); ++j) {
      Group& b = ws_.groups[j];
      if (b.state != Group::State::kReady || b.mask == 0 || !SameFrame(a, b)) continue;
      a.mask |= b.mask;
      a.penalty = std::min(a.penalty, b.penalty);
      b.mask = 0;
    }
  }
  RemoveEmpty();
}

bool WarpRunner::Run() {
  ws_.spun = false;
  gave_way_ = false;
  for (;;) {
    if (ws_.groups.size() > 1) MergeReady();
    if (ws_.groups.empty()) {
      ws_.done = true;
      return true;
    }
    const int next = Pick();
    if (next >= 0) {
      if (!RunGroup(static_cast<size_t>(next))) return false;
      if (gave_way_) {
        ws_.spun = true;
        return true;
      }
      continue;
    }
    bool progress = false;
    if (!Resolve(&progress)) return false;
    if (progress) continue;
    return Arrive();
  }
}

// No group is ready: collectives whose lanes have all come (or ended) go on.
bool WarpRunner::Resolve(bool* progress) {
  int stuck = -1;
  for (size_t i = 0; i < ws_.groups.size(); ++i) {
    Group& group = ws_.groups[i];
    if (group.state != Group::State::kCollective) continue;
    if (Missing(ws_, group, ops_[group.pc]) == 0) {
      group.state = Group::State::kReady;
      group.members = 0;
      *progress = true;
      return true;
    }
    if (stuck < 0 || group.pc < ws_.groups[static_cast<size_t>(stuck)].pc) {
      stuck = static_cast<int>(i);
    }
  }
  if (stuck < 0) return true;
  Group& group = ws_.groups[static_cast<size_t>(stuck)];
  Restore(ws_, group);
  NoteShuffle(ws_.warp, ops_[group.pc], Missing(ws_, group, ops_[group.pc]));
  // It goes on with who is here, as hardware does in its own undefined way.
  group.members = group.mask;
  group.state = Group::State::kReady;
  *progress = true;
  return true;
}

// All groups wait at barriers: the warp arrives.
bool WarpRunner::Arrive() {
  Group* first = &ws_.groups[0];
  for (Group& group : ws_.groups) {
    if (group.pc < first->pc) first = &group;
  }
  const auto line = [&](const Group& g) {
    const Origin& origin = launch_.program->origins[ops_[g.pc].origin];
    return origin.instruction == nullptr ? 0 : origin.instruction->source.line;
  };
  for (Group& group : ws_.groups) {
    if (&group == first || (line(group) == line(*first) && line(group) != 0)) continue;
    if (!FirstNote(ws_.warp, ops_[group.pc], Noted::kBarrier)) continue;
    Restore(ws_, group);
    Hazard hazard =
        MakeHazard(ws_.warp, ops_[group.pc], std::countr_zero(group.mask), "barrier_divergence");
    hazard.text = fmt::format(
        "lanes of one warp wait at different barriers (another one is at line {}): every thread "
        "of the block must reach the same __syncthreads(); move it out of the condition. {}",
        line(*first), Where(hazard));
    launch_.hazards->Add(std::move(hazard));
    break;
  }
  ws_.blocked = true;
  BarrierState& barrier = block_.barriers[first->barrier];
  block_.open_barriers |= 1u << first->barrier;
  barrier.waiting |= 1u << ws_.warp.index;
  barrier.arrived += kLanes;
  return true;
}

void WarpRunner::Split(Group& group, uint32_t lanes, uint32_t pc) {
  Group other = group;
  other.mask = lanes;
  other.pc = pc;
  group.mask &= ~lanes;
  ws_.groups.push_back(std::move(other));  // `group` may be gone after this
}

// A way back: false when the group must give way.
bool WarpRunner::TakeBack(Group& group, uint32_t target) {
  if (target > group.pc || !ws_.warp.sync_touched) return true;
  ws_.warp.sync_touched = false;
  if (++group.spins < kSpinQuota) return true;
  group.spins = 0;
  const bool others = std::any_of(ws_.groups.begin(), ws_.groups.end(), [&](const Group& g) {
    return &g != &group && g.state == Group::State::kReady;
  });
  if (others && group.penalty < 200) {
    ++group.penalty;
  } else {
    for (Group& g : ws_.groups) g.penalty = 0;
    gave_way_ = true;
  }
  return false;
}

bool WarpRunner::RunGroup(size_t index) {
  Group* group = &ws_.groups[index];
  Warp& w = ws_.warp;
  Restore(ws_, *group);
  uint32_t pc = group->pc;
  for (;;) {
    const Op* op = ops_ + pc;
    while (op->kind == OpKind::kStraight) {
      if (op->guard == 0) {
        if (!op->fn(w, *op)) return false;
      } else {
        const uint32_t lanes = w.predicates[op->guard >> 1] ^ (0u - (op->guard & 1));
        const uint32_t mask = w.mask, write = w.write;
        w.mask = mask & lanes;
        if (w.mask != 0) {
          w.write = w.mask | ~w.live;
          if (!op->fn(w, *op)) return false;
        }
        w.mask = mask;
        w.write = write;
      }
      op += op->repeats + 1;
    }
    pc = static_cast<uint32_t>(op - ops_);
    group->pc = pc;
    bool leave = false;
    if (!Terminate(*group, *op, &leave)) return false;
    if (leave) return true;
    pc = group->pc;
  }
}

bool WarpRunner::Terminate(Group& group, const Op& op, bool* leave) {
  Warp& w = ws_.warp;
  if (op.kind == OpKind::kCollective) return AtCollective(group, op, leave);
  if (op.kind == OpKind::kBarrier) return AtBarrier(group, op, leave);
  const uint32_t lanes =
      group.mask == kAllLanes ? kLanes : static_cast<uint32_t>(std::popcount(group.mask));
  BlockStat& stat = launch_.stats[op.block];
  ++stat.warps;
  stat.lanes += lanes;
  launch_.spent += uint64_t{lanes} * launch_.program->blocks[op.block].size;
  launch_.effort += uint64_t{std::max(lanes, kLeastLanes)} * launch_.program->blocks[op.block].size;
  if (launch_.effort > launch_.budget) return StopForBudget(w, op);
  const uint32_t holds = op.guard == 0
                             ? group.mask
                             : group.mask & (w.predicates[op.guard >> 1] ^ (0u - (op.guard & 1)));
  *leave = ws_.groups.size() > 1;
  switch (op.kind) {
    case OpKind::kJump:
      if (!TakeBack(group, op.target)) *leave = true;
      group.pc = op.target;
      return true;
    case OpKind::kBranch:
      if (holds == 0) {
        group.pc = op.next;
        return true;
      }
      if (holds == group.mask) {
        if (!TakeBack(group, op.target)) *leave = true;
        group.pc = op.target;
        return true;
      }
      ++launch_.divergent_branches;
      TakeBack(group, op.target);
      group.pc = op.next;
      Split(group, holds, op.target);
      *leave = true;
      return true;
    case OpKind::kIndirect: {
      const uint32_t* index =
          reinterpret_cast<const uint32_t*>(w.base[op.a >> 31] + (op.a & 0x7fffffff));
      const std::vector<uint32_t>& table = launch_.program->tables[op.imm];
      const uint32_t lead = index[std::countr_zero(group.mask)];
      uint32_t same = 0;
      for (int i = 0; i < kLanes; ++i) same |= static_cast<uint32_t>(index[i] == lead) << i;
      same &= group.mask;
      if (lead >= table.size()) {
        Hazard hazard = MakeHazard(w, op, std::countr_zero(same), "bad_branch");
        hazard.text = fmt::format("an indirect branch with index {} of {}. {}", lead, table.size(),
                                  Where(hazard));
        return StopWithHazard(w, std::move(hazard));
      }
      if (same == group.mask) {
        if (!TakeBack(group, table[lead])) *leave = true;
        group.pc = table[lead];
        return true;
      }
      ++launch_.divergent_branches;
      Split(group, same, table[lead]);
      *leave = true;
      return true;
    }
    case OpKind::kExit:
      w.live &= ~holds;
      group.mask &= ~holds;
      group.pc = op.next;
      if (group.mask == 0) RemoveEmpty();
      *leave = true;
      return true;
    case OpKind::kReturn:
      if (holds == 0) {
        group.pc = op.next;
        return true;
      }
      if (holds != group.mask) {
        // Those that return become a group of their own, which comes back here without guard.
        const uint32_t stay = group.mask & ~holds;
        Split(group, stay, op.next);
        *leave = true;
        return true;
      }
      ReturnFrom(group);
      *leave = true;
      return true;
    case OpKind::kCall:
      return CallFunction(group, op, leave);
    case OpKind::kTrap: {
      Hazard hazard = MakeHazard(w, op, std::countr_zero(group.mask), "trap");
      hazard.text = fmt::format("the kernel executed a trap. {}", Where(hazard));
      return StopWithHazard(w, std::move(hazard));
    }
    default:
      return StopUnsupportedOp(w, op);
  }
}

namespace {

// Without a way out of the loop, which is vectors then.
bool AllHold(const uint32_t* lanes, uint32_t value) {
  bool all = true;
  for (int i = 0; i < kLanes; ++i) all &= lanes[i] == value;
  return all;
}

}  // namespace

bool WarpRunner::AtCollective(Group& group, const Op& op, bool* leave) {
  Warp& w = ws_.warp;
  const uint32_t* members =
      reinterpret_cast<const uint32_t*>(w.base[op.c >> 31] + (op.c & 0x7fffffff));
  // After a report the group goes on with the lanes that are here.
  const bool forced = group.members != 0 && group.members == group.mask;
  for (Group& other : ws_.groups) {
    if (&other == &group || other.state != Group::State::kCollective) continue;
    if (!SameFrame(group, other)) continue;
    group.mask |= other.mask;
    other.mask = 0;
  }
  const uint32_t lead = members[std::countr_zero(group.mask)];
  uint32_t wanted = lead, strangers = group.mask & ~lead;
  bool same = true;
  if (!IsConstant(op.c) && !AllHold(members, lead)) {
    // Tiles of a warp may meet here, each with its own mask.
    strangers = 0;
    for (uint32_t m = group.mask; m != 0; m &= m - 1) {
      const int lane = std::countr_zero(m);
      wanted |= members[lane];
      strangers |= (~members[lane] >> lane & 1) << lane;
      same &= members[lane] == lead;
    }
  }
  group.members = forced ? group.mask : wanted;
  const uint32_t missing = ws_.groups.size() > 1 ? Missing(ws_, group, op) : 0;
  if (missing != 0) {
    group.state = Group::State::kCollective;
    RemoveEmpty();
    *leave = true;
    return true;
  }
  const uint32_t met = group.members;
  group.members = 0;
  Restore(ws_, group);
  if (strangers != 0) NoteShuffle(w, op, 0);
  if (same) {
    if (!op.fn(w, op)) return false;
  } else {
    for (uint32_t left = group.mask; left != 0;) {
      const uint32_t mask = members[std::countr_zero(left)];
      uint32_t tile = 0;
      for (uint32_t m = left; m != 0; m &= m - 1) {
        const int lane = std::countr_zero(m);
        tile |= static_cast<uint32_t>(members[lane] == mask) << lane;
      }
      left &= ~tile;
      w.mask = w.write = tile;
      if (!op.fn(w, op)) return false;
    }
    Restore(ws_, group);
  }
  // It orders no memory, but all lanes' loads before it were issued: stores behind it are no race.
  w.read_count = 0;
  group.pc += 1;
  if (op.imm == kWarpBarrier && ws_.groups.size() > 1) {
    // bar.warp.sync lets go all that waited with it.
    for (Group& other : ws_.groups) {
      if (&other == &group || other.state != Group::State::kCollective) continue;
      if (other.members == met && ops_[other.pc].imm == kWarpBarrier) {
        other.state = Group::State::kReady;
        other.members = 0;
        other.pc += 1;
      }
    }
  }
  *leave = ws_.groups.size() > 1;
  if (*leave) RemoveEmpty();
  return true;
}

bool WarpRunner::AtBarrier(Group& group, const Op& op, bool* leave) {
  Warp& w = ws_.warp;
  const auto value = [&](uint32_t at) {
    return reinterpret_cast<const uint32_t*>(w.base[at >> 31] +
                                             (at & 0x7fffffff))[std::countr_zero(group.mask)];
  };
  const uint32_t id = value(op.a), threads = value(op.b);
  if (id > 15) {
    Hazard hazard = MakeHazard(w, op, std::countr_zero(group.mask), "bad_barrier");
    hazard.text = fmt::format("barrier {} of 16. {}", id, Where(hazard));
    return StopWithHazard(w, std::move(hazard));
  }
  BarrierState& barrier = block_.barriers[id];
  if (threads != 0) barrier.expected = threads;
  if (op.extra >= 2) {
    const uint32_t p = w.predicates[op.c >> 1] ^ (0u - (op.c & 1));
    barrier.votes += static_cast<uint32_t>(std::popcount(p & group.mask));
    barrier.all &= (p & group.mask) == group.mask;
    barrier.any |= (p & group.mask) != 0;
  }
  if (op.extra == 1) {
    barrier.arrived += group.mask == w.live ? kLanes : std::popcount(group.mask);
    barrier.sources |= 1u << w.index;
    block_.open_barriers |= 1u << id;
    group.pc += 1;
    *leave = true;
    return true;
  }
  group.barrier = id;
  group.state = Group::State::kBarrier;
  for (Group& other : ws_.groups) {
    if (&other == &group || other.state != Group::State::kBarrier) continue;
    if (!SameFrame(group, other)) continue;
    group.mask |= other.mask;
    other.mask = 0;
  }
  RemoveEmpty();
  *leave = true;
  return true;
}

bool WarpRunner::CallFunction(Group& group, const Op& op, bool* leave) {
  Warp& w = ws_.warp;
  const CallSite& site = launch_.program->calls[op.imm];
  *leave = ws_.groups.size() > 1;
  switch (site.built_in) {
    case CallSite::BuiltIn::kPrintf:
      group.pc = op.next;
      return DevicePrintf(w, op, site);
    case CallSite::BuiltIn::kAssert:
      return DeviceAssert(w, op, site);
    case CallSite::BuiltIn::kNone:
      return Enter(group, op, site, static_cast<uint32_t>(site.callee));
    case CallSite::BuiltIn::kIndirect:
      break;
  }
  const uint64_t* address =
      reinterpret_cast<const uint64_t*>(w.base[op.a >> 31] + (op.a & 0x7fffffff));
  const uint64_t lead = address[std::countr_zero(group.mask)];
  uint32_t same = 0;
  for (int i = 0; i < kLanes; ++i) same |= static_cast<uint32_t>(address[i] == lead) << i;
  same &= group.mask;
  if (same != group.mask) {
    Split(group, group.mask & ~same, group.pc);
    *leave = true;
    return true;
  }
  const uint64_t index = (lead - kCodeWindow) / 16;
  const std::vector<int>& codes = launch_.program->code_of_function;
  if ((lead & kWindowMask) != kCodeWindow || index >= codes.size() || codes[index] < 0) {
    Hazard hazard = MakeHazard(w, op, std::countr_zero(group.mask), "bad_call");
    hazard.address = lead;
    hazard.text = fmt::format("a call to {:#x}, which is no function. {}", lead, Where(hazard));
    return StopWithHazard(w, std::move(hazard));
  }
  return Enter(group, op, site, static_cast<uint32_t>(codes[index]));
}

namespace {

void CopyLocal(const Warp& w, uint32_t mask, uint32_t from, uint32_t to, uint32_t bytes) {
  for (uint32_t lanes = mask; lanes != 0; lanes &= lanes - 1) {
    const int lane = std::countr_zero(lanes);
    for (uint32_t i = 0; i < bytes; ++i) *LocalAt(w, to + i, lane) = *LocalAt(w, from + i, lane);
  }
  RememberLocal(w, mask, to, bytes);
}

}  // namespace

bool WarpRunner::Enter(Group& group, const Op& op, const CallSite& site, uint32_t callee) {
  Warp& w = ws_.warp;
  const FunctionCode& from = launch_.program->functions[group.function];
  const FunctionCode& to = launch_.program->functions[callee];
  const uint32_t registers = group.registers + from.frame_bytes;
  const uint32_t predicates = group.predicates + from.predicates;
  const uint32_t local = group.local + from.local_bytes;
  if (group.stack.size() >= kMaxCallDepth || registers + to.frame_bytes > launch_.register_bytes ||
      predicates + to.predicates > launch_.predicate_words ||
      local + to.local_bytes > launch_.local_bytes) {
    Hazard hazard = MakeHazard(w, op, std::countr_zero(group.mask), "stack_overflow");
    hazard.text = fmt::format("calls nest too deep ({}): the stack of a thread is full. {}",
                              group.stack.size() + 1, Where(hazard));
    return StopWithHazard(w, std::move(hazard));
  }
  if (site.arguments.size() != to.parameter_offsets.size() ||
      site.results.size() != to.result_offsets.size()) {
    return StopUnsupportedOp(w, op);
  }
  const auto bytes_of = [](const std::vector<ptx::Variable>& variables, size_t i) {
    return static_cast<uint32_t>(variables[i].bytes);
  };
  ForgetLocal(w, group.mask, local, to.local_bytes);
  for (size_t i = 0; i < site.arguments.size(); ++i) {
    const uint32_t bytes = std::min(site.arguments[i].bytes, bytes_of(to.source->parameters, i));
    CopyLocal(w, group.mask, group.local + site.arguments[i].from, local + to.parameter_offsets[i],
              bytes);
  }
  group.stack.push_back({op.next, static_cast<uint32_t>(op.imm), group.function, group.registers,
                         group.predicates, group.local});
  group.function = callee;
  group.registers = registers;
  group.predicates = predicates;
  group.local = local;
  group.pc = to.entry;
  ws_.predicates[predicates] |= group.mask;
  ws_.predicates[predicates + 1] &= ~group.mask;
  Restore(ws_, group);
  return true;
}

void WarpRunner::ReturnFrom(Group& group) {
  const Return back = group.stack.back();
  const FunctionCode& callee = launch_.program->functions[group.function];
  const CallSite& site = launch_.program->calls[back.call];
  for (size_t i = 0; i < site.results.size() && i < callee.result_offsets.size(); ++i) {
    const uint32_t bytes =
        std::min(site.results[i].bytes, static_cast<uint32_t>(callee.source->results[i].bytes));
    CopyLocal(ws_.warp, group.mask, group.local + callee.result_offsets[i],
              back.local + site.results[i].to, bytes);
  }
  group.stack.pop_back();
  group.function = back.function;
  group.registers = back.registers;
  group.predicates = back.predicates;
  group.local = back.local;
  group.pc = back.pc;
}

}  // namespace kw::eval::emu
