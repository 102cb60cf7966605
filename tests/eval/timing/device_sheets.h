// Three devices of three generations, for tests.
#pragma once

#include <vector>

#include "kw/eval/emulator.h"

namespace kw::eval {

inline DeviceSheet A100() {
  DeviceSheet s;
  s.name = "a100_sxm4";
  s.sm = 80, s.sm_count = 108, s.clock_ghz = 1.41;
  s.l2_bytes = 40 << 20, s.dram_gbps = 2039, s.l2_gbps = 5120;
  s.fp32_tflops = 19.5, s.fp64_tflops = 9.7, s.fp16_tflops = 78;
  s.tensor_fp16_tflops = 312, s.tensor_tf32_tflops = 156, s.launch_us = 3;
  return s;
}

inline DeviceSheet T4() {
  DeviceSheet s;
  s.name = "t4";
  s.sm = 75, s.sm_count = 40, s.clock_ghz = 1.59;
  s.max_threads_per_sm = 1024, s.max_blocks_per_sm = 16, s.shared_per_sm = 65536;
  s.l2_bytes = 4 << 20, s.dram_gbps = 320, s.l2_gbps = 1280;
  s.fp32_tflops = 8.1, s.fp64_tflops = 0.25, s.fp16_tflops = 16.2;
  s.tensor_fp16_tflops = 65, s.tensor_tf32_tflops = 0, s.launch_us = 4;
  return s;
}

inline DeviceSheet H100() {
  DeviceSheet s;
  s.name = "h100_sxm";
  s.sm = 90, s.sm_count = 132, s.clock_ghz = 1.83;
  s.shared_per_sm = 233472, s.l2_bytes = 50 << 20, s.dram_gbps = 3350, s.l2_gbps = 7000;
  s.fp32_tflops = 66.9, s.fp64_tflops = 33.5, s.fp16_tflops = 133.8;
  s.tensor_fp16_tflops = 989, s.tensor_tf32_tflops = 494, s.launch_us = 3;
  return s;
}

inline std::vector<DeviceSheet> SomeSheets() { return {T4(), A100(), H100()}; }

}  // namespace kw::eval
