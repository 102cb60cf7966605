// From a function's micro instructions to ops: basic blocks, their order, registers.
//
// Blocks are ordered so that a block comes after all that lead to it forward, and a loop's
// blocks stay together before its exits: the warp scheduler runs the lanes with the smallest pc
// first, so lanes that took different ways meet where the ways join.
#include <algorithm>
#include <limits>
#include <map>
#include <numeric>

#include "decoder.h"
#include "fmt/format.h"

namespace kw::eval::emu {
namespace {

struct Block {
  int first = 0, end = 0;  // micros
  std::vector<int> successors;
  int loop_depth = 0;
};

bool EndsBlock(OpKind kind) {
  switch (kind) {
    case OpKind::kBranch:
    case OpKind::kJump:
    case OpKind::kIndirect:
    case OpKind::kExit:
    case OpKind::kReturn:
    case OpKind::kTrap:
    case OpKind::kUnsupported:
    case OpKind::kCall:
      return true;
    default:
      return false;
  }
}

class Assembler {
 public:
  Assembler(FunctionDraft* draft, Program* program) : draft_(*draft), program_(*program) {}

  Result<void> Run() {
    SplitBlocks();
    ShareSites();
    Link();
    FindLoops();
    Order();
    Linearise();
    Liveness();
    Allocate();
    KW_TRY(Write());
    return {};
  }

 private:
  void SplitBlocks();
  void ShareSites();
  void Link();
  void FindLoops();
  void Order();
  void Linearise();
  void Liveness();
  void Allocate();
  Result<void> Write();
  void JoinRuns(size_t first);
  int BlockAt(int micro) const { return block_of_[static_cast<size_t>(micro)]; }
  int BlockOfLabel(int32_t instruction) const {
    return BlockAt(draft_.start[static_cast<size_t>(instruction)]);
  }

  FunctionDraft& draft_;
  Program& program_;
  std::vector<Block> blocks_;
  std::vector<int> block_of_;               // of each micro that leads a block
  std::vector<int> order_;                  // reachable blocks
  std::vector<int> position_;               // of a block in order_, or -1
  std::vector<Micro*> line_;                // all micros in order
  std::vector<std::pair<int, int>> range_;  // of each block in order_, in line_
  struct Interval {
    int begin = std::numeric_limits<int>::max(), end = -1;
  };
  std::vector<Interval> intervals_;
  std::vector<uint32_t> slot_;
  uint32_t slots32_ = 0, slots64_ = 0, predicates_ = 3;
};

void Assembler::SplitBlocks() {
  std::vector<Micro>& micros = draft_.micros;
  std::vector<char> leads(micros.size() + 1, 0);
  leads[0] = 1;
  const auto label = [&](int32_t instruction) {
    if (instruction >= 0)
      leads[static_cast<size_t>(draft_.start[static_cast<size_t>(instruction)])] = 1;
  };
  for (size_t i = 0; i < micros.size(); ++i) {
    label(micros[i].target);
    label(micros[i].next);
    for (const int32_t target : micros[i].targets) label(target);
    if (EndsBlock(micros[i].op.kind)) leads[i + 1] = 1;
  }
  block_of_.assign(micros.size() + 1, -1);
  for (size_t i = 0; i < micros.size();) {
    size_t end = i + 1;
    while (end < micros.size() && leads[end] == 0) ++end;
    block_of_[i] = static_cast<int>(blocks_.size());
    blocks_.push_back({static_cast<int>(i), static_cast<int>(end), {}, 0});
    i = end;
  }
}

// Accesses to shared memory by one base register, all of a block's lanes at a time, have one
// pattern: an unrolled loop's loads are compared once.
void Assembler::ShareSites() {
  struct Known {
    uint32_t site;
    int bytes;
  };
  for (const Block& block : blocks_) {
    std::map<int32_t, Known> known;  // by base
    for (int i = block.first; i < block.end; ++i) {
      Micro& micro = draft_.micros[static_cast<size_t>(i)];
      // Other lanes may join.
      if (micro.op.kind != OpKind::kStraight) known.clear();
      if (micro.shared_bytes != 0 && micro.guard < 0) {
        const auto base = std::find_if(micro.refs.begin(), micro.refs.end(),
                                       [](const Ref& ref) { return ref.place == Place::kA; });
        const auto [at, fresh] =
            known.try_emplace(base->reg, Known{micro.op.site, micro.shared_bytes});
        if (fresh || at->second.bytes != micro.shared_bytes) {
          at->second = {micro.op.site, micro.shared_bytes};
        } else {
          micro.op.site = at->second.site;
          micro.op.extra |= kKnownPattern;
        }
      }
      for (const Ref& ref : micro.refs) {
        if (ref.is_def) known.erase(ref.reg);
      }
    }
  }
}

void Assembler::Link() {
  for (size_t b = 0; b < blocks_.size(); ++b) {
    Block& block = blocks_[b];
    const Micro& last = draft_.micros[static_cast<size_t>(block.end) - 1];
    const bool guarded = last.guard >= 0;
    const int after = b + 1 < blocks_.size() ? static_cast<int>(b) + 1 : -1;
    switch (last.op.kind) {
      case OpKind::kBranch:
        block.successors = {BlockOfLabel(last.target), after};
        break;
      case OpKind::kJump:
        block.successors = {BlockOfLabel(last.target)};
        break;
      case OpKind::kIndirect:
        for (const int32_t target : last.targets) block.successors.push_back(BlockOfLabel(target));
        break;
      case OpKind::kExit:
      case OpKind::kReturn:
        if (guarded) block.successors = {after};
        break;
      case OpKind::kTrap:
      case OpKind::kUnsupported:
        // The way on keeps later code reachable, though nothing ever takes it.
        block.successors = {after};
        break;
      default:
        block.successors = {after};
    }
    std::erase(block.successors, -1);
  }
}

// Loop depth from natural loops: an edge back to a block that is open in a depth-first walk.
void Assembler::FindLoops() {
  const size_t n = blocks_.size();
  std::vector<int> number(n, -1);
  std::vector<char> open(n, 0);
  std::vector<std::vector<int>> predecessors(n);
  std::vector<std::pair<int, int>> back;  // from, header
  std::vector<std::pair<int, size_t>> stack = {{0, 0}};
  number[0] = 0;
  open[0] = 1;
  while (!stack.empty()) {
    auto& [block, next] = stack.back();
    if (next == blocks_[static_cast<size_t>(block)].successors.size()) {
      open[static_cast<size_t>(block)] = 0;
      stack.pop_back();
      continue;
    }
    const int to = blocks_[static_cast<size_t>(block)].successors[next++];
    const int from = block;
    predecessors[static_cast<size_t>(to)].push_back(from);
    if (number[static_cast<size_t>(to)] < 0) {
      number[static_cast<size_t>(to)] = 0;
      open[static_cast<size_t>(to)] = 1;
      stack.emplace_back(to, 0);
    } else if (open[static_cast<size_t>(to)] != 0) {
      back.emplace_back(from, to);
    }
  }
  // Bodies are walked back from the edge; the total work is bounded for hostile graphs.
  int64_t work = 20'000'000;
  std::vector<int> mark(n, -1);
  std::sort(back.begin(), back.end(), [](const auto& a, const auto& b) {
    return a.second != b.second ? a.second < b.second : a.first < b.first;
  });
  int stamp = 0;
  for (size_t i = 0; i < back.size() && work > 0; ++i) {
    const int header = back[i].second;
    if (i == 0 || back[i - 1].second != header) {
      ++stamp;
      mark[static_cast<size_t>(header)] = stamp;
      ++blocks_[static_cast<size_t>(header)].loop_depth;
    }
    std::vector<int> todo;
    const auto visit = [&](int block) {
      if (mark[static_cast<size_t>(block)] == stamp) return;
      mark[static_cast<size_t>(block)] = stamp;
      ++blocks_[static_cast<size_t>(block)].loop_depth;
      todo.push_back(block);
    };
    visit(back[i].first);
    while (!todo.empty() && work > 0) {
      const int block = todo.back();
      todo.pop_back();
      for (const int p : predecessors[static_cast<size_t>(block)]) {
        --work;
        visit(p);
      }
    }
  }
}

// Reverse post-order in which the ways out of a loop are walked first, and so come last.
void Assembler::Order() {
  const size_t n = blocks_.size();
  std::vector<char> seen(n, 0);
  std::vector<std::pair<int, size_t>> stack;
  std::vector<int> post;
  for (Block& block : blocks_) {
    std::stable_sort(block.successors.begin(), block.successors.end(), [&](int a, int b) {
      const int da = blocks_[static_cast<size_t>(a)].loop_depth;
      const int db = blocks_[static_cast<size_t>(b)].loop_depth;
      return da != db ? da < db : a > b;
    });
  }
  seen[0] = 1;
  stack.emplace_back(0, 0);
  while (!stack.empty()) {
    auto& [block, next] = stack.back();
    const std::vector<int>& successors = blocks_[static_cast<size_t>(block)].successors;
    if (next == successors.size()) {
      post.push_back(block);
      stack.pop_back();
      continue;
    }
    const int to = successors[next++];
    if (seen[static_cast<size_t>(to)] == 0) {
      seen[static_cast<size_t>(to)] = 1;
      stack.emplace_back(to, 0);
    }
  }
  order_.assign(post.rbegin(), post.rend());
  position_.assign(n, -1);
  for (size_t i = 0; i < order_.size(); ++i) {
    position_[static_cast<size_t>(order_[i])] = static_cast<int>(i);
  }
}

// Every block gets a terminator of its own, so that ops need no fall through.
void Assembler::Linearise() {
  for (size_t i = 0; i < order_.size(); ++i) {
    Block& block = blocks_[static_cast<size_t>(order_[i])];
    const int begin = static_cast<int>(line_.size());
    for (int m = block.first; m < block.end; ++m) {
      line_.push_back(&draft_.micros[static_cast<size_t>(m)]);
    }
    range_.emplace_back(begin, static_cast<int>(line_.size()));
  }
  intervals_.assign(draft_.registers.size(), {});
}

// Live ranges as one interval a register: from its first definition to its last use in the
// final order, stretched over every block that it is live into or out of.
void Assembler::Liveness() {
  const size_t n = order_.size();
  const size_t registers = draft_.registers.size();
  // Registers that live in one block only need no data flow.
  std::vector<int> home(registers, -1);
  std::vector<int> global;
  std::vector<int> global_index(registers, -1);
  const auto each = [&](const Micro& micro, auto f) {
    if (micro.guard >= 0) f(micro.guard, false, false);
    for (const Ref& ref : micro.refs) {
      if (ref.reg >= 0) f(ref.reg, ref.is_def, micro.guard >= 0);
    }
  };
  std::vector<char> exposed(registers, 0);  // used before defined in its block
  std::vector<int> defined_in(registers, -1);
  for (size_t b = 0; b < n; ++b) {
    for (int i = range_[b].first; i < range_[b].second; ++i) {
      const auto visit = [&](bool defs) {
        each(*line_[static_cast<size_t>(i)], [&](int r, bool is_def, bool guarded) {
          const size_t reg = static_cast<size_t>(r);
          if (is_def != defs) return;
          if (home[reg] == -1) home[reg] = static_cast<int>(b);
          if (home[reg] != static_cast<int>(b)) home[reg] = -2;
          if (is_def && !guarded) defined_in[reg] = static_cast<int>(b);
          if ((!is_def || guarded) && defined_in[reg] != static_cast<int>(b)) exposed[reg] = 1;
          Interval& interval = intervals_[reg];
          interval.begin = std::min(interval.begin, i);
          interval.end = std::max(interval.end, i);
        });
      };
      visit(false);
      visit(true);
    }
  }
  for (size_t r = 0; r < registers; ++r) {
    if (home[r] == -2 || (home[r] >= 0 && exposed[r] != 0)) {
      global_index[r] = static_cast<int>(global.size());
      global.push_back(static_cast<int>(r));
    }
  }
  const size_t words = (global.size() + 63) / 64;
  constexpr size_t kMaxWords = size_t{64} << 20;
  if (words * n * 3 > kMaxWords) {
    for (const int r : global)
      intervals_[static_cast<size_t>(r)] = {0, static_cast<int>(line_.size())};
    return;
  }
  std::vector<uint64_t> use(words * n), def(words * n), in(words * n);
  const auto bit = [&](std::vector<uint64_t>& set, size_t b, int g) -> uint64_t& {
    return set[b * words + static_cast<size_t>(g) / 64];
  };
  for (size_t b = 0; b < n; ++b) {
    for (int i = range_[b].first; i < range_[b].second; ++i) {
      const Micro& micro = *line_[static_cast<size_t>(i)];
      for (const bool defs : {false, true}) {
        each(micro, [&](int r, bool is_def, bool guarded) {
          const int g = global_index[static_cast<size_t>(r)];
          if (g < 0 || is_def != defs) return;
          const uint64_t mask = uint64_t{1} << (g & 63);
          if (is_def && !guarded) {
            bit(def, b, g) |= mask;
          } else if ((bit(def, b, g) & mask) == 0) {
            bit(use, b, g) |= mask;
          }
        });
      }
    }
  }
  bool changed = true;
  while (changed) {
    changed = false;
    for (size_t k = n; k-- > 0;) {
      const Block& block = blocks_[static_cast<size_t>(order_[k])];
      for (size_t w = 0; w < words; ++w) {
        uint64_t out = 0;
        for (const int s : block.successors) {
          out |= in[static_cast<size_t>(position_[static_cast<size_t>(s)]) * words + w];
        }
        const uint64_t now = use[k * words + w] | (out & ~def[k * words + w]);
        if (now != in[k * words + w]) {
          in[k * words + w] = now;
          changed = true;
        }
      }
    }
  }
  for (size_t k = 0; k < n; ++k) {
    const Block& block = blocks_[static_cast<size_t>(order_[k])];
    for (size_t w = 0; w < words; ++w) {
      uint64_t out = 0;
      for (const int s : block.successors) {
        out |= in[static_cast<size_t>(position_[static_cast<size_t>(s)]) * words + w];
      }
      const uint64_t live_in = in[k * words + w];
      for (uint64_t m = live_in | out; m != 0; m &= m - 1) {
        const size_t g = w * 64 + static_cast<size_t>(__builtin_ctzll(m));
        Interval& interval = intervals_[static_cast<size_t>(global[g])];
        const uint64_t mask = uint64_t{1} << (g & 63);
        if ((live_in & mask) != 0) {
          interval.begin = std::min(interval.begin, range_[k].first);
          interval.end = std::max(interval.end, range_[k].first);
        }
        if ((out & mask) != 0) {
          interval.begin = std::min(interval.begin, range_[k].second);
          interval.end = std::max(interval.end, range_[k].second);
        }
      }
    }
  }
}

// Linear scan. A register dies after its last reader has written its results, so results never
// overlap operands of another width.
void Assembler::Allocate() {
  std::vector<int> by_begin;
  for (size_t r = 0; r < intervals_.size(); ++r) {
    if (intervals_[r].end >= 0) by_begin.push_back(static_cast<int>(r));
  }
  std::sort(by_begin.begin(), by_begin.end(), [&](int a, int b) {
    const Interval& x = intervals_[static_cast<size_t>(a)];
    const Interval& y = intervals_[static_cast<size_t>(b)];
    return x.begin != y.begin ? x.begin < y.begin : a < b;
  });
  slot_.assign(intervals_.size(), 0);
  std::vector<uint32_t> free_slots[3];
  std::vector<std::pair<int, int>> active;  // heap of (end, register), the smallest first
  const auto later = std::greater<std::pair<int, int>>();
  const auto kind = [&](int r) {
    const uint8_t bytes = draft_.registers[static_cast<size_t>(r)].bytes;
    return bytes == 0 ? 0 : bytes == 8 ? 2 : 1;
  };
  uint32_t* const counts[3] = {&predicates_, &slots32_, &slots64_};
  for (const int r : by_begin) {
    const Interval& interval = intervals_[static_cast<size_t>(r)];
    while (!active.empty() && active.front().first < interval.begin) {
      std::pop_heap(active.begin(), active.end(), later);
      const int dead = active.back().second;
      free_slots[kind(dead)].push_back(slot_[static_cast<size_t>(dead)]);
      active.pop_back();
    }
    std::vector<uint32_t>& spare = free_slots[kind(r)];
    if (spare.empty()) {
      slot_[static_cast<size_t>(r)] = (*counts[kind(r)])++;
    } else {
      slot_[static_cast<size_t>(r)] = spare.back();
      spare.pop_back();
    }
    active.emplace_back(interval.end, r);
    std::push_heap(active.begin(), active.end(), later);
  }
}

// Multiply-adds in a row, as in an unrolled matmul, are one call.
void Assembler::JoinRuns(size_t first) {
  std::vector<Op>& ops = program_.ops;
  for (size_t i = ops.size() - 1; i-- > first;) {
    const Op& next = ops[i + 1];
    if (ops[i].fn != next.fn || ops[i].guard != 0 || next.guard != 0) continue;
    if (HandlesRuns(ops[i].fn) && next.repeats < std::numeric_limits<uint16_t>::max()) {
      ops[i].repeats = static_cast<uint16_t>(next.repeats + 1);
    }
  }
}

Result<void> Assembler::Write() {
  const uint64_t frame = uint64_t{slots32_} * 128 + uint64_t{slots64_} * 256;
  if (frame > (64u << 20)) {
    return Fail(ErrorCode::kLimit,
                fmt::format("{} keeps too many registers alive", draft_.source->name));
  }
  const auto place = [&](int32_t reg) -> uint32_t {
    if (reg < 0) return static_cast<uint32_t>(~reg) | 0x80000000u;
    const uint32_t slot = slot_[static_cast<size_t>(reg)];
    return draft_.registers[static_cast<size_t>(reg)].bytes == 8 ? slots32_ * 128 + slot * 256
                                                                 : slot * 128;
  };
  const auto predicate = [&](int32_t reg) -> uint32_t {
    return reg < 0 ? static_cast<uint32_t>(~reg) : slot_[static_cast<size_t>(reg)];
  };
  // Where each block begins, counting the jumps that are added.
  const uint32_t base = static_cast<uint32_t>(program_.ops.size());
  std::vector<uint32_t> begin(order_.size());
  uint32_t at = base;
  for (size_t b = 0; b < order_.size(); ++b) {
    begin[b] = at;
    const OpKind last = line_[static_cast<size_t>(range_[b].second) - 1]->op.kind;
    at += static_cast<uint32_t>(range_[b].second - range_[b].first) + (EndsBlock(last) ? 0 : 1);
  }
  const auto target_of = [&](int block) {
    return begin[static_cast<size_t>(position_[static_cast<size_t>(block)])];
  };
  for (size_t b = 0; b < order_.size(); ++b) {
    const int id = order_[b];
    BlockInfo info;
    info.first = begin[b];
    const uint32_t block_index = static_cast<uint32_t>(program_.blocks.size());
    const auto after = [&]() -> uint32_t {
      return static_cast<size_t>(id) + 1 < blocks_.size() &&
                     position_[static_cast<size_t>(id) + 1] >= 0
                 ? target_of(id + 1)
                 : 0;
    };
    for (int i = range_[b].first; i < range_[b].second; ++i) {
      Micro& micro = *line_[static_cast<size_t>(i)];
      Op op = micro.op;
      if (micro.guard >= 0) {
        op.guard = predicate(micro.guard) * 2 + (micro.guard_negated ? 1 : 0);
      }
      op.list = static_cast<uint32_t>(program_.lists.size());
      for (const Ref& ref : micro.refs) {
        const uint32_t coded = predicate(ref.reg) * 2 + (ref.negated ? 1 : 0);
        switch (ref.place) {
          case Place::kD:
            op.d = place(ref.reg);
            break;
          case Place::kA:
            op.a = place(ref.reg);
            break;
          case Place::kB:
            op.b = place(ref.reg);
            break;
          case Place::kC:
            op.c = place(ref.reg);
            break;
          case Place::kPredicateD:
            op.d = predicate(ref.reg);
            break;
          case Place::kPredicateTarget:
            op.target = predicate(ref.reg);
            break;
          case Place::kPredicateA:
            op.a = coded;
            break;
          case Place::kPredicateB:
            op.b = coded;
            break;
          case Place::kPredicateC:
            op.c = coded;
            break;
          case Place::kList:
            program_.lists.push_back(place(ref.reg));
            ++op.lists;
            break;
        }
      }
      op.block = block_index;
      switch (op.kind) {
        case OpKind::kBranch:
          op.target = target_of(BlockOfLabel(micro.target));
          op.next = after();
          break;
        case OpKind::kJump:
          op.target = target_of(BlockOfLabel(micro.target));
          break;
        case OpKind::kIndirect: {
          std::vector<uint32_t> table;
          for (const int32_t t : micro.targets) table.push_back(target_of(BlockOfLabel(t)));
          op.imm = program_.tables.size();
          program_.tables.push_back(std::move(table));
          break;
        }
        case OpKind::kExit:
        case OpKind::kReturn:
        case OpKind::kTrap:
        case OpKind::kUnsupported:
        case OpKind::kCall:
          op.next = after();
          break;
        default:
          break;
      }
      if (micro.counts) {
        ++info.instructions;
        info.work[static_cast<int>(micro.work)] += micro.amount;
      }
      program_.ops.push_back(op);
    }
    if (!EndsBlock(program_.ops.back().kind)) {
      Op jump;
      jump.kind = OpKind::kJump;
      jump.block = block_index;
      jump.target = after();
      jump.origin = program_.ops.back().origin;
      program_.ops.push_back(jump);
    }
    JoinRuns(info.first);
    info.size = static_cast<uint32_t>(program_.ops.size()) - info.first;
    program_.blocks.push_back(info);
  }
  draft_.code.entry = base;
  draft_.code.frame_bytes = static_cast<uint32_t>(frame);
  draft_.code.predicates = predicates_;
  return {};
}

}  // namespace

Result<void> Assemble(FunctionDraft* draft, Program* program) {
  return Assembler(draft, program).Run();
}

}  // namespace kw::eval::emu
