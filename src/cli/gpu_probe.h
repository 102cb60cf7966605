// Which GPUs are here, asked of the driver without linking to it.
#pragma once

#include <string>
#include <vector>

namespace kw::cli {

struct GpuInfo {
  std::string name;
  int sm = 0;  // compute capability * 10
  long long memory_bytes = 0;
};

struct GpuProbe {
  std::vector<GpuInfo> gpus;
  std::string why_none;  // "no driver (libcuda.so.1)", ...
};
GpuProbe ProbeGpus();

}  // namespace kw::cli
