// timing: how fast is it? Measured on a GPU; without one, modelled from the emulator's counters,
// and called modelled wherever it shows. Statistics, the roofline, the comparison of two kernels.
//
// A pure function of its arguments; any thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kw/eval/build.h"
#include "kw/eval/device.h"
#include "kw/eval/oracle.h"
#include "kw/eval/task.h"

namespace kw::eval {

struct TimeEstimate {
  double us = 0, p5 = 0, p95 = 0;
  std::string bound;  // what bounds it: dram, l2, fp32, shared, latency, launch, ...
};

// The modelled time of one launch on a device: the slowest of its pipes, DRAM and L2 at the
// occupancy that registers and shared memory allow, plus the launch itself.
// docs/design/cost-model.md gives each formula and its source.
TimeEstimate ModelLaunch(const DeviceSheet& sheet, const LaunchRecord& launch,
                         const std::vector<KernelResources>& resources);
// Of a whole call: launches in order, copies over PCIe.
TimeEstimate ModelCall(const DeviceSheet& sheet, const CallOutcome& outcome,
                       const std::vector<KernelResources>& resources);

// A lower bound for the task at a shape on a device (Williams et al., CACM 2009), in us: the
// larger of compulsory bytes over the peak bandwidth (L2's where the working set fits it) and
// least operations over the fastest unit that the task's precision admits; minus 10 %.
// Nothing when the task states no cost.
[[nodiscard]] Result<std::optional<double>> RooflineUs(const Task& task, const DeviceSheet& sheet,
                                                       const std::map<std::string, int64_t>& axes);

// Design 2, "better": +1 a is faster, -1 b is, 0 a tie (within 5 % and overlapping intervals).
int CompareSpeed(const TimeEstimate& a, const TimeEstimate& b);

struct WorkloadTime {
  std::string uuid;
  // sampled: some blocks ran at this shape, and what they stored was compared. scaled: a smaller
  // shape was checked in its place. p5 and p95 say how far off the time may be then.
  std::string checked = "full";
  TimeEstimate time;
  double baseline_us = 0, speedup = 0;
  double roofline = 0;  // roofline_us / us, 0 when the task states no cost
};
struct TimingReport {
  bool ok = false;  // every workload was timed and its outputs were right
  std::vector<WorkloadTime> workloads;
  double speedup = 0;    // geometric mean over workloads
  OracleReport failure;  // when not ok
};

// The value groups of the first call at a workload's shape, in turn: who leaves out what ordinary
// inputs do not need shows.
inline constexpr std::string_view kHardGroups[] = {"outlier", "negative"};

// Makes three calls at each workload's shape, every output of which is checked: one on hard values,
// the one that is timed, and one on almost the same inputs in the same buffers; then one at a shape
// that nobody knows. Every call is on fresh inputs. `baseline_us` holds one time a workload uuid.
// Workloads beyond FitsInFull: docs/design/sampling.md.
[[nodiscard]] Result<TimingReport> TimeWorkloads(const Task& task, Session& session,
                                                 const DeviceSheet& sheet,
                                                 const std::vector<KernelResources>& resources,
                                                 Reference& reference,
                                                 const std::map<std::string, double>& baseline_us,
                                                 uint64_t seed);

// One call of a case too large to be checked as a whole, of which only some blocks run, as
// TimeWorkloads makes it: ok unless something is seen to be wrong.
[[nodiscard]] Result<OracleReport> CheckInPart(const Task& task, const Case& c, Session& session,
                                               const DeviceSheet& sheet,
                                               const std::vector<KernelResources>& resources,
                                               Reference& reference);

double GeometricMean(const std::vector<double>& values);  // 0 for none

}  // namespace kw::eval
