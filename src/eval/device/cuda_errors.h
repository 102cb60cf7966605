// The numbers and names of cudaError_t. Plain C strings: the guest's runtime library uses it too.
#pragma once

namespace kw::eval {

enum CudaError : int {
  kCudaSuccess = 0,
  kCudaInvalidValue = 1,
  kCudaMemoryAllocation = 2,
  kCudaInitializationError = 3,
  kCudaInvalidConfiguration = 9,
  kCudaInvalidSymbol = 13,
  kCudaInvalidDevicePointer = 17,
  kCudaMissingConfiguration = 52,
  kCudaInvalidDeviceFunction = 98,
  kCudaNoDevice = 100,
  kCudaInvalidDevice = 101,
  kCudaUnsupportedLimit = 215,
  kCudaInvalidResourceHandle = 400,
  kCudaIllegalAddress = 700,
  kCudaLaunchOutOfResources = 701,
  kCudaLaunchTimeout = 702,
  kCudaPeerAccessUnsupported = 217,
  kCudaPeerAccessNotEnabled = 705,
  kCudaAssert = 710,
  kCudaHostMemoryAlreadyRegistered = 712,
  kCudaHostMemoryNotRegistered = 713,
  kCudaMisalignedAddress = 716,
  kCudaLaunchFailure = 719,
  kCudaCooperativeLaunchTooLarge = 720,
  kCudaNotSupported = 801,
  kCudaUnknown = 999,
};

// "cudaErrorInvalidValue"; "cudaErrorUnknown" for a number that CUDA 13.0 does not have.
const char* CudaErrorName(int error);
bool IsCudaError(int error);
// A short sentence.
const char* CudaErrorText(int error);

}  // namespace kw::eval
