#include "gpu_probe.h"

#include <dlfcn.h>

#include <array>

namespace kw::cli {
namespace {

// CUdevice_attribute values of the driver API (stable since CUDA 5).
constexpr int kMajor = 75, kMinor = 76;

template <class Function>
Function Find(void* library, const char* name) {
  return reinterpret_cast<Function>(dlsym(library, name));
}

}  // namespace

GpuProbe ProbeGpus() {
  GpuProbe probe;
  void* driver = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
  if (driver == nullptr) {
    probe.why_none = "no driver (libcuda.so.1 is not there)";
    return probe;
  }
  const auto init = Find<int (*)(unsigned)>(driver, "cuInit");
  const auto count = Find<int (*)(int*)>(driver, "cuDeviceGetCount");
  const auto name = Find<int (*)(char*, int, int)>(driver, "cuDeviceGetName");
  const auto attribute = Find<int (*)(int*, int, int)>(driver, "cuDeviceGetAttribute");
  const auto memory = Find<int (*)(size_t*, int)>(driver, "cuDeviceTotalMem_v2");
  int devices = 0;
  if (init == nullptr || count == nullptr || name == nullptr || attribute == nullptr ||
      memory == nullptr) {
    probe.why_none = "libcuda.so.1 is no CUDA driver";
  } else if (const int status = init(0); status != 0 || count(&devices) != 0 || devices == 0) {
    probe.why_none = "the driver finds no GPU (cuInit gives " + std::to_string(status) + ")";
  }
  for (int device = 0; device < devices; ++device) {
    std::array<char, 256> text{};
    int major = 0, minor = 0;
    size_t bytes = 0;
    name(text.data(), text.size() - 1, device);
    attribute(&major, kMajor, device);
    attribute(&minor, kMinor, device);
    memory(&bytes, device);
    probe.gpus.push_back({text.data(), major * 10 + minor, static_cast<long long>(bytes)});
  }
  dlclose(driver);
  return probe;
}

}  // namespace kw::cli
