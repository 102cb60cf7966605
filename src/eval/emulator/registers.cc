// Liveness by data flow over basic blocks, then linear scan over one interval a register.
#include "registers.h"

#include <algorithm>
#include <bit>
#include <functional>
#include <limits>

namespace kw::eval::emu {
namespace {

// From a register's first definition to its last use, stretched over every block that it is live
// into or out of.
struct Interval {
  int begin = std::numeric_limits<int>::max(), end = -1;

  bool used() const { return end >= 0; }
  void Cover(int at) {
    begin = std::min(begin, at);
    end = std::max(end, at);
  }
};

// Calls f(register, is_def) for what a micro reads (`defs` false) or writes (true). A guarded
// write leaves some lanes as they were: it reads as well.
template <class F>
void ForEach(const Micro& micro, bool defs, F f) {
  if (!defs && micro.guard >= 0) f(micro.guard, false);
  for (const Ref& ref : micro.refs) {
    if (ref.reg >= 0 && ref.is_def == defs) f(ref.reg, ref.is_def && micro.guard < 0);
  }
}

// The registers that are live at the beginning of some block, and where.
class LiveSets {
 public:
  LiveSets(const std::vector<Micro*>& line, const std::vector<LineBlock>& blocks,
           std::vector<int> registers, size_t all)
      : line_(line),
        blocks_(blocks),
        registers_(std::move(registers)),
        index_(all, -1),
        words_((registers_.size() + 63) / 64) {
    for (size_t i = 0; i < registers_.size(); ++i) {
      index_[static_cast<size_t>(registers_[i])] = static_cast<int>(i);
    }
  }

  bool TooLarge() const { return words_ * blocks_.size() * 3 > kMaxWords; }
  const std::vector<int>& registers() const { return registers_; }

  // After this, LiveAtEntry.
  void Stretch(std::vector<Interval>* intervals) {
    Collect();
    Solve();
    for (size_t b = 0; b < blocks_.size(); ++b) {
      for (size_t word = 0; word < words_; ++word) {
        StretchOver(in_[b * words_ + word], word, blocks_[b].begin, intervals);
        StretchOver(Out(b, word), word, blocks_[b].end, intervals);
      }
    }
  }

  std::vector<int> LiveAtEntry() const {
    std::vector<int> live;
    for (size_t i = 0; i < registers_.size() && !blocks_.empty(); ++i) {
      if ((in_[i / 64] >> (i % 64) & 1) != 0) live.push_back(registers_[i]);
    }
    return live;
  }

 private:
  static constexpr size_t kMaxWords = size_t{64} << 20;

  // What each block reads before it writes it, and what it writes.
  void Collect() {
    use_.assign(words_ * blocks_.size(), 0);
    def_ = in_ = use_;
    for (size_t b = 0; b < blocks_.size(); ++b) {
      const auto note = [&](int reg, bool is_def) {
        const int index = index_[static_cast<size_t>(reg)];
        if (index < 0) return;
        const size_t at = b * words_ + static_cast<size_t>(index) / 64;
        const uint64_t bit = uint64_t{1} << (index & 63);
        if (is_def) {
          def_[at] |= bit;
        } else if ((def_[at] & bit) == 0) {
          use_[at] |= bit;
        }
      };
      for (int i = blocks_[b].begin; i < blocks_[b].end; ++i) {
        ForEach(*line_[static_cast<size_t>(i)], false, note);
        ForEach(*line_[static_cast<size_t>(i)], true, note);
      }
    }
  }

  void Solve() {
    for (bool changed = true; changed;) {
      changed = false;
      for (size_t b = blocks_.size(); b-- > 0;) {
        for (size_t word = 0; word < words_; ++word) {
          const size_t at = b * words_ + word;
          const uint64_t now = use_[at] | (Out(b, word) & ~def_[at]);
          changed |= now != in_[at];
          in_[at] = now;
        }
      }
    }
  }

  uint64_t Out(size_t block, size_t word) const {
    uint64_t out = 0;
    for (const int next : blocks_[block].successors) {
      out |= in_[static_cast<size_t>(next) * words_ + word];
    }
    return out;
  }

  void StretchOver(uint64_t live, size_t word, int at, std::vector<Interval>* intervals) const {
    for (; live != 0; live &= live - 1) {
      const size_t index = word * 64 + static_cast<size_t>(std::countr_zero(live));
      (*intervals)[static_cast<size_t>(registers_[index])].Cover(at);
    }
  }

  const std::vector<Micro*>& line_;
  const std::vector<LineBlock>& blocks_;
  std::vector<int> registers_, index_;
  size_t words_;
  std::vector<uint64_t> use_, def_, in_;  // words_ a block
};

// Where each register is read and written, and which need data flow: those that several blocks
// touch, or that a block reads before it has written them.
std::vector<int> Survey(const std::vector<Micro*>& line, const std::vector<LineBlock>& blocks,
                        std::vector<Interval>* intervals) {
  constexpr int kNone = -1, kSeveral = -2;
  const size_t registers = intervals->size();
  std::vector<int> home(registers, kNone), defined_in(registers, kNone);
  std::vector<char> exposed(registers, 0);
  for (size_t b = 0; b < blocks.size(); ++b) {
    const int block = static_cast<int>(b);
    for (int i = blocks[b].begin; i < blocks[b].end; ++i) {
      const auto visit = [&](int r, bool is_def) {
        const size_t reg = static_cast<size_t>(r);
        if (home[reg] == kNone) home[reg] = block;
        if (home[reg] != block) home[reg] = kSeveral;
        if (is_def) defined_in[reg] = block;
        if (!is_def && defined_in[reg] != block) exposed[reg] = 1;
        (*intervals)[reg].Cover(i);
      };
      ForEach(*line[static_cast<size_t>(i)], false, visit);
      ForEach(*line[static_cast<size_t>(i)], true, visit);
    }
  }
  std::vector<int> flowing;
  for (size_t r = 0; r < registers; ++r) {
    if (home[r] == kSeveral || (home[r] >= 0 && exposed[r] != 0)) {
      flowing.push_back(static_cast<int>(r));
    }
  }
  return flowing;
}

// `unwritten` stays empty where the function is too large to tell.
std::vector<Interval> FindIntervals(const std::vector<Micro*>& line,
                                    const std::vector<LineBlock>& blocks, size_t registers,
                                    std::vector<int>* unwritten) {
  std::vector<Interval> intervals(registers);
  LiveSets live(line, blocks, Survey(line, blocks, &intervals), registers);
  if (live.TooLarge()) {
    for (const int r : live.registers()) {
      intervals[static_cast<size_t>(r)] = {0, static_cast<int>(line.size())};
    }
  } else {
    live.Stretch(&intervals);
    *unwritten = live.LiveAtEntry();
  }
  return intervals;
}

}  // namespace

// A register dies after its last reader has written its results, so results never overlap
// operands of another width.
RegisterPlaces PlaceRegisters(const std::vector<Micro*>& line, const std::vector<LineBlock>& blocks,
                              const std::vector<VirtualRegister>& registers) {
  RegisterPlaces places;
  const std::vector<Interval> intervals =
      FindIntervals(line, blocks, registers.size(), &places.unwritten);
  std::vector<int> by_begin;
  for (size_t r = 0; r < intervals.size(); ++r) {
    if (intervals[r].used()) by_begin.push_back(static_cast<int>(r));
  }
  std::sort(by_begin.begin(), by_begin.end(), [&](int a, int b) {
    const Interval& x = intervals[static_cast<size_t>(a)];
    const Interval& y = intervals[static_cast<size_t>(b)];
    return x.begin != y.begin ? x.begin < y.begin : a < b;
  });
  places.slot.assign(intervals.size(), 0);
  std::vector<uint32_t> free_slots[3];
  std::vector<std::pair<int, int>> active;  // heap of (end, register), the smallest first
  const auto later = std::greater<std::pair<int, int>>();
  const auto kind = [&](int r) {
    const uint8_t bytes = registers[static_cast<size_t>(r)].bytes;
    return bytes == 0 ? 0 : bytes == 8 ? 2 : 1;
  };
  uint32_t* const counts[3] = {&places.predicates, &places.slots32, &places.slots64};
  for (const int r : by_begin) {
    const Interval& interval = intervals[static_cast<size_t>(r)];
    while (!active.empty() && active.front().first < interval.begin) {
      std::pop_heap(active.begin(), active.end(), later);
      const int dead = active.back().second;
      free_slots[kind(dead)].push_back(places.slot[static_cast<size_t>(dead)]);
      active.pop_back();
    }
    std::vector<uint32_t>& spare = free_slots[kind(r)];
    if (spare.empty()) {
      places.slot[static_cast<size_t>(r)] = (*counts[kind(r)])++;
    } else {
      places.slot[static_cast<size_t>(r)] = spare.back();
      spare.pop_back();
    }
    active.emplace_back(interval.end, r);
    std::push_heap(active.begin(), active.end(), later);
  }
  return places;
}

}  // namespace kw::eval::emu
