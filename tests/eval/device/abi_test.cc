// The runtime library's own declarations against the toolkit's, where there is one.
#include <cuda_runtime_api.h>
#include <gtest/gtest.h>

#include "src/eval/device/cuda_errors.h"
#include "src/eval/device/cudart/cuda_types.h"

namespace kw::cudart {
namespace {

#define SAME_PLACE(ours, theirs, member)                             \
  static_assert(offsetof(ours, member) == offsetof(theirs, member)); \
  static_assert(sizeof(ours::member) == sizeof(theirs::member))

static_assert(sizeof(DeviceProp) == sizeof(cudaDeviceProp));
SAME_PLACE(DeviceProp, cudaDeviceProp, name);
SAME_PLACE(DeviceProp, cudaDeviceProp, totalGlobalMem);
SAME_PLACE(DeviceProp, cudaDeviceProp, sharedMemPerBlock);
SAME_PLACE(DeviceProp, cudaDeviceProp, regsPerBlock);
SAME_PLACE(DeviceProp, cudaDeviceProp, warpSize);
SAME_PLACE(DeviceProp, cudaDeviceProp, memPitch);
SAME_PLACE(DeviceProp, cudaDeviceProp, maxThreadsPerBlock);
SAME_PLACE(DeviceProp, cudaDeviceProp, maxThreadsDim);
SAME_PLACE(DeviceProp, cudaDeviceProp, maxGridSize);
SAME_PLACE(DeviceProp, cudaDeviceProp, totalConstMem);
SAME_PLACE(DeviceProp, cudaDeviceProp, major);
SAME_PLACE(DeviceProp, cudaDeviceProp, minor);
SAME_PLACE(DeviceProp, cudaDeviceProp, textureAlignment);
SAME_PLACE(DeviceProp, cudaDeviceProp, multiProcessorCount);
static_assert(offsetof(DeviceProp, textureLimits) == offsetof(cudaDeviceProp, maxTexture1D));
static_assert(offsetof(DeviceProp, surfaceLimits) == offsetof(cudaDeviceProp, maxSurface1D));
SAME_PLACE(DeviceProp, cudaDeviceProp, surfaceAlignment);
SAME_PLACE(DeviceProp, cudaDeviceProp, concurrentKernels);
SAME_PLACE(DeviceProp, cudaDeviceProp, asyncEngineCount);
SAME_PLACE(DeviceProp, cudaDeviceProp, unifiedAddressing);
SAME_PLACE(DeviceProp, cudaDeviceProp, memoryBusWidth);
SAME_PLACE(DeviceProp, cudaDeviceProp, l2CacheSize);
SAME_PLACE(DeviceProp, cudaDeviceProp, maxThreadsPerMultiProcessor);
SAME_PLACE(DeviceProp, cudaDeviceProp, streamPrioritiesSupported);
SAME_PLACE(DeviceProp, cudaDeviceProp, sharedMemPerMultiprocessor);
SAME_PLACE(DeviceProp, cudaDeviceProp, regsPerMultiprocessor);
SAME_PLACE(DeviceProp, cudaDeviceProp, managedMemory);
SAME_PLACE(DeviceProp, cudaDeviceProp, cooperativeLaunch);
SAME_PLACE(DeviceProp, cudaDeviceProp, sharedMemPerBlockOptin);
SAME_PLACE(DeviceProp, cudaDeviceProp, maxBlocksPerMultiProcessor);
SAME_PLACE(DeviceProp, cudaDeviceProp, reservedSharedMemPerBlock);
SAME_PLACE(DeviceProp, cudaDeviceProp, hostRegisterSupported);
SAME_PLACE(DeviceProp, cudaDeviceProp, memoryPoolsSupported);
SAME_PLACE(DeviceProp, cudaDeviceProp, clusterLaunch);
SAME_PLACE(DeviceProp, cudaDeviceProp, reserved);

static_assert(sizeof(FuncAttributes) == sizeof(cudaFuncAttributes));
SAME_PLACE(FuncAttributes, cudaFuncAttributes, sharedSizeBytes);
SAME_PLACE(FuncAttributes, cudaFuncAttributes, localSizeBytes);
SAME_PLACE(FuncAttributes, cudaFuncAttributes, maxThreadsPerBlock);
SAME_PLACE(FuncAttributes, cudaFuncAttributes, numRegs);
SAME_PLACE(FuncAttributes, cudaFuncAttributes, maxDynamicSharedSizeBytes);
SAME_PLACE(FuncAttributes, cudaFuncAttributes, preferredShmemCarveout);

static_assert(sizeof(PitchedPtr) == sizeof(cudaPitchedPtr));
SAME_PLACE(PitchedPtr, cudaPitchedPtr, ysize);
static_assert(sizeof(Extent) == sizeof(cudaExtent));
static_assert(sizeof(Copy3D) == sizeof(cudaMemcpy3DParms));
SAME_PLACE(Copy3D, cudaMemcpy3DParms, srcPos);
SAME_PLACE(Copy3D, cudaMemcpy3DParms, srcPtr);
SAME_PLACE(Copy3D, cudaMemcpy3DParms, dstPtr);
SAME_PLACE(Copy3D, cudaMemcpy3DParms, extent);
SAME_PLACE(Copy3D, cudaMemcpy3DParms, kind);
static_assert(sizeof(MemLocation) == sizeof(cudaMemLocation));

static_assert(sizeof(PointerAttributes) == sizeof(cudaPointerAttributes));
SAME_PLACE(PointerAttributes, cudaPointerAttributes, device);
SAME_PLACE(PointerAttributes, cudaPointerAttributes, devicePointer);
SAME_PLACE(PointerAttributes, cudaPointerAttributes, hostPointer);
static_assert(static_cast<int>(kHost) == cudaMemoryTypeHost);
static_assert(static_cast<int>(kDevice) == cudaMemoryTypeDevice);

static_assert(sizeof(LaunchAttribute) == sizeof(cudaLaunchAttribute));
static_assert(offsetof(LaunchAttribute, value) == offsetof(cudaLaunchAttribute, val));
static_assert(sizeof(LaunchConfig) == sizeof(cudaLaunchConfig_t));
SAME_PLACE(LaunchConfig, cudaLaunchConfig_t, gridDim);
SAME_PLACE(LaunchConfig, cudaLaunchConfig_t, blockDim);
SAME_PLACE(LaunchConfig, cudaLaunchConfig_t, dynamicSmemBytes);
SAME_PLACE(LaunchConfig, cudaLaunchConfig_t, stream);
SAME_PLACE(LaunchConfig, cudaLaunchConfig_t, attrs);
SAME_PLACE(LaunchConfig, cudaLaunchConfig_t, numAttrs);

TEST(Abi, NumbersOfEnumerations) {
  EXPECT_EQ(static_cast<int>(kHostToDevice), cudaMemcpyHostToDevice);
  EXPECT_EQ(static_cast<int>(kDeviceToHost), cudaMemcpyDeviceToHost);
  EXPECT_EQ(static_cast<int>(kDefault), cudaMemcpyDefault);
  EXPECT_EQ(static_cast<int>(eval::kCudaIllegalAddress), cudaErrorIllegalAddress);
  EXPECT_EQ(static_cast<int>(eval::kCudaMisalignedAddress), cudaErrorMisalignedAddress);
  EXPECT_EQ(static_cast<int>(eval::kCudaNotSupported), cudaErrorNotSupported);
  EXPECT_EQ(static_cast<int>(eval::kCudaCooperativeLaunchTooLarge),
            cudaErrorCooperativeLaunchTooLarge);
  EXPECT_STREQ(eval::CudaErrorName(cudaErrorInvalidConfiguration), "cudaErrorInvalidConfiguration");
  EXPECT_STREQ(eval::CudaErrorName(cudaErrorNotReady), "cudaErrorNotReady");
  EXPECT_STREQ(eval::CudaErrorName(-7), "cudaErrorUnknown");
}

}  // namespace
}  // namespace kw::cudart
