#include "cuda_errors.h"

namespace kw::eval {
namespace {

struct Entry {
  int number;
  const char* name;
  const char* text;
};
constexpr Entry kEntries[] = {
    {0, "cudaSuccess", "no error"},
    {1, "cudaErrorInvalidValue", "an argument is out of range"},
    {2, "cudaErrorMemoryAllocation", "not enough device memory"},
    {3, "cudaErrorInitializationError", "the runtime could not start"},
    {4, "cudaErrorCudartUnloading", ""},
    {5, "cudaErrorProfilerDisabled", ""},
    {6, "cudaErrorProfilerNotInitialized", ""},
    {7, "cudaErrorProfilerAlreadyStarted", ""},
    {8, "cudaErrorProfilerAlreadyStopped", ""},
    {9, "cudaErrorInvalidConfiguration", "grid or block dimensions that the device does not take"},
    {12, "cudaErrorInvalidPitchValue", ""},
    {13, "cudaErrorInvalidSymbol", "no such device variable"},
    {16, "cudaErrorInvalidHostPointer", ""},
    {17, "cudaErrorInvalidDevicePointer", "not a device pointer"},
    {18, "cudaErrorInvalidTexture", ""},
    {19, "cudaErrorInvalidTextureBinding", ""},
    {20, "cudaErrorInvalidChannelDescriptor", ""},
    {21, "cudaErrorInvalidMemcpyDirection", ""},
    {22, "cudaErrorAddressOfConstant", ""},
    {23, "cudaErrorTextureFetchFailed", ""},
    {24, "cudaErrorTextureNotBound", ""},
    {25, "cudaErrorSynchronizationError", ""},
    {26, "cudaErrorInvalidFilterSetting", ""},
    {27, "cudaErrorInvalidNormSetting", ""},
    {28, "cudaErrorMixedDeviceExecution", ""},
    {31, "cudaErrorNotYetImplemented", ""},
    {32, "cudaErrorMemoryValueTooLarge", ""},
    {34, "cudaErrorStubLibrary", ""},
    {35, "cudaErrorInsufficientDriver", ""},
    {36, "cudaErrorCallRequiresNewerDriver", ""},
    {37, "cudaErrorInvalidSurface", ""},
    {43, "cudaErrorDuplicateVariableName", ""},
    {44, "cudaErrorDuplicateTextureName", ""},
    {45, "cudaErrorDuplicateSurfaceName", ""},
    {46, "cudaErrorDevicesUnavailable", ""},
    {49, "cudaErrorIncompatibleDriverContext", ""},
    {52, "cudaErrorMissingConfiguration", "no launch configuration"},
    {53, "cudaErrorPriorLaunchFailure", ""},
    {65, "cudaErrorLaunchMaxDepthExceeded", ""},
    {66, "cudaErrorLaunchFileScopedTex", ""},
    {67, "cudaErrorLaunchFileScopedSurf", ""},
    {68, "cudaErrorSyncDepthExceeded", ""},
    {69, "cudaErrorLaunchPendingCountExceeded", ""},
    {98, "cudaErrorInvalidDeviceFunction", "not a kernel of this program"},
    {100, "cudaErrorNoDevice", "no device"},
    {101, "cudaErrorInvalidDevice", "no such device"},
    {102, "cudaErrorDeviceNotLicensed", ""},
    {103, "cudaErrorSoftwareValidityNotEstablished", ""},
    {127, "cudaErrorStartupFailure", ""},
    {200, "cudaErrorInvalidKernelImage", ""},
    {201, "cudaErrorDeviceUninitialized", ""},
    {205, "cudaErrorMapBufferObjectFailed", ""},
    {206, "cudaErrorUnmapBufferObjectFailed", ""},
    {207, "cudaErrorArrayIsMapped", ""},
    {208, "cudaErrorAlreadyMapped", ""},
    {209, "cudaErrorNoKernelImageForDevice", ""},
    {210, "cudaErrorAlreadyAcquired", ""},
    {211, "cudaErrorNotMapped", ""},
    {212, "cudaErrorNotMappedAsArray", ""},
    {213, "cudaErrorNotMappedAsPointer", ""},
    {214, "cudaErrorECCUncorrectable", ""},
    {215, "cudaErrorUnsupportedLimit", ""},
    {216, "cudaErrorDeviceAlreadyInUse", ""},
    {217, "cudaErrorPeerAccessUnsupported", ""},
    {218, "cudaErrorInvalidPtx", ""},
    {219, "cudaErrorInvalidGraphicsContext", ""},
    {220, "cudaErrorNvlinkUncorrectable", ""},
    {221, "cudaErrorJitCompilerNotFound", ""},
    {222, "cudaErrorUnsupportedPtxVersion", ""},
    {223, "cudaErrorJitCompilationDisabled", ""},
    {224, "cudaErrorUnsupportedExecAffinity", ""},
    {225, "cudaErrorUnsupportedDevSideSync", ""},
    {226, "cudaErrorContained", ""},
    {300, "cudaErrorInvalidSource", ""},
    {301, "cudaErrorFileNotFound", ""},
    {302, "cudaErrorSharedObjectSymbolNotFound", ""},
    {303, "cudaErrorSharedObjectInitFailed", ""},
    {304, "cudaErrorOperatingSystem", ""},
    {400, "cudaErrorInvalidResourceHandle", "no such stream or event"},
    {401, "cudaErrorIllegalState", ""},
    {402, "cudaErrorLossyQuery", ""},
    {500, "cudaErrorSymbolNotFound", ""},
    {600, "cudaErrorNotReady", "not finished yet"},
    {700, "cudaErrorIllegalAddress", "a kernel accessed memory that it must not"},
    {701, "cudaErrorLaunchOutOfResources",
     "the launch needs more resources than a multiprocessor has"},
    {702, "cudaErrorLaunchTimeout", "the kernel ran too long"},
    {703, "cudaErrorLaunchIncompatibleTexturing", ""},
    {704, "cudaErrorPeerAccessAlreadyEnabled", ""},
    {705, "cudaErrorPeerAccessNotEnabled", ""},
    {708, "cudaErrorSetOnActiveProcess", ""},
    {709, "cudaErrorContextIsDestroyed", ""},
    {710, "cudaErrorAssert", "an assertion failed in device code"},
    {711, "cudaErrorTooManyPeers", ""},
    {712, "cudaErrorHostMemoryAlreadyRegistered", ""},
    {713, "cudaErrorHostMemoryNotRegistered", ""},
    {714, "cudaErrorHardwareStackError", ""},
    {715, "cudaErrorIllegalInstruction", ""},
    {716, "cudaErrorMisalignedAddress", "a kernel accessed a misaligned address"},
    {717, "cudaErrorInvalidAddressSpace", ""},
    {718, "cudaErrorInvalidPc", ""},
    {719, "cudaErrorLaunchFailure", "a kernel failed"},
    {720, "cudaErrorCooperativeLaunchTooLarge", "a cooperative grid must be resident as a whole"},
    {721, "cudaErrorTensorMemoryLeak", ""},
    {800, "cudaErrorNotPermitted", ""},
    {801, "cudaErrorNotSupported", "not supported here"},
    {802, "cudaErrorSystemNotReady", ""},
    {803, "cudaErrorSystemDriverMismatch", ""},
    {804, "cudaErrorCompatNotSupportedOnDevice", ""},
    {805, "cudaErrorMpsConnectionFailed", ""},
    {806, "cudaErrorMpsRpcFailure", ""},
    {807, "cudaErrorMpsServerNotReady", ""},
    {808, "cudaErrorMpsMaxClientsReached", ""},
    {809, "cudaErrorMpsMaxConnectionsReached", ""},
    {810, "cudaErrorMpsClientTerminated", ""},
    {811, "cudaErrorCdpNotSupported", ""},
    {812, "cudaErrorCdpVersionMismatch", ""},
    {900, "cudaErrorStreamCaptureUnsupported", ""},
    {901, "cudaErrorStreamCaptureInvalidated", ""},
    {902, "cudaErrorStreamCaptureMerge", ""},
    {903, "cudaErrorStreamCaptureUnmatched", ""},
    {904, "cudaErrorStreamCaptureUnjoined", ""},
    {905, "cudaErrorStreamCaptureIsolation", ""},
    {906, "cudaErrorStreamCaptureImplicit", ""},
    {907, "cudaErrorCapturedEvent", ""},
    {908, "cudaErrorStreamCaptureWrongThread", ""},
    {909, "cudaErrorTimeout", ""},
    {910, "cudaErrorGraphExecUpdateFailure", ""},
    {911, "cudaErrorExternalDevice", ""},
    {912, "cudaErrorInvalidClusterSize", ""},
    {913, "cudaErrorFunctionNotLoaded", ""},
    {914, "cudaErrorInvalidResourceType", ""},
    {915, "cudaErrorInvalidResourceConfiguration", ""},
    {999, "cudaErrorUnknown", "unknown error"},
};

const Entry* Find(int error) {
  for (const Entry& entry : kEntries) {
    if (entry.number == error) return &entry;
  }
  return nullptr;
}

}  // namespace

const char* CudaErrorName(int error) {
  const Entry* entry = Find(error);
  return entry ? entry->name : "cudaErrorUnknown";
}

bool IsCudaError(int error) { return Find(error) != nullptr; }

const char* CudaErrorText(int error) {
  const Entry* entry = Find(error);
  if (!entry) return "unrecognized error code";
  return *entry->text ? entry->text : entry->name;
}

}  // namespace kw::eval
