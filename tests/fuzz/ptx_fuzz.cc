// Any text as PTX, parsed, decoded and launched under a small budget: it may be refused, fault or
// compute, but neither crashes nor runs long.
#include <cstdint>
#include <string>
#include <string_view>

#include "kw/eval/emulator.h"
#include "src/eval/emulator/ptx.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace kw::eval;
  if (size > 1 << 16) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto module = ptx::Parse(text);
  if (!module) return 0;
  DeviceSheet sheet;
  sheet.sm_count = 2;
  sheet.memory_bytes = 1 << 22;
  Emulator gpu(sheet, 1);
  gpu.SetBudget(20'000);
  const auto loaded = gpu.LoadModule(text);
  if (!loaded) return 0;
  const auto buffer = gpu.Allocate(4096, "buffer");
  if (!buffer) return 0;
  int kernels = 0;
  for (const ptx::Function& function : (*module)->functions) {
    if (!function.is_entry || ++kernels > 4) continue;
    LaunchRequest request;
    request.module = *loaded;
    request.kernel = std::string(function.name);
    request.grid = {2};
    request.block = {40};
    request.dynamic_shared = 256;
    const auto info = gpu.FindKernel(*loaded, request.kernel);
    if (!info || info->parameter_bytes > 4096) continue;
    // Each parameter of 8 bytes points to the buffer.
    request.parameters.resize(info->parameter_bytes);
    for (const auto& [offset, bytes] : info->parameters) {
      for (uint32_t i = 0; i < bytes; ++i) {
        request.parameters[offset + i] =
            bytes == 8 ? static_cast<char>(*buffer >> (8 * i)) : static_cast<char>(i == 0 ? 7 : 0);
      }
    }
    (void)gpu.Launch(request);
    (void)gpu.TakeHazards();
  }
  return 0;
}
