#include "cudart/registry.h"

#include <stdlib.h>
#include <string.h>

#include "cudart/managed.h"
#include "cudart/trace.h"

namespace kw::cudart {

namespace ring = eval::ring;

namespace {

struct Variable {
  const void* host;
  const char* name;
  bool resolved;
  uint64_t address, bytes;
};

template <class T>
class Table {
 public:
  T* Add() {
    if (size_ == capacity_) {
      int capacity = capacity_ ? 2 * capacity_ : 64;
      auto* grown = static_cast<T**>(realloc(items_, capacity * sizeof(T*)));
      if (!grown) return nullptr;
      items_ = grown;
      capacity_ = capacity;
    }
    auto* item = static_cast<T*>(calloc(1, sizeof(T)));
    if (item) items_[size_++] = item;
    return item;
  }
  template <class Matches>
  T* Find(Matches matches) {
    for (int i = 0; i < size_; ++i) {
      if (matches(*items_[i])) return items_[i];
    }
    return nullptr;
  }

 private:
  T** items_ = nullptr;
  int size_ = 0, capacity_ = 0;
};

Table<Kernel> g_kernels;
Table<Variable> g_variables;

struct CallConfiguration {
  Dim3 grid, block;
  size_t shared;
  Stream stream;
};
constexpr int kMaxNested = 64;
CallConfiguration g_configurations[kMaxNested];
int g_nested = 0;

void* g_binary_handle[1];

Error AskForKernel(Kernel* kernel) {
  Answer answer = Call(Op::kFindKernel, nullptr, 0, kernel->name, strlen(kernel->name));
  if (answer.error) return answer.error;
  memcpy(&kernel->facts, answer.body, sizeof kernel->facts);
  kernel->id = answer.values[0];
  size_t bytes = kernel->facts.parameter_count * sizeof(ring::KernelParam);
  if (bytes > 0) {
    kernel->parameters = static_cast<ring::KernelParam*>(malloc(bytes));
    if (!kernel->parameters) return eval::kCudaMemoryAllocation;
    memcpy(kernel->parameters, answer.body + sizeof kernel->facts, bytes);
  }
  return eval::kCudaSuccess;
}

}  // namespace

Kernel* FindKernel(const void* function) {
  return g_kernels.Find(
      [function](const Kernel& k) { return k.host == function || &k == function; });
}

Kernel* ResolveKernel(const void* function, Error* error) {
  Kernel* kernel = FindKernel(function);
  if (!kernel) {
    *error = eval::kCudaInvalidDeviceFunction;
    return nullptr;
  }
  if (!kernel->resolved) {
    kernel->error = AskForKernel(kernel);
    kernel->resolved = kernel->error == eval::kCudaSuccess;
  }
  *error = kernel->error;
  return kernel->resolved ? kernel : nullptr;
}

bool FindVariable(const void* symbol, uint64_t* address, uint64_t* bytes) {
  Variable* variable = g_variables.Find([symbol](const Variable& v) { return v.host == symbol; });
  if (!variable) return false;
  if (!variable->resolved) {
    Answer answer = Call(Op::kFindSymbol, nullptr, 0, variable->name, strlen(variable->name));
    if (answer.error) return false;
    variable->address = answer.values[0];
    variable->bytes = answer.values[1];
    variable->resolved = true;
  }
  *address = variable->address;
  *bytes = variable->bytes;
  return true;
}

Error Launch(const void* function, Dim3 grid, Dim3 block, void** arguments, size_t shared,
             uint64_t stream, uint64_t flags) {
  Error error = 0;
  Kernel* kernel = ResolveKernel(function, &error);
  if (!kernel) return Remember(error);
  const ring::KernelFacts& facts = kernel->facts;
  if (facts.parameter_count > 0 && !arguments) return Remember(eval::kCudaInvalidValue);
  char* block_of_parameters = BodySpace();
  memset(block_of_parameters, 0, facts.parameter_bytes);
  for (uint32_t i = 0; i < facts.parameter_count; ++i) {
    const ring::KernelParam& parameter = kernel->parameters[i];
    memcpy(block_of_parameters + parameter.offset, arguments[i], parameter.bytes);
  }
  auto halves = [](uint64_t low, uint64_t high) { return low | high << 32; };
  const uint64_t values[] = {kernel->id,
                             halves(grid.x, grid.y),
                             halves(grid.z, block.x),
                             halves(block.y, block.z),
                             shared,
                             stream,
                             flags};
  return Remember(AskWithBody(Op::kLaunch, values, 7, facts.parameter_bytes));
}

}  // namespace kw::cudart

using namespace kw::cudart;  // NOLINT: the interface below is C

KW_CUDA_API void** __cudaRegisterFatBinary(void*) { return g_binary_handle; }
KW_CUDA_API void __cudaRegisterFatBinaryEnd(void**) {}
KW_CUDA_API void __cudaUnregisterFatBinary(void**) {}
KW_CUDA_API char __cudaInitModule(void**) { return 1; }

KW_CUDA_API void __cudaRegisterFunction(void**, const char* host, char*, const char* name, int,
                                        void*, void*, void*, void*, int*) {
  Kernel* kernel = g_kernels.Add();
  if (!kernel) return;
  kernel->host = host;
  kernel->name = name;
}

KW_CUDA_API void __cudaRegisterVar(void**, char* host, char*, const char* name, int, size_t, int,
                                   int) {
  Variable* variable = g_variables.Add();
  if (!variable) return;
  variable->host = host;
  variable->name = name;
}

KW_CUDA_API void __cudaRegisterManagedVar(void**, void** host, char*, const char* name, int, size_t,
                                          int, int) {
  const auto* facts = Facts();
  if (!facts || !facts->program) {
    Unsupported("__managed__ variables");
    return;
  }
  Variable* variable = g_variables.Add();
  if (!variable) return;
  variable->host = host;
  variable->name = name;
  uint64_t address = 0, bytes = 0;
  if (!FindVariable(host, &address, &bytes) || ShareWithHost(address, bytes)) {
    Unsupported("this __managed__ variable");
    return;
  }
  *host = Pointer(address);
}

KW_CUDA_API Error __cudaGetKernel(Kernel** handle, const void* function) {
  Kernel* kernel = FindKernel(function);
  if (!kernel) return Remember(kw::eval::kCudaInvalidDeviceFunction);
  *handle = kernel;
  return kw::eval::kCudaSuccess;
}
KW_CUDA_API Error cudaGetKernel(Kernel** handle, const void* function) {
  return handle ? __cudaGetKernel(handle, function) : Remember(kw::eval::kCudaInvalidValue);
}

KW_CUDA_API unsigned __cudaPushCallConfiguration(Dim3 grid, Dim3 block, size_t shared,
                                                 Stream stream) {
  NoteLaunchSite();
  if (g_nested == kMaxNested) return 1;
  g_configurations[g_nested++] = {grid, block, shared, stream};
  return 0;
}

KW_CUDA_API Error __cudaPopCallConfiguration(Dim3* grid, Dim3* block, size_t* shared,
                                             void* stream) {
  if (g_nested == 0) return Remember(kw::eval::kCudaMissingConfiguration);
  const CallConfiguration& top = g_configurations[--g_nested];
  *grid = top.grid;
  *block = top.block;
  *shared = top.shared;
  memcpy(stream, &top.stream, sizeof top.stream);
  return kw::eval::kCudaSuccess;
}

KW_CUDA_API Error cudaLaunchKernel(const void* function, Dim3 grid, Dim3 block, void** arguments,
                                   size_t shared, Stream stream) {
  return Launch(function, grid, block, arguments, shared, StreamNumber(stream), 0);
}
KW_CUDA_API Error cudaLaunchKernel_ptsz(const void* function, Dim3 grid, Dim3 block,
                                        void** arguments, size_t shared, Stream stream) {
  return cudaLaunchKernel(function, grid, block, arguments, shared, PerThread(stream));
}
KW_CUDA_API Error __cudaLaunchKernel(const void* function, Dim3 grid, Dim3 block, void** arguments,
                                     size_t shared, Stream stream) {
  return cudaLaunchKernel(function, grid, block, arguments, shared, stream);
}
KW_CUDA_API Error __cudaLaunchKernel_ptsz(const void* function, Dim3 grid, Dim3 block,
                                          void** arguments, size_t shared, Stream stream) {
  return cudaLaunchKernel(function, grid, block, arguments, shared, PerThread(stream));
}

KW_CUDA_API Error cudaLaunchCooperativeKernel(const void* function, Dim3 grid, Dim3 block,
                                              void** arguments, size_t shared, Stream stream) {
  return Launch(function, grid, block, arguments, shared, StreamNumber(stream),
                kw::eval::ring::kCooperative);
}
KW_CUDA_API Error cudaLaunchCooperativeKernel_ptsz(const void* function, Dim3 grid, Dim3 block,
                                                   void** arguments, size_t shared, Stream stream) {
  return cudaLaunchCooperativeKernel(function, grid, block, arguments, shared, PerThread(stream));
}

namespace {

enum LaunchAttributeId { kIgnore = 0, kCooperativeLaunch = 2, kClusterDimension = 4 };

}  // namespace

KW_CUDA_API Error cudaLaunchKernelExC(const LaunchConfig* config, const void* function,
                                      void** arguments) {
  if (!config) return Remember(kw::eval::kCudaInvalidValue);
  uint64_t flags = 0;
  for (unsigned i = 0; i < config->numAttrs; ++i) {
    const LaunchAttribute& attribute = config->attrs[i];
    if (attribute.id == kCooperativeLaunch && attribute.value.cooperative) {
      flags |= kw::eval::ring::kCooperative;
    }
    if (attribute.id == kClusterDimension) {
      const auto& cluster = attribute.value.cluster;
      if (cluster.x * cluster.y * cluster.z > 1) return Unsupported("thread block clusters");
    }
  }
  return Launch(function, config->gridDim, config->blockDim, arguments, config->dynamicSmemBytes,
                StreamNumber(config->stream), flags);
}
KW_CUDA_API Error cudaLaunchKernelExC_ptsz(const LaunchConfig* config, const void* function,
                                           void** arguments) {
  if (!config) return Remember(kw::eval::kCudaInvalidValue);
  LaunchConfig own = *config;
  own.stream = PerThread(own.stream);
  return cudaLaunchKernelExC(&own, function, arguments);
}

KW_CUDA_API Error cudaFuncGetAttributes(FuncAttributes* attributes, const void* function) {
  Error error = 0;
  Kernel* kernel = ResolveKernel(function, &error);
  if (!attributes) return Remember(kw::eval::kCudaInvalidValue);
  if (!kernel) return Remember(error);
  const auto* facts = Facts();
  memset(attributes, 0, sizeof *attributes);
  attributes->sharedSizeBytes = kernel->facts.static_shared;
  attributes->localSizeBytes = kernel->facts.local_bytes;
  attributes->maxThreadsPerBlock = static_cast<int>(kernel->facts.max_threads);
  // Where ptxas did not run, a figure in the usual range.
  const uint32_t registers = kernel->facts.registers;
  attributes->numRegs = registers == 0 ? 32 : static_cast<int>(registers);
  if (facts) attributes->ptxVersion = attributes->binaryVersion = facts->sm;
  attributes->maxDynamicSharedSizeBytes = static_cast<int>(kernel->facts.max_dynamic_shared);
  attributes->preferredShmemCarveout = -1;
  return kw::eval::kCudaSuccess;
}

KW_CUDA_API Error cudaFuncSetAttribute(const void* function, int attribute, int value) {
  constexpr int kMaxDynamicShared = 8, kCarveout = 9, kNonPortableCluster = 14;
  Error error = 0;
  Kernel* kernel = ResolveKernel(function, &error);
  if (!kernel) return Remember(error);
  if (attribute == kCarveout || attribute == kNonPortableCluster) return kw::eval::kCudaSuccess;
  if (attribute != kMaxDynamicShared || value < 0) return Remember(kw::eval::kCudaInvalidValue);
  Answer answer = Ask(Op::kSetMaxDynamicShared, kernel->id, value);
  if (!answer.error) kernel->facts.max_dynamic_shared = static_cast<uint32_t>(value);
  return Remember(answer);
}

KW_CUDA_API Error cudaFuncSetCacheConfig(const void* function, int) {
  return FindKernel(function) ? kw::eval::kCudaSuccess
                              : Remember(kw::eval::kCudaInvalidDeviceFunction);
}
KW_CUDA_API Error cudaFuncSetSharedMemConfig(const void* function, int) {
  return cudaFuncSetCacheConfig(function, 0);
}

KW_CUDA_API Error cudaFuncGetParamInfo(const void* function, size_t index, size_t* offset,
                                       size_t* bytes) {
  Error error = 0;
  Kernel* kernel = ResolveKernel(function, &error);
  if (!kernel) return Remember(error);
  if (index >= kernel->facts.parameter_count) return Remember(kw::eval::kCudaInvalidValue);
  if (offset) *offset = kernel->parameters[index].offset;
  if (bytes) *bytes = kernel->parameters[index].bytes;
  return kw::eval::kCudaSuccess;
}

KW_CUDA_API Error cudaFuncGetName(const char** name, const void* function) {
  Kernel* kernel = FindKernel(function);
  if (!name) return Remember(kw::eval::kCudaInvalidValue);
  if (!kernel) return Remember(kw::eval::kCudaInvalidDeviceFunction);
  *name = kernel->name;
  return kw::eval::kCudaSuccess;
}

KW_CUDA_API Error cudaOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(int* blocks,
                                                                         const void* function,
                                                                         int threads, size_t shared,
                                                                         unsigned) {
  Error error = 0;
  Kernel* kernel = ResolveKernel(function, &error);
  if (!kernel) return Remember(error);
  if (!blocks || threads <= 0) return Remember(kw::eval::kCudaInvalidValue);
  Answer answer = Ask(Op::kOccupancy, kernel->id, threads, shared);
  if (!answer.error) *blocks = static_cast<int>(answer.values[0]);
  return Remember(answer);
}
KW_CUDA_API Error cudaOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, const void* function,
                                                                int threads, size_t shared) {
  return cudaOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(blocks, function, threads, shared,
                                                                0);
}

KW_CUDA_API Error cudaOccupancyAvailableDynamicSMemPerBlock(size_t* bytes, const void* function,
                                                            int blocks, int threads) {
  Error error = 0;
  Kernel* kernel = ResolveKernel(function, &error);
  if (!kernel) return Remember(error);
  const auto* facts = Facts();
  if (!facts || !bytes || blocks <= 0 || threads <= 0) {
    return Remember(kw::eval::kCudaInvalidValue);
  }
  constexpr size_t kReserved = 1024;  // of shared memory, per block, since compute capability 8.0
  size_t each = static_cast<size_t>(facts->shared_per_sm) / static_cast<size_t>(blocks);
  size_t taken = kReserved + kernel->facts.static_shared;
  *bytes = each > taken ? (each - taken) / 128 * 128 : 0;
  return kw::eval::kCudaSuccess;
}
