// What the guest's cuBLAS library asks the device for: the body of Op::kBlas. Plain data, as in
// ring.h, with the numbers of NVIDIA's interface in it: the library passes on what its caller said,
// and the device judges it (blas_rules.h).
#pragma once

#include <cstdint>

namespace kw::eval::ring {

enum class BlasFunction : uint32_t {
  kGemm,  // C = alpha op(A) op(B) + beta C; also its batched forms
  kGemv,  // y = alpha op(A) x + beta y: b is x, c is y
  kGer,   // A = alpha x y^T + A: a is x, b is y, c is A
  kGeam,  // C = alpha op(A) + beta op(B)
  kDot,   // c = x . y: a is x, b is y
  kAxpy,  // y = alpha x + y: a is x, c is y
  kScal,  // x = alpha x: c is x
  kCopy,  // y = x: a is x, c is y
  kNrm2,  // c = |x|: a is x
  kAsum,
  kAmax,
  kAmin,
};
inline constexpr uint32_t kBlasFunctions = static_cast<uint32_t>(BlasFunction::kAmin) + 1;

enum BlasFlags : uint32_t {
  kDeviceScalars = 1,  // CUBLAS_POINTER_MODE_DEVICE: alpha, beta and a single result
  kPointerArrays = 2,  // a, b and c are arrays of pointers in device memory
  kNoAlpha = 4,        // the caller passed a null pointer
  kNoBeta = 8,
  kNoResult = 16,
};

struct BlasBody {
  char name[48];  // of the function, for messages
  uint32_t function;
  uint32_t flags;
  int32_t transa, transb;          // cublasOperation_t
  int32_t type_a, type_b, type_c;  // cudaDataType
  int32_t compute;                 // cublasComputeType_t
  int32_t math_mode;               // cublasMath_t
  int32_t unused;
  int64_t m, n, k;
  int64_t lda, ldb, ldc;  // or increments
  int64_t stride_a, stride_b, stride_c;
  int64_t batches;
  uint64_t a, b, c;
  uint64_t alpha, beta;  // the bits of the scalars, or their addresses
};
static_assert(sizeof(BlasBody) == 48 + 8 + 8 * 4 + 15 * 8);

// cublasStatus_t, which the device answers.
enum BlasStatus : uint64_t {
  kBlasSuccess = 0,
  kBlasNotInitialized = 1,
  kBlasAllocFailed = 3,
  kBlasInvalidValue = 7,
  kBlasMappingError = 11,
  kBlasExecutionFailed = 13,
  kBlasInternalError = 14,
  kBlasNotSupported = 15,
};

}  // namespace kw::eval::ring
