// From a function's micro instructions to ops: basic blocks, their order, registers.
//
// Blocks are ordered so that a block comes after all that lead to it forward, and a loop's
// blocks stay together before its exits: the warp scheduler runs the lanes with the smallest pc
// first, so lanes that took different ways meet where the ways join.
#include <algorithm>
#include <limits>
#include <map>

#include "decoder.h"
#include "fmt/format.h"
#include "registers.h"

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
    places_ = PlaceRegisters(line_, ranges_, draft_.registers);
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
  Result<void> Write();
  void WriteBlock(size_t b);
  uint32_t FrameOffset(int32_t reg) const;
  void PlaceOperands(const Micro& micro, Op* op);
  void PlaceTargets(const Micro& micro, uint32_t after, Op* op);
  void JoinRuns(size_t first);
  int BlockAt(int micro) const { return block_of_[static_cast<size_t>(micro)]; }
  int BlockOfLabel(int32_t instruction) const {
    return BlockAt(draft_.start[static_cast<size_t>(instruction)]);
  }
  uint32_t BeginOf(int block) const {
    return begin_[static_cast<size_t>(position_[static_cast<size_t>(block)])];
  }

  FunctionDraft& draft_;
  Program& program_;
  std::vector<Block> blocks_;
  std::vector<int> block_of_;      // of each micro that leads a block
  std::vector<int> order_;         // reachable blocks
  std::vector<int> position_;      // of a block in order_, or -1
  std::vector<Micro*> line_;       // all micros in order
  std::vector<LineBlock> ranges_;  // of each block in order_, in line_
  RegisterPlaces places_;
  std::vector<uint32_t> begin_;  // of each block in order_: its first op
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
  for (const int id : order_) {
    const Block& block = blocks_[static_cast<size_t>(id)];
    LineBlock range{.begin = static_cast<int>(line_.size())};
    for (int m = block.first; m < block.end; ++m) {
      line_.push_back(&draft_.micros[static_cast<size_t>(m)]);
    }
    range.end = static_cast<int>(line_.size());
    for (const int next : block.successors) {
      range.successors.push_back(position_[static_cast<size_t>(next)]);
    }
    ranges_.push_back(std::move(range));
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

uint32_t Assembler::FrameOffset(int32_t reg) const {
  const uint32_t slot = places_.slot[static_cast<size_t>(reg)];
  const bool is_wide = draft_.registers[static_cast<size_t>(reg)].bytes == 8;
  return is_wide ? places_.slots32 * 128 + slot * 256 : slot * 128;
}

// Operands and guard: offsets into the frame, or numbers of predicates.
void Assembler::PlaceOperands(const Micro& micro, Op* op) {
  const auto place = [&](int32_t reg) -> uint32_t {
    return reg < 0 ? static_cast<uint32_t>(~reg) | 0x80000000u : FrameOffset(reg);
  };
  const auto predicate = [&](int32_t reg) -> uint32_t {
    return reg < 0 ? static_cast<uint32_t>(~reg) : places_.slot[static_cast<size_t>(reg)];
  };
  if (micro.guard >= 0) op->guard = predicate(micro.guard) * 2 + (micro.guard_negated ? 1 : 0);
  op->list = static_cast<uint32_t>(program_.lists.size());
  for (const Ref& ref : micro.refs) {
    const uint32_t coded = predicate(ref.reg) * 2 + (ref.negated ? 1 : 0);
    switch (ref.place) {
      case Place::kD:
        op->d = place(ref.reg);
        break;
      case Place::kA:
        op->a = place(ref.reg);
        break;
      case Place::kB:
        op->b = place(ref.reg);
        break;
      case Place::kC:
        op->c = place(ref.reg);
        break;
      case Place::kPredicateD:
        op->d = predicate(ref.reg);
        break;
      case Place::kPredicateTarget:
        op->target = predicate(ref.reg);
        break;
      case Place::kPredicateA:
        op->a = coded;
        break;
      case Place::kPredicateB:
        op->b = coded;
        break;
      case Place::kPredicateC:
        op->c = coded;
        break;
      case Place::kList:
        program_.lists.push_back(place(ref.reg));
        ++op->lists;
        break;
    }
  }
}

// Where the instruction goes on; `after` is the block behind its own.
void Assembler::PlaceTargets(const Micro& micro, uint32_t after, Op* op) {
  const auto target_of = [&](int32_t label) { return BeginOf(BlockOfLabel(label)); };
  switch (op->kind) {
    case OpKind::kBranch:
      op->target = target_of(micro.target);
      op->next = after;
      break;
    case OpKind::kJump:
      op->target = target_of(micro.target);
      break;
    case OpKind::kIndirect: {
      std::vector<uint32_t> table;
      for (const int32_t label : micro.targets) table.push_back(target_of(label));
      op->imm = program_.tables.size();
      program_.tables.push_back(std::move(table));
      break;
    }
    case OpKind::kExit:
    case OpKind::kReturn:
    case OpKind::kTrap:
    case OpKind::kUnsupported:
    case OpKind::kCall:
      op->next = after;
      break;
    default:
      break;
  }
}

Result<void> Assembler::Write() {
  const uint64_t frame = uint64_t{places_.slots32} * 128 + uint64_t{places_.slots64} * 256;
  if (frame > (64u << 20)) {
    return Fail(ErrorCode::kLimit,
                fmt::format("{} keeps too many registers alive", draft_.source->name));
  }
  // Where each block begins, counting the jumps that are added.
  const uint32_t base = static_cast<uint32_t>(program_.ops.size());
  uint32_t at = base;
  for (const LineBlock& range : ranges_) {
    begin_.push_back(at);
    const OpKind last = line_[static_cast<size_t>(range.end) - 1]->op.kind;
    at += static_cast<uint32_t>(range.end - range.begin) + (EndsBlock(last) ? 0 : 1);
  }
  for (size_t b = 0; b < order_.size(); ++b) WriteBlock(b);
  draft_.code.entry = base;
  draft_.code.frame_bytes = static_cast<uint32_t>(frame);
  draft_.code.predicates = places_.predicates;
  for (const int reg : places_.unwritten) {
    const uint8_t bytes = draft_.registers[static_cast<size_t>(reg)].bytes;
    if (bytes > 0) draft_.code.unwritten.emplace_back(FrameOffset(reg), bytes == 8 ? 256 : 128);
  }
  return {};
}

void Assembler::WriteBlock(size_t b) {
  const size_t behind = static_cast<size_t>(order_[b]) + 1;
  const bool goes_on = behind < blocks_.size() && position_[behind] >= 0;
  const uint32_t after = goes_on ? BeginOf(static_cast<int>(behind)) : 0;
  const uint32_t block_index = static_cast<uint32_t>(program_.blocks.size());
  BlockInfo info;
  info.first = begin_[b];
  for (int i = ranges_[b].begin; i < ranges_[b].end; ++i) {
    const Micro& micro = *line_[static_cast<size_t>(i)];
    Op op = micro.op;
    op.block = block_index;
    PlaceOperands(micro, &op);
    PlaceTargets(micro, after, &op);
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
    jump.target = after;
    jump.origin = program_.ops.back().origin;
    program_.ops.push_back(jump);
  }
  JoinRuns(info.first);
  info.size = static_cast<uint32_t>(program_.ops.size()) - info.first;
  program_.blocks.push_back(info);
}

}  // namespace

Result<void> Assemble(FunctionDraft* draft, Program* program) {
  return Assembler(draft, program).Run();
}

}  // namespace kw::eval::emu
