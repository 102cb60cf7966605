#include "passed_feedback.h"

#include <fmt/format.h>

#include <map>

namespace kw::eval {
namespace {

struct BoundText {
  const char* what;
  const char* helps;
};

BoundText TextOf(const std::string& bound) {
  static const std::map<std::string, BoundText> kTexts = {
      {"dram",
       {"memory bandwidth",
        "Every byte of input and output that is touched once must be moved: remove passes over "
        "global memory, temporaries and separate kernels that only pass data on, and use wide "
        "(128-bit) coalesced accesses. Close to the roofline there is little left to win."}},
      {"l2",
       {"L2 cache traffic",
        "The kernel asks global memory for the same data again, or for sectors that it uses only "
        "in part: let neighbouring threads read neighbouring addresses, and keep values that are "
        "used again in registers or shared memory (tiling)."}},
      {"latency",
       {"latency",
        "Too few warps or too long chains of dependent steps: use more and smaller blocks so that "
        "all multiprocessors are busy, several independent loads a thread, warp shuffles instead "
        "of barriers, and fewer registers or less shared memory where these limit occupancy."}},
      {"shared",
       {"the load/store pipe (shared memory and L1)",
        "Each multiply-add waits for a value from shared memory or L1: compute several outputs a "
        "thread from registers, read shared memory in 128-bit words, pad arrays against bank "
        "conflicts, and use vector loads."}},
      {"fp32",
       {"float32 arithmetic",
        "Do fewer operations: fused multiply-add, precomputed reciprocals, no repeated work."}},
      {"fp16",
       {"half-precision arithmetic",
        "Use packed half2 operations, or tensor cores (wmma) for products of matrices."}},
      {"fp64",
       {"float64 arithmetic",
        "Double precision is slow on this device: look for literals without an f (1.0 instead of "
        "1.0f) and for double math functions."}},
      {"tensor", {"the tensor cores", "This is the fastest unit; reuse fragments, avoid padding."}},
      {"special",
       {"special functions (exp, rsqrt, division)",
        "Evaluate each exponential or division once, multiply by a reciprocal, use __expf."}},
      {"integer",
       {"integer and index arithmetic",
        "Hoist index computations out of loops, avoid 64-bit division and modulo, unroll."}},
      {"atomic",
       {"atomic operations",
        "Reduce within the warp and the block first, then one atomic a block, or none."}},
      {"issue",
       {"instruction issue",
        "Too many instructions for the work: vector accesses, unrolled loops, simpler indices."}},
      {"launch",
       {"launch overhead",
        "The work is smaller than the cost of starting it: a single launch, without temporaries, "
        "copies or memsets beside it, is the best that can be had at this size."}},
      {"pcie",
       {"copies between host and device", "Keep all data on the device: no copy is needed."}},
  };
  const auto it = kTexts.find(bound);
  return it == kTexts.end() ? BoundText{"an unnamed resource", ""} : it->second;
}

std::string AxesText(const Task& task, const std::string& uuid) {
  for (const Workload& workload : task.workloads) {
    if (workload.uuid != uuid) continue;
    std::string text;
    for (const auto& [name, size] : workload.axes) {
      text += fmt::format("{}{}={}", text.empty() ? "" : ", ", name, size);
    }
    return text.empty() ? "its only shape" : text;
  }
  return uuid;
}

}  // namespace

std::string PassedFeedback(const Task& task, const Verdict& verdict, const DeviceSheet& sheet) {
  std::string text = fmt::format(
      "Correct in all {} test cases and on the timed workload{}. {} time on {}: {:.2f}x the speed "
      "of the baseline{}.\n",
      verdict.cases.size(), verdict.workloads.size() == 1 ? "" : "s",
      verdict.timing_kind == "modelled" ? "Modelled" : "Measured",
      sheet.title.empty() ? sheet.name : sheet.title, verdict.speedup,
      verdict.workloads.size() == 1 ? "" : " (geometric mean)");
  std::map<std::string, double> time_by_bound;
  for (const WorkloadTime& w : verdict.workloads) {
    time_by_bound[w.time.bound] += w.baseline_us > 0 ? 1 / w.speedup : 1;
    text += fmt::format("- {}: {:.4g} us, baseline {:.4g} us, {:.2f}x; bound by {}",
                        AxesText(task, w.uuid), w.time.us, w.baseline_us, w.speedup,
                        TextOf(w.time.bound).what);
    if (w.roofline > 0) text += fmt::format("; {:.0f} % of the roofline", w.roofline * 100);
    if (w.checked != "full") {
      text += fmt::format("; checked in part ({}), the time is good to {:.0f} %", w.checked,
                          (w.time.p95 / w.time.us - 1) * 100);
    }
    text += "\n";
  }
  std::string worst;
  for (const auto& [bound, weight] : time_by_bound) {
    if (worst.empty() || weight > time_by_bound[worst]) worst = bound;
  }
  if (!worst.empty()) text += TextOf(worst).helps;
  if (!verdict.bitwise) {
    text +=
        "\nTwo runs of one case gave different bits (within tolerance): the order of its "
        "additions is not fixed.";
  }
  return text;
}

}  // namespace kw::eval
