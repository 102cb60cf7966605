// The guest's cuBLAS: handles live here, and all else is asked of the device (blas_message.h),
// which judges arguments and computes. Free of the C++ library, like the runtime library it stands
// on.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "blas_message.h"
#include "ring.h"

#define KW_CUBLAS_API extern "C" __attribute__((visibility("default")))

// Of libcudart.so.13 (cudart/client.cc).
extern "C" int __cudaLibraryCall(uint32_t op, uint64_t value, const void* body, size_t body_bytes,
                                 uint64_t answers[2]);

namespace kw::cublas {

using eval::ring::BlasBody;
using eval::ring::BlasFunction;

using Status = int;  // cublasStatus_t
using Stream = void*;

// Numbers of NVIDIA's interface: cudaDataType, cublasComputeType_t, cublasPointerMode_t.
enum : int { kTypeF32 = 0, kTypeF64 = 1, kTypeF16 = 2 };
enum : int { kComputeF16 = 64, kComputeF32 = 68, kComputeF64 = 70 };
enum : int { kPointersOnHost = 0, kPointersOnDevice = 1 };

struct Handle {
  uint32_t magic;
  Stream stream;
  int pointer_mode, math_mode, atomics_mode, sm_count_target;
};
bool IsHandle(const Handle* handle);

// A call of that name, with the handle's modes; sizes are 0, the operations CUBLAS_OP_N, the types
// `type`, and there is one batch.
BlasBody NewCall(const Handle* handle, const char* name, BlasFunction function, int type,
                 int compute);
// Sets alpha or beta: its bits are read here where the pointer mode says so.
void SetAlpha(const Handle* handle, BlasBody* call, const void* alpha);
void SetBeta(const Handle* handle, BlasBody* call, const void* beta);
inline uint64_t Number(const void* pointer) { return reinterpret_cast<uint64_t>(pointer); }
// A vector's increment stands in the place of a leading dimension.
void SetOperands(BlasBody* call, const void* a, int64_t lda, const void* b, int64_t ldb,
                 const void* c, int64_t ldc);

Status Send(const Handle* handle, const BlasBody& call);
// With a single result, that goes to *host.
Status SendForResult(const Handle* handle, const BlasBody& call, double* host);
// The emulator does not have it: the verdict becomes UNSUPPORTED.
Status Missing(const char* name);

}  // namespace kw::cublas
