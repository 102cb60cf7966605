// Runs the blocks of a launch, and the warps of a block in the seeded order.
#include <algorithm>
#include <bit>
#include <cstring>

#include "fmt/format.h"
#include "kw/base/hash.h"
#include "runtime.h"
#include "warp_runner.h"

namespace kw::eval::emu {
namespace {

// As in lanes/shared_races.h, which no other file may share.
void BeginEpoch(Warp& warp, RaceShadow& race) {
  warp.epoch = ++race.epochs;
  warp.epoch_stamp = race.clock << 6;
  warp.read_count = 0;
}

// ---- barriers of a block ----

void JoinClocks(Block& block, uint32_t receivers, uint32_t sources) {
  RaceShadow& race = block.race;
  const int warps = static_cast<int>(block.warps.size());
  uint32_t joined[kLanes] = {};
  uint32_t acquired = 0;
  bool fenced = false;
  for (uint32_t s = receivers | sources; s != 0; s &= s - 1) {
    const int warp = std::countr_zero(s);
    const Warp& source = block.warps[static_cast<size_t>(warp)].warp;
    acquired = std::max(acquired, source.acquired);
    fenced |= source.fenced;
    for (int x = 0; x < warps; ++x) joined[x] = std::max(joined[x], race.seen[warp][x]);
    joined[warp] = race.clock + 1;
  }
  ++race.clock;
  for (uint32_t m = receivers; m != 0; m &= m - 1) {
    const int warp = std::countr_zero(m);
    Warp& receiver = block.warps[static_cast<size_t>(warp)].warp;
    receiver.acquired = std::max(receiver.acquired, acquired);
    receiver.fenced |= fenced;
    BeginEpoch(receiver, race);
    uint32_t floor = race.clock;
    for (int x = 0; x < warps; ++x) {
      race.seen[warp][x] = std::max(race.seen[warp][x], joined[x]);
      if (x != warp) floor = std::min(floor, race.seen[warp][x]);
    }
    race.floor[warp] = floor;
  }
}

// Lets go the warps of a barrier that is complete.
bool Release(Block& block, uint32_t id) {
  BarrierState& barrier = block.barriers[id];
  if (barrier.waiting == 0) return false;
  bool complete;
  if (barrier.expected != 0) {
    complete = barrier.arrived >= barrier.expected;
  } else {
    complete = true;
    for (const WarpState& ws : block.warps) {
      complete &= ws.done || (barrier.waiting >> ws.warp.index & 1) != 0;
    }
  }
  if (!complete) return false;
  Launch& launch = *block.launch;
  ++launch.barriers;
  JoinClocks(block, barrier.waiting, barrier.sources);
  for (WarpState& ws : block.warps) {
    if ((barrier.waiting >> ws.warp.index & 1) == 0) continue;
    for (Group& group : ws.groups) {
      if (group.state != Group::State::kBarrier || group.barrier != id) continue;
      const Op& op = launch.program->ops[group.pc];
      Restore(ws, group);
      if (op.extra == 2) {
        uint32_t* d = reinterpret_cast<uint32_t*>(ws.warp.base[0] + op.d);
        for (int i = 0; i < kLanes; ++i) {
          if ((group.mask >> i & 1) != 0) d[i] = barrier.votes;
        }
      } else if (op.extra > 2) {
        uint32_t& p = ws.warp.predicates[op.d];
        const bool yes = op.extra == 3 ? barrier.all : barrier.any;
        p = (p & ~group.mask) | (yes ? group.mask : 0);
      }
      group.state = Group::State::kReady;
      group.pc += 1;
    }
    ws.blocked = false;
  }
  barrier = BarrierState{};
  block.open_barriers &= ~(1u << id);
  return true;
}

bool StopForDeadlock(Block& block) {
  for (WarpState& ws : block.warps) {
    if (ws.done || ws.groups.empty()) continue;
    const Group& group = ws.groups[0];
    Restore(ws, group);
    const Op& op = block.launch->program->ops[group.pc];
    Hazard hazard = MakeHazard(ws.warp, op, std::countr_zero(group.mask), "barrier_divergence");
    hazard.text = fmt::format(
        "threads wait for ever at a barrier that the others never reach: every thread of the "
        "block must come to the same barriers. {}",
        Where(hazard));
    return StopWithHazard(ws.warp, std::move(hazard));
  }
  return true;
}

}  // namespace

bool RunBlock(Block* block) {
  Launch& launch = *block->launch;
  for (;;) {
    bool progress = false;
    bool waiting_loop = false;
    uint32_t running = 0;
    for (const uint32_t index : block->warp_order) {
      WarpState& ws = block->warps[index];
      if (ws.done) continue;
      ++running;
      if (ws.blocked) continue;
      if (!WarpRunner(*block, ws).Run()) return true;
      if (ws.spun) {
        waiting_loop = true;
      } else {
        progress = true;
      }
      for (uint32_t open = block->open_barriers; open != 0; open &= open - 1) {
        progress |= Release(*block, static_cast<uint32_t>(std::countr_zero(open)));
      }
    }
    if (running == 0) return true;
    if (progress) continue;
    if (waiting_loop) return false;
    StopForDeadlock(*block);
    if (launch.status != LaunchOutcome::Status::kOk) return true;
    return true;
  }
}

void PrepareBlock(Launch* launch, Block* block) {
  block->launch = launch;
  const uint32_t warps = launch->warp_count;
  block->register_memory = AlignedBytes(size_t{warps} * launch->register_bytes);
  block->local_memory = AlignedBytes(size_t{warps} * launch->local_bytes * kLanes);
  // Handlers may load a whole vector at the last byte.
  block->shared_memory = AlignedBytes(launch->shared_bytes + 64);
  block->shared = block->shared_memory.get();
  const uint32_t shift = static_cast<uint32_t>(std::countr_zero(launch->program->narrowest_shared));
  // Units are looked at eight at a time.
  const size_t units = (launch->shared_bytes >> shift) + 8;
  block->race_writer.assign(units, 0);
  block->race_reader.assign(units, 0);
  block->race_readers.assign(units, 0);
  block->race_lanes.assign(units, 0);
  block->race.writer = block->race_writer.data();
  block->race.reader = block->race_reader.data();
  block->race.readers = block->race_readers.data();
  block->race.lanes = block->race_lanes.data();
  block->race.unit_shift = shift;
  block->race.clock = 0;
  block->warps.resize(warps);
  const bool several = warps > 1 || BlockCount(launch->grid) > 1;
  for (uint32_t i = 0; i < warps; ++i) {
    WarpState& ws = block->warps[i];
    ws.registers = block->register_memory.get() + size_t{i} * launch->register_bytes;
    ws.predicates.assign(launch->predicate_words, 0);
    Warp& w = ws.warp;
    w = Warp{};
    w.base[1] = launch->program->constants.get();
    w.lists = launch->program->lists.data();
    w.sites = launch->sites.data();
    w.shared = block->shared;
    w.shared_bytes = launch->shared_bytes;
    w.local = block->local_memory.get() + size_t{i} * launch->local_bytes * kLanes;
    w.local_bytes = launch->local_bytes;
    ws.local_written.assign(launch->watched ? launch->local_bytes / 4 : 0, 0);
    w.local_written = launch->watched ? ws.local_written.data() : nullptr;
    w.params = launch->parameters.data();
    w.param_bytes = static_cast<uint32_t>(launch->parameters.size());
    w.index = i;
    w.first_thread = i * kLanes;
    w.counts = &launch->counts;
    w.race = launch->watched ? &block->race : nullptr;
    w.stores = launch->watched && several ? &launch->stores : nullptr;
    w.launch = launch;
    w.parts = launch->parts;
    w.block = block;
    w.poison = &launch->poison;
    for (uint32_t lane = 0; lane < kLanes; ++lane) {
      const uint32_t t = i * kLanes + lane;
      w.tid[0][lane] = t % launch->block.x;
      w.tid[1][lane] = t / launch->block.x % launch->block.y;
      w.tid[2][lane] = t / launch->block.x / launch->block.y;
    }
  }
}

void GrowCopies(Warp& w) {
  std::vector<AsyncCopy>& copies = w.block->warps[w.index].copies;
  copies.resize(copies.size() * 2 + 64);
  w.copies = copies.data();
  w.copy_capacity = static_cast<uint32_t>(copies.size());
}

void StartBlock(Block* block, uint64_t linear) {
  Launch* launch = block->launch;
  block->linear = linear;
  block->spent = 0;
  block->index = BlockIndex(linear, launch->grid);
  block->barriers.fill(BarrierState{});
  block->open_barriers = 0;
  block->unreleased.clear();
  RaceShadow& race = block->race;
  if (race.clock > (1u << 24)) {
    race.clock = 0;
    std::fill(block->race_writer.begin(), block->race_writer.end(), 0);
    std::fill(block->race_reader.begin(), block->race_reader.end(), 0);
  }
  if (race.epochs > (1u << 26)) {
    race.epochs = 0;
    std::fill(block->race_lanes.begin(), block->race_lanes.end(), 0);
  }
  ++race.clock;
  race.base = race.clock << 6;
  std::fill(std::begin(race.floor), std::end(race.floor), race.clock);
  std::fill(std::begin(race.released), std::end(race.released), race.clock);
  for (auto& row : race.seen) std::fill(std::begin(row), std::end(row), race.clock);
  launch->memory->FillPoison(block->shared, launch->shared_bytes);
  const uint32_t warps = launch->warp_count;
  const uint64_t order = DeriveSeed(launch->seed ^ linear * 0x9e3779b97f4a7c15u, "warps");
  block->warp_order.resize(warps);
  for (uint32_t i = 0; i < warps; ++i) {
    const uint32_t step = (order >> 32 & 1) != 0 ? warps - 1 - i : i;
    block->warp_order[i] = static_cast<uint32_t>((step + order) % warps);
  }
  for (uint32_t i = 0; i < warps; ++i) {
    WarpState& ws = block->warps[i];
    ws.done = ws.blocked = ws.spun = false;
    const uint32_t left = launch->threads - i * kLanes;
    ws.warp.live = left >= kLanes ? kAllLanes : (1u << left) - 1;
    ws.warp.sync_touched = ws.warp.fenced = ws.warp.looked = false;
    ws.warp.copy_count = 0;
    std::fill(std::begin(ws.warp.copy_groups), std::end(ws.warp.copy_groups), 0);
    BeginEpoch(ws.warp, race);
    ws.warp.author = ws.warp.author_stamp = ws.warp.acquired = 0;
    ws.groups.clear();
    Group group;
    group.mask = ws.warp.live;
    group.pc = launch->program->functions[0].entry;
    ws.groups.push_back(std::move(group));
    for (const auto& [offset, bytes] : launch->program->functions[0].unwritten) {
      launch->memory->FillPoison(ws.registers + offset, bytes);
    }
    launch->memory->FillPoison(ws.warp.local,
                               size_t{launch->program->functions[0].local_bytes} * kLanes);
    ForgetLocal(ws.warp, kAllLanes, 0, launch->program->functions[0].local_bytes);
    ws.predicates[0] = kAllLanes;
    ws.predicates[1] = 0;
    ws.predicates[2] = 0;
  }
}

BlockQueue::BlockQueue(const Launch& launch, int takers)
    : total_(BlockCount(launch.grid)),
      stretch_(takers == 1 ? total_
                           : std::max<uint64_t>(1, total_ / (16 * static_cast<uint64_t>(takers)))) {
  const uint64_t order = DeriveSeed(launch.seed, "blocks");
  start_ = order % total_;
  backward_ = order >> 63 & 1;
}

BlockQueue::BlockQueue(const Launch& launch, std::vector<uint64_t> blocks, uint64_t enough)
    : total_(blocks.size()), stretch_(1), chosen_(std::move(blocks)), enough_(enough) {
  const auto ends = [](uint32_t size) { return std::min(size, 2u); };
  in_any_case_ = uint64_t{ends(launch.grid.x)} * ends(launch.grid.y) * ends(launch.grid.z);
}

bool BlockQueue::Take(uint64_t spent, Stretch* stretch) {
  const uint64_t next = next_.fetch_add(stretch_);
  if (next >= total_ || (spent >= enough_ && next >= in_any_case_)) return false;
  *stretch = {next, std::min(next + stretch_, total_)};
  return true;
}

uint64_t BlockQueue::At(uint64_t i) const {
  if (!chosen_.empty()) return chosen_[i];
  const uint64_t at = (i + start_) % total_;
  return backward_ ? total_ - 1 - at : at;
}

namespace {

// Blocks that wait for others stay resident, as many as the device could hold.
uint64_t MostResident(const Launch& launch) {
  const DeviceSheet& sheet = *launch.sheet;
  const uint64_t per_sm =
      std::max<uint64_t>(1, std::min<uint64_t>(static_cast<uint64_t>(sheet.max_blocks_per_sm),
                                               static_cast<uint64_t>(sheet.max_threads_per_sm) /
                                                   std::max<uint64_t>(launch.threads, 1)));
  const uint64_t on_device = per_sm * static_cast<uint64_t>(std::max(sheet.sm_count, 1));
  // What suspended blocks may keep on this machine.
  constexpr uint64_t kMaxResidentBytes = uint64_t{1} << 30;
  const uint64_t block_bytes = uint64_t{launch.warp_count} *
                                   (launch.register_bytes + uint64_t{launch.local_bytes} * kLanes) +
                               launch.shared_bytes * 4 + 4096;
  return std::max<uint64_t>(1, std::min(on_device, kMaxResidentBytes / block_bytes));
}

}  // namespace

void RunBlocks(Launch* launch, BlockQueue* queue) {
  const uint64_t most_resident = MostResident(*launch);
  std::vector<std::unique_ptr<Block>> resident, spare;
  BlockQueue::Stretch stretch;
  bool more = queue->Take(launch->spent, &stretch);
  size_t turn = 0;
  while (launch->status == LaunchOutcome::Status::kOk) {
    if (more && stretch.next == stretch.end) more = queue->Take(launch->spent, &stretch);
    const bool admit =
        more && (resident.empty() || (turn >= resident.size() && resident.size() < most_resident));
    if (admit) {
      std::unique_ptr<Block> block;
      if (spare.empty()) {
        block = std::make_unique<Block>();
        PrepareBlock(launch, block.get());
      } else {
        block = std::move(spare.back());
        spare.pop_back();
      }
      StartBlock(block.get(), queue->At(stretch.next++));
      resident.push_back(std::move(block));
      turn = resident.size() - 1;
    } else if (resident.empty()) {
      return;
    } else if (turn >= resident.size()) {
      turn = 0;
    }
    const uint64_t before = launch->spent;
    const bool ended = RunBlock(resident[turn].get());
    resident[turn]->spent += launch->spent - before;
    if (ended) {
      if (launch->block_costs != nullptr) launch->block_costs->push_back(resident[turn]->spent);
      spare.push_back(std::move(resident[turn]));
      resident.erase(resident.begin() + static_cast<std::ptrdiff_t>(turn));
    } else {
      ++turn;
    }
  }
}

uint64_t SpecialValue(Warp& w, uint32_t which) {
  Launch& launch = *w.launch;
  const Block& block = *w.block;
  const auto ticks = [&] {
    return (launch.seed & 0xffffffffff) + launch.spent / kLanes * 4 + ++launch.clock_reads * 16;
  };
  switch (static_cast<SpecialRegister>(which)) {
    case SpecialRegister::kNtidX:
      return launch.block.x;
    case SpecialRegister::kNtidY:
      return launch.block.y;
    case SpecialRegister::kNtidZ:
      return launch.block.z;
    case SpecialRegister::kCtaidX:
      return block.index.x;
    case SpecialRegister::kCtaidY:
      return block.index.y;
    case SpecialRegister::kCtaidZ:
      return block.index.z;
    case SpecialRegister::kNctaidX:
      return launch.grid.x;
    case SpecialRegister::kNctaidY:
      return launch.grid.y;
    case SpecialRegister::kNctaidZ:
      return launch.grid.z;
    case SpecialRegister::kWarpId:
      return w.index;
    case SpecialRegister::kNwarpId:
      return static_cast<uint64_t>(launch.sheet->max_threads_per_sm / kLanes);
    case SpecialRegister::kSmId:
      return (block.linear + launch.seed) %
             static_cast<uint64_t>(std::max(launch.sheet->sm_count, 1));
    case SpecialRegister::kNsmId:
      return static_cast<uint64_t>(launch.sheet->sm_count);
    case SpecialRegister::kGridId:
      return 1;
    case SpecialRegister::kClock:
      return static_cast<uint32_t>(ticks());
    case SpecialRegister::kClockHi:
      return ticks() >> 32;
    case SpecialRegister::kClock64:
    case SpecialRegister::kGlobalTimer:
      return ticks();
    case SpecialRegister::kGlobalTimerLo:
      return static_cast<uint32_t>(ticks());
    case SpecialRegister::kGlobalTimerHi:
      return ticks() >> 32;
    case SpecialRegister::kDynamicShared:
      return launch.dynamic_shared;
    case SpecialRegister::kTotalShared:
      return launch.shared_bytes;
    case SpecialRegister::kWorkspaceHigh:
      return launch.workspace >> 32;
    case SpecialRegister::kWorkspaceLow:
      return static_cast<uint32_t>(launch.workspace);
    case SpecialRegister::kOne:
      return 1;
    default:
      return 0;
  }
}

}  // namespace kw::eval::emu
