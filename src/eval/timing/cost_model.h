// The parts of the modelled time of one launch. docs/design/cost-model.md explains each formula.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "kw/eval/timing.h"

namespace kw::eval {

// How many blocks fit one multiprocessor, and what keeps out the next one.
struct Occupancy {
  int blocks_per_sm = 1;
  int warps_per_sm = 1;
  std::string limit = "blocks";  // threads | blocks | registers | shared
};
Occupancy OccupancyOf(const DeviceSheet& sheet, const LaunchRecord& launch,
                      const KernelResources* resources);

// What each resource needs alone, in us, at the rate that it can sustain.
struct LaunchParts {
  double dram = 0, l2 = 0, issue = 0, fp32 = 0, fp64 = 0, fp16 = 0, integer = 0, special = 0;
  double tensor = 0, shared = 0, atomic = 0, latency = 0;

  static constexpr int kCount = 12;
  std::array<std::pair<std::string_view, double>, kCount> Named() const;
  // The root of the sum of squares: never less than the slowest part, and less for each saving.
  double Body() const;
  std::string_view Bound() const;
};
// resident_bytes: how much of what the launch touches an earlier one of the call left in L2.
LaunchParts PartsOf(const DeviceSheet& sheet, const LaunchRecord& launch,
                    const KernelResources* resources, double resident_bytes);

const KernelResources* FindResources(const std::vector<KernelResources>& resources,
                                     std::string_view kernel);

// GB/s of the host link of a device generation, one direction.
double HostLinkGbps(const DeviceSheet& sheet);

}  // namespace kw::eval
