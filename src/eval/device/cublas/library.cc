#include "cublas/library.h"

#include <stdlib.h>
#include <string.h>

using kw::cublas::Handle;
using kw::cublas::IsHandle;
using kw::cublas::Status;
using kw::cublas::Stream;
namespace ring = kw::eval::ring;

namespace kw::cublas {
namespace {

constexpr uint32_t kMagic = 0x6b77626c;
constexpr int kVersion = 130100;

bool Send(const Handle* handle, const BlasBody& call, uint64_t answers[2]) {
  const uint64_t stream = handle->stream ? Number(handle->stream) : ring::kLegacyStream;
  answers[0] = answers[1] = 0;
  return __cudaLibraryCall(static_cast<uint32_t>(ring::Op::kBlas), stream, &call, sizeof call,
                           answers) == 0 ||
         answers[0] != 0;
}

size_t ScalarBytes(int compute) {
  if (compute == kComputeF16 || compute == kComputeF16 + 1) return 2;
  const bool is_double = compute == kComputeF64 || compute == kComputeF64 + 1 || compute == 79;
  return is_double ? 8 : 4;
}

uint64_t ScalarBits(const Handle* handle, const BlasBody& call, const void* scalar) {
  if (handle->pointer_mode == kPointersOnDevice) return Number(scalar);
  uint64_t bits = 0;
  if (scalar) memcpy(&bits, scalar, ScalarBytes(call.compute));
  return bits;
}

}  // namespace

bool IsHandle(const Handle* handle) { return handle && handle->magic == kMagic; }

BlasBody NewCall(const Handle* handle, const char* name, BlasFunction function, int type,
                 int compute) {
  BlasBody call;
  memset(&call, 0, sizeof call);
  strncpy(call.name, name, sizeof call.name - 1);
  call.function = static_cast<uint32_t>(function);
  call.type_a = call.type_b = call.type_c = type;
  call.compute = compute;
  call.math_mode = handle->math_mode;
  call.batches = 1;
  if (handle->pointer_mode == kPointersOnDevice) call.flags |= ring::kDeviceScalars;
  return call;
}

void SetOperands(BlasBody* call, const void* a, int64_t lda, const void* b, int64_t ldb,
                 const void* c, int64_t ldc) {
  call->a = Number(a);
  call->lda = lda;
  call->b = Number(b);
  call->ldb = ldb;
  call->c = Number(c);
  call->ldc = ldc;
}

void SetAlpha(const Handle* handle, BlasBody* call, const void* alpha) {
  if (!alpha) call->flags |= ring::kNoAlpha;
  call->alpha = ScalarBits(handle, *call, alpha);
}
void SetBeta(const Handle* handle, BlasBody* call, const void* beta) {
  if (!beta) call->flags |= ring::kNoBeta;
  call->beta = ScalarBits(handle, *call, beta);
}

Status Send(const Handle* handle, const BlasBody& call) {
  uint64_t answers[2];
  if (!Send(handle, call, answers)) return ring::kBlasExecutionFailed;
  return static_cast<Status>(answers[0]);
}

Status SendForResult(const Handle* handle, const BlasBody& call, double* host) {
  uint64_t answers[2];
  if (!Send(handle, call, answers)) return ring::kBlasExecutionFailed;
  if (answers[0] == ring::kBlasSuccess) memcpy(host, &answers[1], sizeof *host);
  return static_cast<Status>(answers[0]);
}

Status Missing(const char* name) {
  uint64_t answers[2];
  __cudaLibraryCall(static_cast<uint32_t>(ring::Op::kUnsupported), 0, name, strlen(name), answers);
  return ring::kBlasNotSupported;
}

}  // namespace kw::cublas

// ---- handles and their modes ----

extern "C" int cudaDeviceSynchronize();

KW_CUBLAS_API Status cublasCreate_v2(Handle** handle) {
  if (!handle) return ring::kBlasInvalidValue;
  *handle = static_cast<Handle*>(calloc(1, sizeof(Handle)));
  if (!*handle) return ring::kBlasAllocFailed;
  (*handle)->magic = kw::cublas::kMagic;
  return ring::kBlasSuccess;
}
KW_CUBLAS_API Status cublasDestroy_v2(Handle* handle) {
  if (!IsHandle(handle)) return ring::kBlasNotInitialized;
  // As its documentation says: what the handle has on the device goes when the device is done.
  cudaDeviceSynchronize();
  handle->magic = 0;
  free(handle);
  return ring::kBlasSuccess;
}

// NAME sets and gets a member of the handle, a number from `least` to `most`.
#define KW_MODE(NAME, member, least, most)                                 \
  KW_CUBLAS_API Status cublasSet##NAME(Handle* handle, int value) {        \
    if (!IsHandle(handle)) return ring::kBlasNotInitialized;               \
    if (value < (least) || value > (most)) return ring::kBlasInvalidValue; \
    handle->member = value;                                                \
    return ring::kBlasSuccess;                                             \
  }                                                                        \
  KW_CUBLAS_API Status cublasGet##NAME(Handle* handle, int* value) {       \
    if (!IsHandle(handle)) return ring::kBlasNotInitialized;               \
    if (!value) return ring::kBlasInvalidValue;                            \
    *value = handle->member;                                               \
    return ring::kBlasSuccess;                                             \
  }

KW_MODE(PointerMode_v2, pointer_mode, 0, 1)
KW_MODE(AtomicsMode, atomics_mode, 0, 1)
KW_MODE(MathMode, math_mode, 0, 31)
KW_MODE(SmCountTarget, sm_count_target, 0, 1 << 20)

KW_CUBLAS_API Status cublasSetStream_v2(Handle* handle, Stream stream) {
  if (!IsHandle(handle)) return ring::kBlasNotInitialized;
  handle->stream = stream;
  return ring::kBlasSuccess;
}
KW_CUBLAS_API Status cublasGetStream_v2(Handle* handle, Stream* stream) {
  if (!IsHandle(handle)) return ring::kBlasNotInitialized;
  if (!stream) return ring::kBlasInvalidValue;
  *stream = handle->stream;
  return ring::kBlasSuccess;
}
// The device needs none: which memory a call works in changes no result.
KW_CUBLAS_API Status cublasSetWorkspace_v2(Handle* handle, void* workspace, size_t bytes) {
  constexpr uint64_t kAlignment = 256;
  if (!IsHandle(handle)) return ring::kBlasNotInitialized;
  if (bytes != 0 && kw::cublas::Number(workspace) % kAlignment != 0) return ring::kBlasInvalidValue;
  return ring::kBlasSuccess;
}

KW_CUBLAS_API Status cublasGetVersion_v2(Handle*, int* version) {
  if (!version) return ring::kBlasInvalidValue;
  *version = kw::cublas::kVersion;
  return ring::kBlasSuccess;
}
KW_CUBLAS_API Status cublasGetProperty(int which, int* value) {
  constexpr int kVersion = kw::cublas::kVersion;
  if (!value || which < 0 || which > 2) return ring::kBlasInvalidValue;
  *value = which == 0 ? kVersion / 10000 : which == 1 ? kVersion / 100 % 100 : kVersion % 100;
  return ring::kBlasSuccess;
}
KW_CUBLAS_API size_t cublasGetCudartVersion() { return 13000; }

KW_CUBLAS_API Status cublasLoggerConfigure(int, int, int, const char*) {
  return ring::kBlasSuccess;
}
KW_CUBLAS_API Status cublasSetLoggerCallback(void*) { return ring::kBlasSuccess; }
KW_CUBLAS_API Status cublasGetLoggerCallback(void** callback) {
  if (!callback) return ring::kBlasInvalidValue;
  *callback = nullptr;
  return ring::kBlasSuccess;
}

KW_CUBLAS_API const char* cublasGetStatusName(Status status) {
  switch (status) {
    case 0:
      return "CUBLAS_STATUS_SUCCESS";
    case 1:
      return "CUBLAS_STATUS_NOT_INITIALIZED";
    case 3:
      return "CUBLAS_STATUS_ALLOC_FAILED";
    case 7:
      return "CUBLAS_STATUS_INVALID_VALUE";
    case 8:
      return "CUBLAS_STATUS_ARCH_MISMATCH";
    case 11:
      return "CUBLAS_STATUS_MAPPING_ERROR";
    case 13:
      return "CUBLAS_STATUS_EXECUTION_FAILED";
    case 14:
      return "CUBLAS_STATUS_INTERNAL_ERROR";
    case 15:
      return "CUBLAS_STATUS_NOT_SUPPORTED";
    case 16:
      return "CUBLAS_STATUS_LICENSE_ERROR";
    default:
      return "unrecognized status";
  }
}
KW_CUBLAS_API const char* cublasGetStatusString(Status status) {
  switch (status) {
    case 0:
      return "success";
    case 1:
      return "there is no handle of cuBLAS";
    case 3:
      return "there is no memory left";
    case 7:
      return "an argument is not valid";
    case 8:
      return "the device lacks a feature";
    case 11:
      return "device memory could not be accessed";
    case 13:
      return "the call could not be executed";
    case 14:
      return "an operation inside the library failed";
    case 15:
      return "the call is not supported";
    case 16:
      return "the license was not accepted";
    default:
      return "unrecognized status";
  }
}
