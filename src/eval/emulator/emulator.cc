#include "kw/eval/emulator.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "blas.h"
#include "device_memory.h"
#include "fmt/format.h"
#include "kw/base/hash.h"
#include "kw/base/text.h"
#include "program.h"
#include "runtime.h"
#include "sampling.h"

namespace kw::eval {

using emu::DeviceMemory;
using emu::Launch;
using Status = LaunchOutcome::Status;

namespace {

constexpr uint32_t kCallStackRegisters = 512 << 10;
constexpr uint32_t kCallStackPredicates = 8192;
constexpr uint32_t kCallStackLocal = 16 << 10;
constexpr uint32_t kMaxSharedWithoutOptin = 48 << 10;

}  // namespace

struct Emulator::Impl {
  struct ModuleState {
    std::unique_ptr<ptx::Module> text;
    emu::SymbolTable symbols;
    std::map<std::string_view, uint64_t> sizes;
    std::map<std::string, std::unique_ptr<emu::Program>, std::less<>> programs;
  };

  Impl(DeviceSheet s, uint64_t seed_in, Checks checks_in, int threads)
      : sheet(std::move(s)),
        seed(seed_in),
        checks(checks_in),
        memory(seed_in, static_cast<uint64_t>(std::max<int64_t>(sheet.memory_bytes, 0)),
               checks == Checks::kAll) {
    if (threads > 1) crew = std::make_unique<emu::Crew>(threads);
  }

  Result<void> PlaceVariables(ModuleState* state);
  Result<emu::Program*> FindProgram(int module, const std::string& kernel);
  bool CheckLaunch(const LaunchRequest& request, const emu::Program& program,
                   LaunchOutcome* outcome) const;
  emu::Launch Prepare(const LaunchRequest& request, const emu::Program& program);
  void Run(emu::Launch* launch, LaunchOutcome* outcome);

  DeviceSheet sheet;
  uint64_t seed;
  Checks checks;
  DeviceMemory memory;
  std::vector<std::unique_ptr<ModuleState>> modules;
  emu::HazardLog hazards;
  std::string printed;
  uint64_t budget = ~uint64_t{0} >> 1;
  uint64_t launches = 0;
  uint64_t workspace = 0;
  uint64_t shared_launches = 0;
  std::unique_ptr<emu::Crew> crew;  // empty: launches run on the calling thread
  std::map<const emu::Program*, emu::PartsHistory> histories;
  std::optional<emu::SampledMemory> sampled;  // while launches are sampled
  emu::BlasScratch blas_scratch;
};

void Counters::Add(const Counters& o) {
  for (const auto counter : kCounters) this->*counter += o.*counter;
}

void Counters::Scale(double factor) {
  for (const auto counter : kCounters) {
    this->*counter =
        static_cast<uint64_t>(std::llround(static_cast<double>(this->*counter) * factor));
  }
}

Emulator::Emulator(DeviceSheet sheet, uint64_t seed, Checks checks, int threads)
    : impl_(std::make_unique<Impl>(std::move(sheet), seed, checks, threads)) {}
Emulator::~Emulator() = default;

// ---- modules ----

Result<void> Emulator::Impl::PlaceVariables(ModuleState* state) {
  for (const ptx::Variable& variable : state->text->variables) {
    if (variable.space == ptx::Space::kShared) continue;
    if (variable.is_extern) {
      return Fail(ErrorCode::kParse,
                  fmt::format("the variable {} is defined in another module", variable.name));
    }
    std::string bytes = variable.image;
    bytes.resize(variable.bytes);
    KW_ASSIGN(DeviceMemory::Entry * entry,
              memory.Allocate(variable.bytes, std::string(variable.name), true));
    KW_TRY(memory.Write(entry->span.start, bytes));
    entry->span.read_only = variable.space == ptx::Space::kConst;
    state->symbols.addresses[variable.name] = entry->span.start;
    state->sizes[variable.name] = variable.bytes;
  }
  for (const ptx::Variable& variable : state->text->variables) {
    for (const ptx::Variable::Reference& reference : variable.references) {
      const auto target = state->symbols.addresses.find(reference.symbol);
      const auto function = state->text->function_index.find(reference.symbol);
      uint64_t value = static_cast<uint64_t>(reference.addend);
      if (target != state->symbols.addresses.end()) {
        value += target->second;
      } else if (function != state->text->function_index.end()) {
        value += emu::FunctionAddress(function->second);
      } else {
        return Fail(ErrorCode::kParse, fmt::format("{} refers to {}, which is not in the module",
                                                   variable.name, reference.symbol));
      }
      char bytes[8];
      std::memcpy(bytes, &value, 8);
      KW_TRY(memory.Write(state->symbols.addresses[variable.name] + reference.offset,
                          std::string_view(bytes, 8)));
    }
  }
  return {};
}

Result<int> Emulator::LoadModule(std::string_view ptx) {
  auto state = std::make_unique<Impl::ModuleState>();
  KW_ASSIGN(state->text, ptx::Parse(ptx));
  KW_TRY(impl_->PlaceVariables(state.get()));
  impl_->modules.push_back(std::move(state));
  return static_cast<int>(impl_->modules.size()) - 1;
}

Result<std::pair<uint64_t, uint64_t>> Emulator::FindGlobal(int module,
                                                           const std::string& name) const {
  if (module < 0 || static_cast<size_t>(module) >= impl_->modules.size()) {
    return Fail(ErrorCode::kInvalid, fmt::format("there is no module {}", module));
  }
  const Impl::ModuleState& state = *impl_->modules[static_cast<size_t>(module)];
  const auto found = state.symbols.addresses.find(name);
  if (found == state.symbols.addresses.end()) {
    return Fail(ErrorCode::kNotFound, fmt::format("the module has no variable {}", name));
  }
  return std::pair(found->second, state.sizes.at(found->first));
}

Result<emu::Program*> Emulator::Impl::FindProgram(int module, const std::string& kernel) {
  if (module < 0 || static_cast<size_t>(module) >= modules.size()) {
    return Fail(ErrorCode::kInvalid, fmt::format("there is no module {}", module));
  }
  ModuleState& state = *modules[static_cast<size_t>(module)];
  const auto known = state.programs.find(kernel);
  if (known != state.programs.end()) return known->second.get();
  KW_ASSIGN(std::unique_ptr<emu::Program> program,
            emu::BuildProgram(*state.text, kernel, state.symbols));
  return state.programs.emplace(kernel, std::move(program)).first->second.get();
}

Result<Emulator::KernelInfo> Emulator::FindKernel(int module, const std::string& name) const {
  KW_ASSIGN(const emu::Program* program, impl_->FindProgram(module, name));
  KernelInfo info;
  info.parameter_bytes = program->parameter_bytes;
  info.parameters = program->parameters;
  info.static_shared = program->static_shared;
  info.local_bytes = program->functions[0].local_bytes;
  info.max_threads = impl_->sheet.max_threads_per_block;
  if (program->max_threads > 0) info.max_threads = std::min(info.max_threads, program->max_threads);
  return info;
}

// ---- memory ----

Result<uint64_t> Emulator::Allocate(uint64_t bytes, std::string name) {
  KW_ASSIGN(const DeviceMemory::Entry* entry, impl_->memory.Allocate(bytes, std::move(name)));
  return entry->span.start;
}
Result<void> Emulator::Free(uint64_t address) { return impl_->memory.Free(address); }
Result<void> Emulator::Write(uint64_t address, std::string_view bytes) {
  if (impl_->sampled) impl_->sampled->NoteAccess(address);
  return impl_->memory.Write(address, bytes);
}
Result<void> Emulator::Read(uint64_t address, char* to, uint64_t bytes) const {
  if (impl_->sampled) impl_->sampled->NoteAccess(address);
  return impl_->memory.Read(address, to, bytes);
}
Result<void> Emulator::Fill(uint64_t address, uint8_t value, uint64_t bytes) {
  if (impl_->sampled) impl_->sampled->NoteAccess(address);
  return impl_->memory.Fill(address, value, bytes);
}
Result<void> Emulator::Poison(uint64_t address) { return impl_->memory.Poison(address); }

Result<void> Emulator::Protect(uint64_t address) {
  DeviceMemory::Entry* entry = impl_->memory.Holding(address);
  if (entry == nullptr || !entry->span.live) {
    return Fail(ErrorCode::kInvalid, fmt::format("{:#x} is no device memory", address));
  }
  entry->span.is_protected = true;
  return {};
}

std::optional<Emulator::Allocation> Emulator::FindAllocation(uint64_t address) const {
  const DeviceMemory::Entry* entry = std::as_const(impl_->memory).Holding(address);
  if (entry == nullptr || !entry->span.live) return std::nullopt;
  return Allocation{entry->span.start, entry->span.bytes, entry->name};
}

uint64_t Emulator::live_bytes() const { return impl_->memory.live_bytes(); }

// ---- launches ----

bool Emulator::Impl::CheckLaunch(const LaunchRequest& request, const emu::Program& program,
                                 LaunchOutcome* outcome) const {
  const auto refuse = [&](std::string_view code, std::string text) {
    outcome->status = Status::kInvalidLaunch;
    outcome->message = fmt::format("{}: {} [{}]", code, text, Demangled(request.kernel));
    return false;
  };
  const Dim3 &g = request.grid, &b = request.block;
  if (g.x == 0 || g.y == 0 || g.z == 0 || b.x == 0 || b.y == 0 || b.z == 0) {
    return refuse("cudaErrorInvalidConfiguration",
                  fmt::format("the grid ({},{},{}) of blocks ({},{},{}) has a zero", g.x, g.y, g.z,
                              b.x, b.y, b.z));
  }
  const uint64_t threads = uint64_t{b.x} * b.y * b.z;
  if (b.x > 1024 || b.y > 1024 || b.z > 64 ||
      threads > static_cast<uint64_t>(sheet.max_threads_per_block)) {
    return refuse("cudaErrorInvalidConfiguration",
                  fmt::format("a block of ({},{},{}) = {} threads; the device allows {}", b.x, b.y,
                              b.z, threads, sheet.max_threads_per_block));
  }
  if (g.x > 0x7fffffffu || g.y > 65535 || g.z > 65535) {
    return refuse("cudaErrorInvalidConfiguration",
                  fmt::format("a grid of ({},{},{}) blocks; y and z end at 65535", g.x, g.y, g.z));
  }
  if (program.max_threads > 0 && threads > static_cast<uint64_t>(program.max_threads)) {
    return refuse("cudaErrorInvalidValue",
                  fmt::format("a block of {} threads; the kernel's __launch_bounds__ allow {}",
                              threads, program.max_threads));
  }
  if (program.required_threads > 0 && threads != static_cast<uint64_t>(program.required_threads)) {
    return refuse("cudaErrorInvalidValue", fmt::format("a block of {} threads; the kernel "
                                                       "requires {}",
                                                       threads, program.required_threads));
  }
  const uint64_t shared = uint64_t{program.static_shared} + request.dynamic_shared;
  if (program.static_shared > kMaxSharedWithoutOptin) {
    return refuse(
        "cudaErrorInvalidValue",
        fmt::format("{} bytes of static shared memory; 49152 are possible", program.static_shared));
  }
  if (!request.shared_optin && shared > kMaxSharedWithoutOptin) {
    return refuse("cudaErrorInvalidValue",
                  fmt::format("{} bytes of shared memory: more than 49152 need "
                              "cudaFuncSetAttribute(kernel, "
                              "cudaFuncAttributeMaxDynamicSharedMemorySize, bytes) first",
                              shared));
  }
  if (shared > static_cast<uint64_t>(sheet.shared_per_block_optin)) {
    return refuse("cudaErrorInvalidValue",
                  fmt::format("{} bytes of shared memory; {} has {} a block", shared, sheet.name,
                              sheet.shared_per_block_optin));
  }
  if (request.parameters.size() < program.parameter_bytes) {
    return refuse("cudaErrorInvalidValue",
                  fmt::format("{} bytes of parameters; the kernel takes {}",
                              request.parameters.size(), program.parameter_bytes));
  }
  return true;
}

namespace {

void CountWork(const Launch& launch, Counters* out) {
  for (size_t i = 0; i < launch.stats.size(); ++i) {
    const emu::BlockStat& stat = launch.stats[i];
    const emu::BlockInfo& block = launch.program->blocks[i];
    const auto work = [&](emu::Work kind) {
      return stat.warps * block.work[static_cast<int>(kind)];
    };
    out->lane_instructions += stat.lanes * block.instructions;
    out->warp_instructions += stat.warps * block.instructions;
    out->fp32 += work(emu::Work::kFp32);
    out->fp64 += work(emu::Work::kFp64);
    out->fp16 += work(emu::Work::kFp16);
    out->integer += work(emu::Work::kInteger);
    out->special += work(emu::Work::kSpecial);
    out->tensor += work(emu::Work::kTensor);
  }
  out->global_load_sectors = launch.counts.global_load_sectors;
  out->global_store_sectors = launch.counts.global_store_sectors;
  out->global_requests = launch.counts.global_requests;
  out->shared_requests = launch.counts.shared_requests;
  out->shared_conflicts = launch.counts.shared_conflicts;
  out->atomics = launch.counts.atomics;
  out->barriers = launch.barriers;
  out->divergent_branches = launch.divergent_branches;
}

}  // namespace

emu::Launch Emulator::Impl::Prepare(const LaunchRequest& request, const emu::Program& program) {
  emu::Launch launch;
  launch.program = &program;
  launch.module = modules[static_cast<size_t>(request.module)]->text.get();
  launch.memory = &memory;
  launch.hazards = &hazards;
  launch.printed = &printed;
  launch.sheet = &sheet;
  launch.grid = request.grid;
  launch.block = request.block;
  launch.threads = request.block.x * request.block.y * request.block.z;
  launch.warp_count = (launch.threads + emu::kLanes - 1) / emu::kLanes;
  launch.dynamic_shared = request.dynamic_shared;
  launch.shared_bytes = request.dynamic_shared > 0
                            ? launch.program->dynamic_shared_at + request.dynamic_shared
                            : launch.program->static_shared;
  const emu::FunctionCode& kernel = launch.program->functions[0];
  const bool calls = launch.program->calls_functions;
  launch.register_bytes = kernel.frame_bytes + (calls ? kCallStackRegisters : 0);
  launch.predicate_words = kernel.predicates + (calls ? kCallStackPredicates : 0);
  launch.local_bytes = kernel.local_bytes + (calls ? kCallStackLocal : 0);
  for (const emu::FunctionCode& function : launch.program->functions) {
    if (&function != &kernel) launch.local_bytes += function.local_bytes;
  }
  launch.parameters = request.parameters;
  launch.kernel_title = Demangled(request.kernel);
  launch.seed = DeriveSeed(seed, fmt::format("launch {}", launches++));
  launch.budget = budget;
  launch.sites.resize(launch.program->site_count);
  launch.stats.resize(launch.program->blocks.size());
  launch.noted.resize(launch.program->origins.size());
  launch.watched = checks == Checks::kAll;
  launch.poison = memory.poison_word();
  if (request.cooperative) {
    constexpr uint64_t kWorkspaceBytes = 256;
    if (workspace == 0) {
      const auto entry = memory.Allocate(kWorkspaceBytes, "the grid's workspace", true);
      if (entry) workspace = (*entry)->span.start;
    }
    std::string fresh(kWorkspaceBytes, '\0');
    fresh[1] = 1;  // its size as a little-endian word
    (void)memory.Write(workspace, fresh);
    launch.workspace = workspace;
  }
  launch.stores.base = memory.BeginLaunch(sampled.has_value());
  launch.stores.unit_shift =
      static_cast<uint32_t>(std::countr_zero(launch.program->narrowest_store));
  return launch;
}

void Emulator::Impl::Run(emu::Launch* launch, LaunchOutcome* outcome) {
  emu::PartsHistory& history = histories[launch->program];
  if (sampled && emu::CanSample(*launch)) {
    emu::RunSample(launch, sampled->Next(), outcome);
  } else if (emu::RunInParts(launch, crew.get(), &history)) {
    ++shared_launches;
  } else {
    emu::BlockQueue all(*launch, 1);
    emu::RunBlocks(launch, &all);
  }
  const uint64_t blocks = BlockCount(launch->grid);
  if (outcome->blocks_run == 0) outcome->blocks_run = blocks;
  history.lane_instructions_a_block = launch->spent / outcome->blocks_run;
  memory.EndLaunch(std::max(launch->authors.size(), launch->part_authors));
  budget -= std::min(budget, launch->effort);
  CountWork(*launch, &outcome->counters);
  const double factor = static_cast<double>(blocks) / static_cast<double>(outcome->blocks_run);
  if (blocks != outcome->blocks_run) outcome->counters.Scale(factor);
  outcome->counters.dram_sectors = memory.Touched(factor);
  if (sampled) sampled->NoteLaunch(*launch, blocks != outcome->blocks_run);
  outcome->status = launch->status;
  outcome->message = std::move(launch->message);
}

LaunchOutcome Emulator::Launch(const LaunchRequest& request) {
  LaunchOutcome outcome;
  const Result<emu::Program*> program = impl_->FindProgram(request.module, request.kernel);
  if (!program) {
    outcome.status = program.error().code == ErrorCode::kNotFound ? Status::kInvalidLaunch
                                                                  : Status::kUnsupported;
    outcome.message = program.error().code == ErrorCode::kNotFound
                          ? "cudaErrorInvalidDeviceFunction: " + program.error().ToString()
                          : program.error().ToString();
    return outcome;
  }
  if (!impl_->CheckLaunch(request, **program, &outcome)) return outcome;
  emu::Launch launch = impl_->Prepare(request, **program);
  impl_->Run(&launch, &outcome);
  return outcome;
}

void Emulator::BeginSampling(const Sampling& sampling) {
  impl_->sampled.emplace(&impl_->memory, sampling);
}
SampledStores Emulator::EndSampling() {
  SampledStores stores = impl_->sampled ? impl_->sampled->Take() : SampledStores{};
  impl_->sampled.reset();
  return stores;
}

BlasOutcome Emulator::RunBlas(const BlasCall& call) {
  if (impl_->sampled) impl_->sampled->NoteLibraryCall(call.function);
  return emu::RunBlas(call, &impl_->memory, &impl_->hazards, impl_->sheet, &impl_->budget,
                      &impl_->blas_scratch);
}

void Emulator::SetBudget(uint64_t lane_instructions) { impl_->budget = lane_instructions; }
uint64_t Emulator::budget_left() const { return impl_->budget; }
uint64_t Emulator::shared_launches() const { return impl_->shared_launches; }
std::vector<Hazard> Emulator::TakeHazards() { return impl_->hazards.Take(); }
std::string Emulator::TakePrintf() { return std::exchange(impl_->printed, {}); }
const DeviceSheet& Emulator::sheet() const { return impl_->sheet; }

}  // namespace kw::eval
