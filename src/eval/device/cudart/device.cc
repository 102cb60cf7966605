#include <string.h>

#include "cudart/client.h"
#include "cudart/trace.h"

using namespace kw::cudart;  // NOLINT: the interface below is C
namespace ring = kw::eval::ring;
using kw::eval::kCudaInitializationError;
using kw::eval::kCudaInvalidDevice;
using kw::eval::kCudaInvalidValue;
using kw::eval::kCudaNoDevice;
using kw::eval::kCudaSuccess;

namespace {

constexpr int kRuntimeVersion = 13000;
constexpr char kBusId[] = "0000:00:00.0";
constexpr int kMaxGridX = 0x7fffffff, kMaxGridYZ = 65535, kMaxBlockZ = 64;
constexpr size_t kConstantBytes = 65536, kReservedShared = 1024;

// cudaLimit: stack size, printf buffer, device heap, sync depth, pending launches, L2 fetch, L2
// persisting.
size_t g_limits[7] = {1024, 1 << 20, 8 << 20, 2, 2048, 64, 0};

}  // namespace

KW_CUDA_API Error cudaGetLastError() {
  NoteLookedAt(LastError());
  return TakeLastError();
}
KW_CUDA_API Error cudaPeekAtLastError() {
  NoteLookedAt(LastError());
  return LastError();
}
KW_CUDA_API const char* cudaGetErrorName(Error error) {
  NoteLookedAt(error);
  return kw::eval::IsCudaError(error) ? kw::eval::CudaErrorName(error) : "unrecognized error code";
}
KW_CUDA_API const char* cudaGetErrorString(Error error) {
  NoteLookedAt(error);
  return kw::eval::CudaErrorText(error);
}

KW_CUDA_API Error cudaGetDeviceCount(int* count) {
  if (!count) return Remember(kCudaInvalidValue);
  *count = Facts() ? 1 : 0;
  return *count ? kCudaSuccess : Remember(kCudaNoDevice);
}
KW_CUDA_API Error cudaGetDevice(int* device) {
  if (!device) return Remember(kCudaInvalidValue);
  *device = 0;
  return kCudaSuccess;
}
KW_CUDA_API Error cudaSetDevice(int device) {
  return device == 0 ? kCudaSuccess : Remember(kCudaInvalidDevice);
}
KW_CUDA_API Error cudaInitDevice(int device, unsigned, unsigned) { return cudaSetDevice(device); }
KW_CUDA_API Error cudaSetDeviceFlags(unsigned) { return kCudaSuccess; }
KW_CUDA_API Error cudaGetDeviceFlags(unsigned* flags) {
  if (!flags) return Remember(kCudaInvalidValue);
  *flags = 0;
  return kCudaSuccess;
}
KW_CUDA_API Error cudaDeviceSynchronize() { return Remember(Ask(Op::kDeviceSynchronize)); }
// At the end of a program it is a last wait: what is still allocated is reported as leaked.
KW_CUDA_API Error cudaDeviceReset() {
  const ring::DeviceFacts* facts = Facts();
  if (facts && facts->program) return cudaDeviceSynchronize();
  return Unsupported("cudaDeviceReset");
}
KW_CUDA_API Error cudaRuntimeGetVersion(int* version) {
  if (!version) return Remember(kCudaInvalidValue);
  *version = kRuntimeVersion;
  return kCudaSuccess;
}
KW_CUDA_API Error cudaDriverGetVersion(int* version) { return cudaRuntimeGetVersion(version); }
KW_CUDA_API Error cudaProfilerStart() { return kCudaSuccess; }
KW_CUDA_API Error cudaProfilerStop() { return kCudaSuccess; }
KW_CUDA_API Error cudaDeviceGetCacheConfig(int* config) {
  if (!config) return Remember(kCudaInvalidValue);
  *config = 0;
  return kCudaSuccess;
}
KW_CUDA_API Error cudaDeviceSetCacheConfig(int) { return kCudaSuccess; }
KW_CUDA_API Error cudaDeviceGetSharedMemConfig(int* config) {
  if (!config) return Remember(kCudaInvalidValue);
  *config = 1;
  return kCudaSuccess;
}
KW_CUDA_API Error cudaDeviceSetSharedMemConfig(int) { return kCudaSuccess; }
KW_CUDA_API Error cudaCtxResetPersistingL2Cache() { return kCudaSuccess; }
KW_CUDA_API Error cudaDeviceGetStreamPriorityRange(int* least, int* greatest) {
  if (least) *least = 0;
  if (greatest) *greatest = -5;
  return kCudaSuccess;
}
KW_CUDA_API Error cudaDeviceCanAccessPeer(int* can, int, int) {
  if (!can) return Remember(kCudaInvalidValue);
  *can = 0;
  return kCudaSuccess;
}
KW_CUDA_API Error cudaDeviceEnablePeerAccess(int, unsigned) {
  return Remember(kw::eval::kCudaPeerAccessUnsupported);
}
KW_CUDA_API Error cudaDeviceDisablePeerAccess(int) {
  return Remember(kw::eval::kCudaPeerAccessNotEnabled);
}
KW_CUDA_API Error cudaDeviceGetP2PAttribute(int* value, int, int, int) {
  if (!value) return Remember(kCudaInvalidValue);
  *value = 0;
  return kCudaSuccess;
}
KW_CUDA_API Error cudaSetValidDevices(int* devices, int count) {
  return devices && count > 0 && devices[0] == 0 ? kCudaSuccess : Remember(kCudaInvalidDevice);
}
KW_CUDA_API Error cudaDeviceGetPCIBusId(char* id, int bytes, int device) {
  if (!id || bytes <= 0) return Remember(kCudaInvalidValue);
  if (device != 0) return Remember(kCudaInvalidDevice);
  strncpy(id, kBusId, static_cast<size_t>(bytes));
  id[bytes - 1] = 0;
  return kCudaSuccess;
}
KW_CUDA_API Error cudaDeviceGetByPCIBusId(int* device, const char* id) {
  if (!device || !id) return Remember(kCudaInvalidValue);
  if (strcmp(id, kBusId) != 0) return Remember(kCudaInvalidDevice);
  return cudaGetDevice(device);
}
KW_CUDA_API Error cudaChooseDevice(int* device, const DeviceProp*) { return cudaGetDevice(device); }

KW_CUDA_API Error cudaDeviceSetLimit(int limit, size_t value) {
  if (limit < 0 || limit >= 7) return Remember(kw::eval::kCudaUnsupportedLimit);
  // A deeper stack or a larger heap is granted by asking; the emulator does not run out of either.
  g_limits[limit] = value;
  return kCudaSuccess;
}
KW_CUDA_API Error cudaDeviceGetLimit(size_t* value, int limit) {
  if (!value) return Remember(kCudaInvalidValue);
  if (limit < 0 || limit >= 7) return Remember(kw::eval::kCudaUnsupportedLimit);
  *value = g_limits[limit];
  return kCudaSuccess;
}

KW_CUDA_API Error cudaGetDeviceProperties(DeviceProp* prop, int device) {
  if (!prop) return Remember(kCudaInvalidValue);
  if (device != 0) return Remember(kCudaInvalidDevice);
  const ring::DeviceFacts* facts = Facts();
  if (!facts) return Remember(kCudaInitializationError);
  memset(prop, 0, sizeof *prop);
  memcpy(prop->name, facts->name, sizeof prop->name);
  prop->name[sizeof prop->name - 1] = 0;
  prop->totalGlobalMem = facts->memory_bytes;
  prop->sharedMemPerBlock = static_cast<size_t>(facts->shared_per_block);
  prop->regsPerBlock = facts->registers_per_sm;
  prop->warpSize = 32;
  prop->memPitch = 0x7fffffff;
  prop->maxThreadsPerBlock = facts->max_threads_per_block;
  prop->maxThreadsDim[0] = prop->maxThreadsDim[1] = facts->max_threads_per_block;
  prop->maxThreadsDim[2] = kMaxBlockZ;
  prop->maxGridSize[0] = kMaxGridX;
  prop->maxGridSize[1] = prop->maxGridSize[2] = kMaxGridYZ;
  prop->totalConstMem = kConstantBytes;
  prop->major = facts->sm / 10;
  prop->minor = facts->sm % 10;
  prop->textureAlignment = 512;
  prop->texturePitchAlignment = 32;
  prop->surfaceAlignment = 512;
  prop->multiProcessorCount = facts->sm_count;
  prop->canMapHostMemory = prop->managedMemory = facts->program ? 1 : 0;
  prop->concurrentKernels = 1;
  prop->asyncEngineCount = 2;
  prop->unifiedAddressing = 1;
  prop->l2CacheSize = static_cast<int>(facts->l2_bytes);
  prop->maxThreadsPerMultiProcessor = facts->max_threads_per_sm;
  prop->streamPrioritiesSupported = 1;
  prop->globalL1CacheSupported = prop->localL1CacheSupported = 1;
  prop->sharedMemPerMultiprocessor = static_cast<size_t>(facts->shared_per_sm);
  prop->regsPerMultiprocessor = facts->registers_per_sm;
  prop->cooperativeLaunch = 1;
  prop->sharedMemPerBlockOptin = static_cast<size_t>(facts->shared_per_block_optin);
  prop->maxBlocksPerMultiProcessor = facts->max_blocks_per_sm;
  prop->reservedSharedMemPerBlock = kReservedShared;
  prop->hostRegisterSupported = 1;
  prop->memoryPoolsSupported = 1;
  return kCudaSuccess;
}

KW_CUDA_API Error cudaDeviceGetAttribute(int* value, int attribute, int device) {
  DeviceProp prop;
  Error error = cudaGetDeviceProperties(&prop, device);
  if (error) return error;
  if (!value) return Remember(kCudaInvalidValue);
  switch (attribute) {
    case 1:
      *value = prop.maxThreadsPerBlock;
      break;
    case 2:
      *value = prop.maxThreadsDim[0];
      break;
    case 3:
      *value = prop.maxThreadsDim[1];
      break;
    case 4:
      *value = prop.maxThreadsDim[2];
      break;
    case 5:
      *value = prop.maxGridSize[0];
      break;
    case 6:
      *value = prop.maxGridSize[1];
      break;
    case 7:
      *value = prop.maxGridSize[2];
      break;
    case 8:
      *value = static_cast<int>(prop.sharedMemPerBlock);
      break;
    case 9:
      *value = static_cast<int>(prop.totalConstMem);
      break;
    case 10:
      *value = prop.warpSize;
      break;
    case 11:
      *value = static_cast<int>(prop.memPitch);
      break;
    case 12:
      *value = prop.regsPerBlock;
      break;
    case 13:
      *value = Facts()->clock_khz;
      break;
    case 14:
      *value = static_cast<int>(prop.textureAlignment);
      break;
    case 15:
      *value = 1;
      break;  // copies overlap with kernels
    case 16:
      *value = prop.multiProcessorCount;
      break;
    case 19:
      *value = prop.canMapHostMemory;
      break;
    case 31:
      *value = prop.concurrentKernels;
      break;
    case 38:
      *value = prop.l2CacheSize;
      break;
    case 39:
      *value = prop.maxThreadsPerMultiProcessor;
      break;
    case 40:
      *value = prop.asyncEngineCount;
      break;
    case 41:
      *value = prop.unifiedAddressing;
      break;
    case 75:
      *value = prop.major;
      break;
    case 76:
      *value = prop.minor;
      break;
    case 78:
      *value = prop.streamPrioritiesSupported;
      break;
    case 79:
      *value = prop.globalL1CacheSupported;
      break;
    case 80:
      *value = prop.localL1CacheSupported;
      break;
    case 81:
      *value = static_cast<int>(prop.sharedMemPerMultiprocessor);
      break;
    case 82:
      *value = prop.regsPerMultiprocessor;
      break;
    case 83:
      *value = prop.managedMemory;
      break;
    case 95:
      *value = prop.cooperativeLaunch;
      break;
    case 97:
      *value = static_cast<int>(prop.sharedMemPerBlockOptin);
      break;
    case 99:
      *value = prop.hostRegisterSupported;
      break;
    case 106:
      *value = prop.maxBlocksPerMultiProcessor;
      break;
    case 111:
      *value = static_cast<int>(prop.reservedSharedMemPerBlock);
      break;
    case 115:
      *value = prop.memoryPoolsSupported;
      break;
    default:
      // What is left counts features that this device does not have, textures among them.
      if (attribute < 1 || attribute > 147) return Remember(kCudaInvalidValue);
      *value = 0;
  }
  return kCudaSuccess;
}
