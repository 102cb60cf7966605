// emulator: CUDA kernels on the CPU. Reads the PTX that nvcc put into an object and runs it with
// the semantics of warps, watching for hazards. Usable alone: nothing here knows of tasks.
//
//   KW_ASSIGN(std::vector<std::string> ptx, ReadPtxImages(object_bytes));
//   KW_ASSIGN(DeviceSheet sheet, LoadDeviceSheet(home + "/data/devices", "a100_sxm4"));
//   Emulator gpu(sheet, seed);
//   KW_ASSIGN(int module, gpu.LoadModule(ptx[0]));
//   KW_ASSIGN(uint64_t x, gpu.Allocate(4096, "x"));
//   KW_ASSIGN(LaunchOutcome done, gpu.Launch({.module = module, .kernel = "_Z1k...", ...}));
//
// An instruction that it does not know is LaunchOutcome::kUnsupported, naming instruction and
// line: never a wrong number. Results, hazards and counters are a pure function of (PTX, memory,
// seed). One Emulator is used by one thread at a time.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kw/base/error.h"

namespace kw::eval {

// A device to be: limits for launches, and peaks for the cost model and the roofline.
// From data/devices/NAME.toml, or from a file of one's own, named by its path
// (docs/formats/device-sheet.md).
struct DeviceSheet {
  std::string name;   // "a100_sxm4"
  std::string title;  // "NVIDIA A100-SXM4-80GB"
  int sm = 80;        // compute capability * 10
  int sm_count = 108;
  double clock_ghz = 1.41;
  int max_threads_per_block = 1024, max_threads_per_sm = 2048, max_blocks_per_sm = 32;
  int registers_per_sm = 65536;
  int shared_per_block = 49152, shared_per_block_optin = 166912, shared_per_sm = 167936;
  int64_t memory_bytes = 0;  // of the whole device
  int64_t l2_bytes = 0;
  double dram_gbps = 0, l2_gbps = 0;                         // GB/s, decimal
  double fp32_tflops = 0, fp64_tflops = 0, fp16_tflops = 0;  // plain cores
  double tensor_fp16_tflops = 0, tensor_tf32_tflops = 0;     // dense
  double launch_us = 3.0;
  std::string hash;  // of the sheet's text
};
[[nodiscard]] Result<DeviceSheet> LoadDeviceSheet(const std::string& folder,
                                                  const std::string& name);

// The PTX texts of a shared object's fat binaries (version-1 wrappers; plain or compressed).
// kParse on anything that is not such an object; every length is checked.
[[nodiscard]] Result<std::vector<std::string>> ReadPtxImages(std::string_view object_bytes);

struct Dim3 {
  uint32_t x = 1, y = 1, z = 1;
};
inline uint64_t BlockCount(const Dim3& grid) { return uint64_t{grid.x} * grid.y * grid.z; }

// What hardware runs past in silence.
struct Hazard {
  std::string kind;    // out_of_bounds, misaligned, use_after_free, host_pointer, shared_race,
                       // global_race, barrier_divergence, shuffle_mask, uninitialised, ...: stable
  std::string kernel;  // demangled
  std::string file;
  int line = 0;  // source line (-lineinfo); 0 unknown
  Dim3 block, thread;
  uint64_t address = 0;
  std::string text;  // the sentence for the author: what, where, what usually repairs it
};

// What a launch did, for the cost model. All are sums over the launch.
struct Counters {
  uint64_t lane_instructions = 0, warp_instructions = 0;
  uint64_t fp32 = 0, fp64 = 0, fp16 = 0, integer = 0, special = 0, tensor = 0;  // warp instrs
  uint64_t global_load_sectors = 0, global_store_sectors = 0;  // 32-byte sectors requested
  uint64_t global_requests = 0;                                // warp-level memory instructions
  uint64_t dram_sectors = 0;                                   // distinct sectors touched
  uint64_t shared_requests = 0, shared_conflicts = 0;          // extra wavefronts
  uint64_t atomics = 0, barriers = 0, divergent_branches = 0;
  void Add(const Counters& other);
  void Scale(double factor);
};
// All of them, in the order of the emulator's messages.
inline constexpr uint64_t Counters::*kCounters[] = {&Counters::lane_instructions,
                                                    &Counters::warp_instructions,
                                                    &Counters::fp32,
                                                    &Counters::fp64,
                                                    &Counters::fp16,
                                                    &Counters::integer,
                                                    &Counters::special,
                                                    &Counters::tensor,
                                                    &Counters::global_load_sectors,
                                                    &Counters::global_store_sectors,
                                                    &Counters::global_requests,
                                                    &Counters::dram_sectors,
                                                    &Counters::shared_requests,
                                                    &Counters::shared_conflicts,
                                                    &Counters::atomics,
                                                    &Counters::barriers,
                                                    &Counters::divergent_branches};

// Of a launch that is too large to run as a whole only some blocks run: the corners of the grid and
// others that the seed decides, until the instructions are spent.
struct Sampling {
  uint64_t seed = 0;
  uint64_t lane_instructions = 0;  // a launch; the corners run in any case
};

struct LaunchRequest {
  int module = 0;
  std::string kernel;  // mangled name, as registered
  Dim3 grid, block;
  uint32_t dynamic_shared = 0;
  bool shared_optin = false;  // cudaFuncAttributeMaxDynamicSharedMemorySize was raised
  bool cooperative = false;   // cudaLaunchCooperativeKernel: grid.sync() traps without it
  std::string parameters;     // the kernel's parameter block, packed as PTX lays it out
};

struct LaunchOutcome {
  enum class Status {
    kOk,
    kInvalidLaunch,  // as hardware refuses it: `message` holds CUDA's error name first
    kFault,          // a hazard that ends the context (out of bounds, trap, misaligned)
    kUnsupported,    // an instruction or feature the emulator does not have
    kBudget,         // the instruction budget is spent: `message` says where it loops
  };
  Status status = Status::kOk;
  std::string message;
  Counters counters;  // of a sampled launch: extrapolated to the whole grid
  uint64_t blocks_run = 0;
  // Of a sampled launch: the relative standard error of its instructions, from how much the blocks
  // that ran differ.
  double error = 0;
};

using ByteRuns = std::vector<std::pair<uint64_t, uint64_t>>;  // [first, second), in order

// What of a call was sampled (Emulator::EndSampling).
struct SampledStores {
  // Why the outputs cannot be looked at, for people; "": they can. A launch or a copy that takes
  // what a sampled launch has stored in part cannot give what the whole call would.
  std::string unusable;
  // By the start of each allocation: the bytes that sampled launches stored. What is not in here
  // was stored as a whole, or not at all.
  std::map<uint64_t, ByteRuns> runs;
};

struct BlasCall;
struct BlasOutcome;

class Emulator {
 public:
  // kBounds: addresses and alignment alone, for measuring what the other checks cost.
  enum class Checks : uint8_t { kAll, kBounds };
  // The seed decides addresses, poison, clocks and the order of warps and blocks. With several
  // threads large launches run faster; what comes out is the same, bit for bit.
  Emulator(DeviceSheet sheet, uint64_t seed, Checks checks = Checks::kAll, int threads = 1);
  ~Emulator();
  Emulator(const Emulator&) = delete;
  Emulator& operator=(const Emulator&) = delete;

  // Parses and keeps a module. kParse names the PTX line. Hostile text costs bounded memory.
  [[nodiscard]] Result<int> LoadModule(std::string_view ptx);
  // Address and size of a __device__ or __constant__ variable.
  [[nodiscard]] Result<std::pair<uint64_t, uint64_t>> FindGlobal(int module,
                                                                 const std::string& name) const;
  struct KernelInfo {
    uint32_t parameter_bytes = 0;
    std::vector<std::pair<uint32_t, uint32_t>> parameters;  // (offset, size) in order
    uint32_t static_shared = 0, local_bytes = 0;
    int max_threads = 1024;  // .maxntid or the device's
    int registers = 0;       // a thread; 0: not known, since PTX does not say it
  };
  [[nodiscard]] Result<KernelInfo> FindKernel(int module, const std::string& name) const;

  // Device memory. Addresses are never reused, are 256-byte aligned, and have a guard zone on
  // both sides; `name` appears in hazards ("2 elements past the end of x"). Contents are poison
  // (a NaN pattern) and count as uninitialised until written. kLimit: cudaErrorMemoryAllocation.
  [[nodiscard]] Result<uint64_t> Allocate(uint64_t bytes, std::string name);
  [[nodiscard]] Result<void> Free(uint64_t address);
  // Host side access, checked against the allocations.
  [[nodiscard]] Result<void> Write(uint64_t address, std::string_view bytes);
  [[nodiscard]] Result<void> Read(uint64_t address, char* to, uint64_t bytes) const;
  [[nodiscard]] Result<void> Fill(uint64_t address, uint8_t value, uint64_t bytes);
  // Makes an allocation's contents poison and uninitialised again.
  [[nodiscard]] Result<void> Poison(uint64_t address);
  // Marks an allocation as read-only for kernels: a store to it is a hazard (input_written).
  [[nodiscard]] Result<void> Protect(uint64_t address);
  // The allocation that holds an address: (start, size, name).
  struct Allocation {
    uint64_t start = 0, bytes = 0;
    std::string name;
  };
  std::optional<Allocation> FindAllocation(uint64_t address) const;
  uint64_t live_bytes() const;  // of Allocate; variables of modules do not count

  // Runs a kernel to its end, on the calling thread's behalf.
  [[nodiscard]] LaunchOutcome Launch(const LaunchRequest& request);
  // Launches are sampled from here on, but those whose blocks signal each other, print, or read
  // clocks, cooperative ones, and small ones: they run as a whole.
  void BeginSampling(const Sampling& sampling);
  SampledStores EndSampling();
  // Runs a library call in a kernel's place (kw/eval/blas.h).
  [[nodiscard]] BlasOutcome RunBlas(const BlasCall& call);
  // Lane-instructions that all launches together may still spend.
  void SetBudget(uint64_t lane_instructions);
  uint64_t budget_left() const;
  // How many launches several threads have shared, so far.
  uint64_t shared_launches() const;

  // Hazards since the last take, ordered by (kernel, line, block, thread), at most 32 kept.
  std::vector<Hazard> TakeHazards();
  // What device code printed since the last take, at most 64 KiB.
  std::string TakePrintf();
  const DeviceSheet& sheet() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace kw::eval
