#include "launch_rules.h"

#include <fmt/format.h>

#include <algorithm>

#include "cuda_errors.h"

namespace kw::eval {
namespace {

constexpr uint64_t kMaxGridX = 0x7fffffff, kMaxGridYZ = 65535, kMaxBlockZ = 64;
constexpr uint64_t kReservedShared = 1024;  // per block, since compute capability 8.0
// Registers are given to warps in this unit (CUDA's occupancy calculator; since 2012's Kepler).
constexpr uint64_t kRegisterUnit = 256;

// Registers of a warp; 0: not known.
uint64_t WarpRegisters(const Emulator::KernelInfo& kernel) {
  const auto registers = static_cast<uint64_t>(std::max(kernel.registers, 0));
  return (registers * 32 + kRegisterUnit - 1) / kRegisterUnit * kRegisterUnit;
}

uint64_t WarpsByRegisters(const DeviceSheet& sheet, const Emulator::KernelInfo& kernel) {
  const uint64_t warp = WarpRegisters(kernel);
  return warp == 0 ? UINT64_MAX / 32 : static_cast<uint64_t>(sheet.registers_per_sm) / warp;
}

LaunchVerdict CheckDimensions(const DeviceSheet& sheet, const Emulator::KernelInfo& kernel,
                              const LaunchShape& shape) {
  const Dim3 &g = shape.grid, &b = shape.block;
  if (g.x == 0 || g.y == 0 || g.z == 0) {
    return {kCudaInvalidConfiguration,
            fmt::format("the grid ({}, {}, {}) has an empty dimension", g.x, g.y, g.z)};
  }
  if (g.x > kMaxGridX || g.y > kMaxGridYZ || g.z > kMaxGridYZ) {
    return {kCudaInvalidConfiguration,
            fmt::format("the grid ({}, {}, {}) is larger than ({}, {}, {})", g.x, g.y, g.z,
                        kMaxGridX, kMaxGridYZ, kMaxGridYZ)};
  }
  uint64_t threads = uint64_t{b.x} * b.y * b.z;
  auto most = static_cast<uint64_t>(sheet.max_threads_per_block);
  if (b.x == 0 || b.y == 0 || b.z == 0) {
    return {kCudaInvalidConfiguration,
            fmt::format("the block ({}, {}, {}) has an empty dimension", b.x, b.y, b.z)};
  }
  if (b.x > most || b.y > most || b.z > kMaxBlockZ || threads > most) {
    return {kCudaInvalidConfiguration,
            fmt::format("a block of ({}, {}, {}) = {} threads; the device takes {} threads, and {} "
                        "in z",
                        b.x, b.y, b.z, threads, most, kMaxBlockZ)};
  }
  if (threads > static_cast<uint64_t>(kernel.max_threads)) {
    return {kCudaInvalidConfiguration,
            fmt::format("a block of {} threads; the kernel's __launch_bounds__ allow {}", threads,
                        kernel.max_threads)};
  }
  if (uint64_t fit = WarpsByRegisters(sheet, kernel) * 32; threads > fit) {
    return {kCudaLaunchOutOfResources,
            fmt::format("a block of {} threads with {} registers each; the device has {} for a "
                        "block, enough for {} threads: say __launch_bounds__({}) at the kernel, or "
                        "launch smaller blocks",
                        threads, kernel.registers, sheet.registers_per_sm, fit, threads)};
  }
  return {};
}

}  // namespace

LaunchVerdict CheckLaunch(const DeviceSheet& sheet, const Emulator::KernelInfo& kernel,
                          const LaunchShape& shape) {
  LaunchVerdict verdict = CheckDimensions(sheet, kernel, shape);
  if (verdict.error) return verdict;
  uint64_t usual = static_cast<uint64_t>(sheet.shared_per_block);
  uint64_t together = shape.dynamic_shared + kernel.static_shared;
  if (shape.dynamic_shared > std::max(shape.dynamic_shared_allowed,
                                      usual - std::min<uint64_t>(usual, kernel.static_shared))) {
    return {kCudaInvalidValue,
            fmt::format("{} bytes of dynamic shared memory and {} static ones; without "
                        "cudaFuncSetAttribute(kernel, "
                        "cudaFuncAttributeMaxDynamicSharedMemorySize, bytes) a block has {} bytes",
                        shape.dynamic_shared, kernel.static_shared, usual)};
  }
  if (together > static_cast<uint64_t>(sheet.shared_per_block_optin)) {
    return {kCudaInvalidValue, fmt::format("{} bytes of shared memory; a block can have {}",
                                           together, sheet.shared_per_block_optin)};
  }
  if (shape.cooperative) {
    uint64_t threads = uint64_t{shape.block.x} * shape.block.y * shape.block.z;
    uint64_t blocks = BlockCount(shape.grid);
    uint64_t fit = static_cast<uint64_t>(sheet.sm_count) *
                   BlocksPerMultiprocessor(sheet, kernel, threads, shape.dynamic_shared);
    if (blocks > fit) {
      return {kCudaCooperativeLaunchTooLarge,
              fmt::format("a cooperative grid of {} blocks; {} fit on the device at once", blocks,
                          fit)};
    }
  }
  return {};
}

uint64_t MostThreads(const DeviceSheet& sheet, const Emulator::KernelInfo& kernel) {
  return std::min({static_cast<uint64_t>(sheet.max_threads_per_block),
                   static_cast<uint64_t>(kernel.max_threads),
                   WarpsByRegisters(sheet, kernel) * 32});
}

uint64_t BlocksPerMultiprocessor(const DeviceSheet& sheet, const Emulator::KernelInfo& kernel,
                                 uint64_t threads, uint64_t dynamic_shared) {
  if (threads == 0 || threads > MostThreads(sheet, kernel)) return 0;
  uint64_t whole_warps = (threads + 31) / 32 * 32;
  uint64_t shared = dynamic_shared + kernel.static_shared + kReservedShared;
  return std::min({static_cast<uint64_t>(sheet.max_blocks_per_sm),
                   static_cast<uint64_t>(sheet.max_threads_per_sm) / whole_warps,
                   WarpsByRegisters(sheet, kernel) * 32 / whole_warps,
                   static_cast<uint64_t>(sheet.shared_per_sm) / shared});
}

}  // namespace kw::eval
