#include "cost_model.h"

#include <algorithm>
#include <cmath>

namespace kw::eval {
namespace {

// What kernels reach of a data sheet's peak. DRAM loses refresh and read/write turns; an L2 peak
// is that of hits spread evenly over all slices.
constexpr double kDramEfficiency = 0.92;
constexpr double kL2Efficiency = 0.85;

// Latencies in cycles, after the microbenchmarks of Jia et al. (2018, 2019) and Abdelkhalik et al.
// (2022): Turing to Hopper lie within a quarter of these.
constexpr double kDependentIssue = 3.0;  // 4 to 6 a dependent instruction, some are independent
constexpr double kGlobalLatency = 480.0;
constexpr double kGlobalInFlight = 2.0;  // loads of one warp that overlap
constexpr double kSharedLatency = 24.0;
constexpr double kSharedInFlight = 3.0;
constexpr double kConflictLatency = 2.0;
constexpr double kBarrierLatency = 30.0;
constexpr double kAtomicLatency = 120.0;

// Warp instructions a cycle and multiprocessor.
constexpr double kIssueRate = 4.0;      // four schedulers
constexpr double kIntegerRate = 2.0;    // 64 lanes
constexpr double kSpecialRate = 0.5;    // 16 lanes
constexpr double kLoadStoreRate = 1.0;  // 32 lanes, 128 bytes
constexpr double kSectorsPerCycle = 4.0;
// Multiply-adds of one tensor instruction, as m16n8k16.
constexpr double kTensorFlops = 4096.0;
// Atomic instructions that L2 takes for each sector that it could move otherwise.
constexpr double kAtomicSectors = 2.0;

constexpr double kHostCopyUs = 8.0;   // a blocking copy's fixed part
constexpr double kLaunchGapUs = 1.0;  // between two kernels of one stream that are queued
constexpr double kInterval = 0.05;

double OrElse(double value, double otherwise) { return value > 0 ? value : otherwise; }

uint64_t Product(const Dim3& dim) { return uint64_t{dim.x} * dim.y * dim.z; }

struct Shape {
  double blocks = 1, warps_per_block = 1, threads = 1;
  double busy_sms = 1;  // multiprocessors' worth of work that runs at once
  double resident = 1;  // warps on a busy multiprocessor
  double rounds = 1;    // how often the resident warps are replaced
};

Shape ShapeOf(const DeviceSheet& sheet, const LaunchRecord& launch, const Occupancy& occupancy) {
  Shape shape;
  const double sms = std::max(1, sheet.sm_count);
  shape.blocks = static_cast<double>(std::max<uint64_t>(1, Product(launch.grid)));
  const double block_threads = static_cast<double>(std::max<uint64_t>(1, Product(launch.block)));
  shape.warps_per_block = std::ceil(block_threads / 32);
  shape.threads = shape.blocks * block_threads;
  // The last round of blocks leaves multiprocessors idle; with many rounds that evens out.
  shape.busy_sms = shape.blocks / std::ceil(shape.blocks / sms);
  const double blocks_there =
      std::min<double>(occupancy.blocks_per_sm, std::ceil(shape.blocks / sms));
  shape.resident = blocks_there * shape.warps_per_block;
  shape.rounds = std::max(1.0, shape.blocks / (sms * occupancy.blocks_per_sm));
  return shape;
}

// One warp's way from start to end, if it had the machine alone.
double WarpCycles(const Counters& c, const Shape& shape) {
  const double warps = shape.blocks * shape.warps_per_block;
  const double sectors = static_cast<double>(c.global_load_sectors + c.global_store_sectors);
  const double load_share = sectors > 0 ? static_cast<double>(c.global_load_sectors) / sectors : 0;
  const double loads = static_cast<double>(c.global_requests) * load_share / warps;
  // A single load has nothing to overlap with.
  const double in_flight = std::clamp(loads, 1.0, kGlobalInFlight);
  return static_cast<double>(c.warp_instructions) / warps * kDependentIssue +
         loads * kGlobalLatency / in_flight +
         static_cast<double>(c.shared_requests) / warps * kSharedLatency / kSharedInFlight +
         static_cast<double>(c.shared_conflicts) / warps * kConflictLatency +
         static_cast<double>(c.barriers) / shape.blocks * kBarrierLatency +
         static_cast<double>(c.atomics) / warps * kAtomicLatency;
}

TimeEstimate Estimate(double us, std::string_view bound) {
  return {us, us * (1 - kInterval), us * (1 + kInterval), std::string(bound)};
}

}  // namespace

const KernelResources* FindResources(const std::vector<KernelResources>& resources,
                                     std::string_view kernel) {
  for (const KernelResources& r : resources) {
    if (r.kernel == kernel) return &r;
  }
  return nullptr;
}

Occupancy OccupancyOf(const DeviceSheet& sheet, const LaunchRecord& launch,
                      const KernelResources* resources) {
  const int warps =
      static_cast<int>(std::clamp<uint64_t>((Product(launch.block) + 31) / 32, 1, 64));
  Occupancy result{std::max(1, sheet.max_blocks_per_sm), warps, "blocks"};
  const auto limit_to = [&](int64_t blocks, const char* name) {
    if (blocks < result.blocks_per_sm) {
      result.blocks_per_sm = static_cast<int>(std::max<int64_t>(1, blocks));
      result.limit = name;
    }
  };
  limit_to(sheet.max_threads_per_sm / (warps * 32), "threads");
  const int registers = resources && resources->registers > 0 ? resources->registers : 32;
  // Registers go to warps in units of 256, and each of four schedulers holds a quarter of them.
  const int64_t warp_registers = (int64_t{registers} * 32 + 255) / 256 * 256;
  const int64_t warps_by_registers = sheet.registers_per_sm / 4 / warp_registers * 4;
  limit_to(warps_by_registers / warps, "registers");
  const int64_t reserved = sheet.sm >= 80 ? 1024 : 0;
  const int64_t shared =
      int64_t{launch.dynamic_shared} + (resources ? resources->static_shared_bytes : 0);
  if (shared > 0) {
    const int64_t block_shared = (shared + reserved + 127) / 128 * 128;
    limit_to(sheet.shared_per_sm / block_shared, "shared");
  }
  result.warps_per_sm = result.blocks_per_sm * warps;
  return result;
}

std::array<std::pair<std::string_view, double>, LaunchParts::kCount> LaunchParts::Named() const {
  return {{{"dram", dram},
           {"l2", l2},
           {"latency", latency},
           {"shared", shared},
           {"fp32", fp32},
           {"fp16", fp16},
           {"fp64", fp64},
           {"tensor", tensor},
           {"special", special},
           {"integer", integer},
           {"atomic", atomic},
           {"issue", issue}}};
}

double LaunchParts::Body() const {
  double sum = 0;
  for (const auto& [name, us] : Named()) sum += us * us;
  return std::sqrt(sum);
}

std::string_view LaunchParts::Bound() const {
  const auto named = Named();
  return std::max_element(named.begin(), named.end(),
                          [](const auto& a, const auto& b) { return a.second < b.second; })
      ->first;
}

LaunchParts PartsOf(const DeviceSheet& sheet, const LaunchRecord& launch,
                    const KernelResources* resources, double resident_bytes) {
  const Counters& c = launch.counters;
  const Shape shape = ShapeOf(sheet, launch, OccupancyOf(sheet, launch, resources));
  const double clock_mhz = OrElse(sheet.clock_ghz, 1.0) * 1e3;  // cycles a us
  const double sm_cycles = clock_mhz * shape.busy_sms;
  const double all_cycles = clock_mhz * std::max(1, sheet.sm_count);
  const double fp32_tflops = OrElse(sheet.fp32_tflops, 1.0);
  const double fp64_tflops = OrElse(sheet.fp64_tflops, fp32_tflops / 64);
  const double fp16_tflops = OrElse(sheet.fp16_tflops, fp32_tflops);
  const double tensor_tflops = OrElse(sheet.tensor_fp16_tflops, fp16_tflops);
  // A pipe's warp instructions a cycle and multiprocessor, from its peak.
  const auto pipe_us = [&](uint64_t instructions, double tflops, double flops_each) {
    const double rate = tflops * 1e6 / all_cycles / flops_each;
    return static_cast<double>(instructions) / (rate * sm_cycles);
  };

  LaunchParts parts;
  const double touched = static_cast<double>(c.dram_sectors) * 32;
  const double dram_bytes = std::max(0.0, touched - resident_bytes);
  parts.dram = dram_bytes / (OrElse(sheet.dram_gbps, 100) * kDramEfficiency * 1e3);
  const double sectors = static_cast<double>(c.global_load_sectors + c.global_store_sectors);
  const double l2_sectors = std::max(sectors, static_cast<double>(c.dram_sectors));
  const double l2_rate = OrElse(sheet.l2_gbps, 2 * OrElse(sheet.dram_gbps, 100)) * 1e3;
  parts.l2 = l2_sectors * 32 / (l2_rate * kL2Efficiency);
  parts.atomic = static_cast<double>(c.atomics) * 32 * kAtomicSectors / (l2_rate * kL2Efficiency);

  parts.issue = static_cast<double>(c.warp_instructions) / (kIssueRate * sm_cycles);
  parts.fp32 = pipe_us(c.fp32, fp32_tflops, 64);
  parts.fp64 = pipe_us(c.fp64, fp64_tflops, 64);
  parts.fp16 = pipe_us(c.fp16, fp16_tflops, 128);
  parts.tensor = pipe_us(c.tensor, tensor_tflops, kTensorFlops);
  parts.integer = static_cast<double>(c.integer) / (kIntegerRate * sm_cycles);
  parts.special = static_cast<double>(c.special) / (kSpecialRate * sm_cycles);

  // Shared memory and L1 are one pipe: 128 bytes a cycle, a request takes a cycle at least.
  const double l1 = std::max(sectors / kSectorsPerCycle, static_cast<double>(c.global_requests));
  const double spilled = resources ? shape.threads * resources->spill_bytes / 128 : 0;
  parts.shared = (static_cast<double>(c.shared_requests + c.shared_conflicts) + l1 + spilled) /
                 (kLoadStoreRate * sm_cycles);

  parts.latency = shape.rounds * WarpCycles(c, shape) / clock_mhz;
  return parts;
}

double HostLinkGbps(const DeviceSheet& sheet) {
  if (sheet.sm >= 90) return 50;  // PCIe 5.0 x16
  if (sheet.sm >= 80) return 25;  // PCIe 4.0 x16
  return 12;                      // PCIe 3.0 x16
}

TimeEstimate ModelLaunch(const DeviceSheet& sheet, const LaunchRecord& launch,
                         const std::vector<KernelResources>& resources) {
  const LaunchParts parts = PartsOf(sheet, launch, FindResources(resources, launch.kernel), 0);
  const double body = parts.Body();
  return Estimate(sheet.launch_us + body, sheet.launch_us > body ? "launch" : parts.Bound());
}

TimeEstimate ModelCall(const DeviceSheet& sheet, const CallOutcome& outcome,
                       const std::vector<KernelResources>& resources) {
  double total = 0, bodies = 0, largest = 0, earlier_bytes = 0, last_body = 0;
  std::string_view bound = "launch";
  for (size_t i = 0; i < outcome.launches.size(); ++i) {
    const LaunchRecord& launch = outcome.launches[i];
    // What earlier launches touched is still in L2 when all of it fits.
    const double touched = static_cast<double>(launch.counters.dram_sectors) * 32;
    const bool fits = earlier_bytes + touched <= static_cast<double>(sheet.l2_bytes);
    const LaunchParts parts =
        PartsOf(sheet, launch, FindResources(resources, launch.kernel), fits ? earlier_bytes : 0);
    const double body = parts.Body();
    // The host prepares a launch while the one before it runs.
    total +=
        body + (i == 0 ? sheet.launch_us : std::max(kLaunchGapUs, sheet.launch_us - last_body));
    bodies += body;
    if (body > largest) {
      largest = body;
      bound = parts.Bound();
    }
    earlier_bytes += touched;
    last_body = body;
  }
  const double copied =
      static_cast<double>(outcome.host_to_device_bytes + outcome.device_to_host_bytes);
  const int directions =
      (outcome.host_to_device_bytes > 0 ? 1 : 0) + (outcome.device_to_host_bytes > 0 ? 1 : 0);
  const double copies = copied / (HostLinkGbps(sheet) * 1e3) + directions * kHostCopyUs;
  // Copies and fills on the device run at DRAM's pace, and each is queued like a launch.
  if (outcome.device_moves > 0) {
    const double moved =
        static_cast<double>(outcome.device_moved_bytes) / (sheet.dram_gbps * kDramEfficiency * 1e3);
    total += moved + static_cast<double>(outcome.device_moves) * kLaunchGapUs;
    if (outcome.launches.empty()) total += sheet.launch_us - kLaunchGapUs;
    bodies += moved;
    if (moved > largest) bound = "dram";
  }
  const double launches = total - bodies;
  if (launches >= bodies) bound = "launch";
  if (copies > total) bound = "pcie";
  return Estimate(total + copies, bound);
}

}  // namespace kw::eval
