// Hazards and faults as sentences.

#include <algorithm>
#include <bit>
#include <tuple>

#include "blas.h"
#include "fmt/format.h"
#include "kw/base/text.h"
#include "runtime.h"

namespace kw::eval::emu {
namespace {

std::string InstructionText(const Warp& w, const Op& op) {
  const Origin& origin = w.launch->program->origins[op.origin];
  return origin.instruction == nullptr ? "(end of function)"
                                       : Shorten(ToValidUtf8(origin.instruction->text), 160);
}

// "2 elements (8 bytes) past the end of x"
std::string Distance(uint64_t bytes, uint32_t element) {
  if (element > 1 && bytes % element == 0) {
    return fmt::format("{} element{} ({} bytes)", bytes / element, bytes / element == 1 ? "" : "s",
                       bytes);
  }
  return fmt::format("{} byte{}", bytes, bytes == 1 ? "" : "s");
}

}  // namespace

AddressFinding JudgeAddress(const DeviceMemory& memory, uint64_t address, uint32_t bytes,
                            bool store) {
  const std::string access = fmt::format("{} {} byte{} at {:#x}", store ? "writes" : "reads", bytes,
                                         bytes == 1 ? "" : "s", address);
  const DeviceMemory::Entry* entry = memory.Holding(address);
  if (entry != nullptr && !entry->span.live) {
    return {"use_after_free", fmt::format("{}, in {}, which was freed", access, entry->name)};
  }
  if (entry != nullptr) {
    const uint64_t over = address + bytes - (entry->span.start + entry->span.bytes);
    return {"out_of_bounds",
            fmt::format("{}: the access begins in {} ({} bytes) and ends {} past its end", access,
                        entry->name, entry->span.bytes, Distance(over, 1))};
  }
  if (address < (uint64_t{1} << 20)) {
    return {"out_of_bounds", fmt::format("{}: a null pointer, or close to one", access)};
  }
  if (address < kDeviceBase || address >= kDeviceBase + kDeviceBytes) {
    return {"host_pointer",
            fmt::format("{}, which is no device memory: a host pointer was passed to the kernel, "
                        "or the address is garbage",
                        access)};
  }
  const auto [below, above] = memory.Around(address);
  const uint64_t past =
      below == nullptr ? ~uint64_t{0} : address - (below->span.start + below->span.bytes);
  const uint64_t before = above == nullptr ? ~uint64_t{0} : above->span.start - address;
  if (below != nullptr && past <= before) {
    return {"out_of_bounds",
            fmt::format("{}, {} the end of {} ({} bytes{})", access,
                        past == 0 ? "right at" : Distance(past, bytes) + " past", below->name,
                        below->span.bytes, below->span.live ? "" : ", freed")};
  }
  if (above != nullptr) {
    return {"out_of_bounds", fmt::format("{}, {} before the start of {} ({} bytes)", access,
                                         Distance(before, bytes), above->name, above->span.bytes)};
  }
  return {"out_of_bounds", fmt::format("{}, where nothing is allocated", access)};
}

namespace {

constexpr std::string_view kGuardAdvice =
    "Guard the access (if (i < n)), or check the index arithmetic.";

}  // namespace

std::string Coordinates(const Dim3& at) { return fmt::format("({},{},{})", at.x, at.y, at.z); }

Hazard MakeHazard(const Warp& w, const Op& op, int lane, std::string kind) {
  const Launch& launch = *w.launch;
  const Origin& origin = launch.program->origins[op.origin];
  Hazard hazard;
  hazard.kind = std::move(kind);
  hazard.kernel = launch.kernel_title;
  if (origin.instruction != nullptr) {
    const auto file = launch.module->files.find(origin.instruction->source.file);
    if (file != launch.module->files.end()) hazard.file = file->second;
    hazard.line = origin.instruction->source.line;
  }
  hazard.block = w.block->index;
  lane = std::clamp(lane, 0, kLanes - 1);
  hazard.thread = {w.tid[0][lane], w.tid[1][lane], w.tid[2][lane]};
  return hazard;
}

std::string Where(const Hazard& hazard) {
  std::string place;
  if (hazard.line > 0) {
    const size_t slash = hazard.file.find_last_of('/');
    place = fmt::format(", {}:{}", hazard.file.substr(slash == std::string::npos ? 0 : slash + 1),
                        hazard.line);
  }
  return fmt::format("[{}{}, block {}, thread {}]", hazard.kernel, place, Coordinates(hazard.block),
                     Coordinates(hazard.thread));
}

void HazardLog::Add(Hazard hazard) {
  for (const Hazard& known : hazards_) {
    if (known.kind == hazard.kind && known.kernel == hazard.kernel && known.file == hazard.file &&
        known.line == hazard.line) {
      return;
    }
  }
  if (hazards_.size() < kMost) hazards_.push_back(std::move(hazard));
}

std::vector<Hazard> HazardLog::Take() {
  std::vector<Hazard> taken = std::move(hazards_);
  hazards_.clear();
  const auto key = [](const Hazard& h) {
    return std::tie(h.kernel, h.line, h.block.z, h.block.y, h.block.x, h.thread.z, h.thread.y,
                    h.thread.x, h.kind);
  };
  std::stable_sort(taken.begin(), taken.end(),
                   [&](const Hazard& a, const Hazard& b) { return key(a) < key(b); });
  return taken;
}

bool Stop(Launch* launch, LaunchOutcome::Status status, std::string message) {
  if (launch->status == LaunchOutcome::Status::kOk) {
    launch->status = status;
    launch->message = std::move(message);
  }
  return false;
}

bool FirstNote(const Warp& w, const Op& op, Noted kind) {
  uint8_t& noted = w.launch->noted[op.origin];
  const bool first = (noted & static_cast<uint8_t>(kind)) == 0;
  noted = static_cast<uint8_t>(noted | static_cast<uint8_t>(kind));
  return first;
}

bool StopWithHazard(Warp& w, Hazard hazard) {
  Stop(w.launch, LaunchOutcome::Status::kFault, fmt::format("{}: {}", hazard.kind, hazard.text));
  w.launch->hazards->Add(std::move(hazard));
  return false;
}

bool StopUnsupportedOp(Warp& w, const Op& op) {
  const Origin& origin = w.launch->program->origins[op.origin];
  const Hazard at = MakeHazard(w, op, std::countr_zero(w.mask | 0x80000000u), "");
  const std::string why = origin.why.empty() ? "" : fmt::format(" ({})", origin.why);
  return Stop(w.launch, LaunchOutcome::Status::kUnsupported,
              fmt::format("the emulator does not have the instruction `{}`{}. {}",
                          InstructionText(w, op), why, Where(at)));
}

bool StopUnsupported(Warp& w, const Op& op) { return StopUnsupportedOp(w, op); }

bool StopForBudget(Warp& w, const Op& op) {
  const Hazard at = MakeHazard(w, op, std::countr_zero(w.mask | 0x80000000u), "");
  return Stop(w.launch, LaunchOutcome::Status::kBudget,
              fmt::format("the budget of {} lane-instructions is spent: an endless loop, or far "
                          "too much work. It was here: {}",
                          w.launch->budget, Where(at)));
}

bool FaultGlobal(Warp& w, const Op& op, const uint64_t* addresses, uint64_t offset, uint32_t bytes,
                 bool store) {
  for (uint32_t m = w.mask; m != 0; m &= m - 1) {
    const int lane = std::countr_zero(m);
    const uint64_t address = addresses[lane] + offset;
    const bool inside = w.launch->memory->Find(address, bytes) != nullptr;
    const bool odd = (address & (bytes - 1)) != 0 && std::has_single_bit(bytes);
    if (inside && !odd) continue;
    if (!inside) {
      const AddressFinding finding = JudgeAddress(*w.launch->memory, address, bytes, store);
      Hazard hazard = MakeHazard(w, op, lane, finding.kind);
      hazard.address = address;
      hazard.text = fmt::format("{}. {} {}", finding.text, kGuardAdvice, Where(hazard));
      return StopWithHazard(w, std::move(hazard));
    }
    Hazard hazard = MakeHazard(w, op, lane, "misaligned");
    hazard.address = address;
    const DeviceMemory::Entry* entry = w.launch->memory->Holding(address);
    hazard.text = fmt::format(
        "{} {} bytes at byte {} of {}, which is no multiple of {}: vector accesses need aligned "
        "addresses; rows whose length is no multiple of the vector need scalar code. {}",
        store ? "writes" : "reads", bytes, address - entry->span.start, entry->name, bytes,
        Where(hazard));
    return StopWithHazard(w, std::move(hazard));
  }
  return Stop(w.launch, LaunchOutcome::Status::kFault, "an access failed");
}

bool FaultWindow(Warp& w, const Op& op, Window window, int lane, uint64_t offset, uint32_t bytes,
                 bool misaligned) {
  const bool shared = window == Window::kShared;
  const std::string_view name = shared                     ? "shared memory"
                                : window == Window::kLocal ? "local memory (the stack)"
                                                           : "the kernel's parameters";
  const uint64_t size = shared                     ? w.shared_bytes
                        : window == Window::kLocal ? w.local_bytes
                                                   : w.param_bytes;
  Hazard hazard = MakeHazard(w, op, lane, misaligned ? "misaligned" : "out_of_bounds");
  hazard.address = offset;
  if (misaligned) {
    hazard.text = fmt::format("accesses {} bytes at byte {} of {}, which is no multiple of {}. {}",
                              bytes, static_cast<uint32_t>(offset), name, bytes, Where(hazard));
  } else {
    const int64_t at = static_cast<int32_t>(offset);
    hazard.text = fmt::format(
        "accesses {} bytes at byte {} of {}, which has {}{} {}", bytes, at, name, size,
        shared ? ": the launch gave less dynamic shared memory than the kernel uses, or an index "
                 "is wrong."
               : ": an index is wrong.",
        Where(hazard));
  }
  return StopWithHazard(w, std::move(hazard));
}

Span* FindSpan(Warp& w, uint64_t address, uint64_t bytes) {
  Launch& launch = *w.launch;
  return w.parts == nullptr ? launch.memory->Find(address, bytes)
                            : w.parts->Find(launch.part, address, bytes);
}

void KeepPiece(Warp& w, const Span& span, uint64_t piece) { w.parts->Keep(span, piece); }

void NoteUninitialised(Warp& w, const Op& op, int lane, uint64_t address, bool shared) {
  if ((op.extra & kMovedEarly) != 0 || !FirstNote(w, op, Noted::kUninitialised)) return;
  if (lane < 0) lane = std::countr_zero(w.mask | 0x80000000u);
  Hazard hazard = MakeHazard(w, op, lane, "uninitialised");
  hazard.address = address;
  if (shared) {
    hazard.text =
        fmt::format("reads shared memory at byte {} that no thread of the block has written. {}",
                    address, Where(hazard));
  } else {
    const DeviceMemory::Entry* entry = w.launch->memory->Holding(address);
    hazard.text = fmt::format("reads byte {} of {}, which nobody has written. {}",
                              entry == nullptr ? address : address - entry->span.start,
                              entry == nullptr ? "?" : entry->name, Where(hazard));
  }
  w.launch->hazards->Add(std::move(hazard));
}

void NoteUninitialisedLocal(Warp& w, const Op& op, uint32_t lanes, uint32_t offset) {
  if ((op.extra & kMovedEarly) != 0 || !FirstNote(w, op, Noted::kUninitialised)) return;
  Hazard hazard = MakeHazard(w, op, std::countr_zero(lanes), "uninitialised");
  hazard.address = offset;
  hazard.text = fmt::format(
      "reads an element of a local array (byte {} of local memory) that the thread has not "
      "written: give the array initial values, or check the index. {}",
      offset, Where(hazard));
  w.launch->hazards->Add(std::move(hazard));
}

bool StoreToReadOnly(Warp& w, const Op& op, int lane, uint64_t address, Span* span) {
  const DeviceMemory::Entry* entry = w.launch->memory->Holding(address);
  const std::string name = entry == nullptr ? "?" : entry->name;
  if (span->read_only) {
    Hazard hazard = MakeHazard(w, op, lane, "out_of_bounds");
    hazard.address = address;
    hazard.text = fmt::format("writes to {}, which is constant memory. {}", name, Where(hazard));
    return StopWithHazard(w, std::move(hazard));
  }
  if (span->reported) return true;
  span->reported = true;
  Hazard hazard = MakeHazard(w, op, lane, "input_written");
  hazard.address = address;
  hazard.text = fmt::format("writes to byte {} of {}, which is an input. {}", address - span->start,
                            name, Where(hazard));
  w.launch->hazards->Add(std::move(hazard));
  return true;
}

void NoteRace(Warp& w, const Op& op, uint32_t address, uint32_t other_warp, RaceKind kind) {
  if (!FirstNote(w, op, Noted::kRace)) return;
  Hazard hazard = MakeHazard(w, op, std::countr_zero(w.mask | 0x80000000u), "shared_race");
  hazard.address = address;
  const std::string_view what =
      kind == RaceKind::kReadAfterWrite ? "reads what" : "overwrites what";
  if (other_warp == kPendingWriter) {
    hazard.text = fmt::format(
        "warp {} {} a cp.async copies to byte {} of shared memory, before the copy was waited for: "
        "each thread waits for its own copies (cp.async.wait_group, __pipeline_wait_prior), then "
        "a __syncthreads() shows them to the others. {}",
        w.index, what, address, Where(hazard));
    w.launch->hazards->Add(std::move(hazard));
    return;
  }
  const std::string_view did = kind == RaceKind::kWriteAfterRead ? "reads" : "wrote";
  hazard.text = fmt::format(
      "warp {} {} warp {} {} at byte {} of shared memory, with no barrier between them: a "
      "__syncthreads() is missing. {}",
      w.index, what, other_warp, did, address, Where(hazard));
  w.launch->hazards->Add(std::move(hazard));
}

void NoteLaneRace(Warp& w, const Op& op, uint32_t address, int lane, int other, RaceKind kind) {
  if (!FirstNote(w, op, Noted::kRace)) return;
  const int at = lane >= 0 ? lane : std::countr_zero(w.mask | 0x80000000u);
  Hazard hazard = MakeHazard(w, op, at, "shared_race");
  hazard.address = address;
  const std::string who = lane >= 0 ? fmt::format("lane {}", lane) : "a warp";
  const std::string_view what = kind == RaceKind::kReadAfterWrite ? "reads" : "overwrites";
  const std::string_view did = kind == RaceKind::kWriteAfterRead ? "reads" : "stored";
  hazard.text = fmt::format(
      "{} {} what lane {} of the same warp {} at byte {} of shared memory, with no __syncwarp() "
      "between them: lanes need not run in step, and shuffles order no memory. {}",
      who, what, other, did, address, Where(hazard));
  w.launch->hazards->Add(std::move(hazard));
}

void NoteShuffle(Warp& w, const Op& op, uint32_t missing) {
  if (!FirstNote(w, op, Noted::kShuffle)) return;
  Hazard hazard = MakeHazard(w, op, std::countr_zero(w.mask | 0x80000000u), "shuffle_mask");
  if (missing != 0) {
    hazard.text = fmt::format(
        "`{}` names lanes {:#010x} in its mask that never come here (they are in another branch): "
        "call it outside of the condition, or with the mask of the lanes that take part. {}",
        InstructionText(w, op), missing, Where(hazard));
  } else {
    hazard.text =
        fmt::format("`{}` is executed by lanes ({:#010x}) that its mask does not all name. {}",
                    InstructionText(w, op), w.mask, Where(hazard));
  }
  w.launch->hazards->Add(std::move(hazard));
}

}  // namespace kw::eval::emu
