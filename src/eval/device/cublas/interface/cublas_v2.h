// The part of cuBLAS' interface that kwright's emulator has, for machines whose CUDA toolkit comes
// without cuBLAS: names, types and numbers of version 13. Where the toolkit has a cublas_v2.h of
// its own, that one is included instead, also for what is not declared here.
#ifndef KWRIGHT_CUBLAS_V2_H
#define KWRIGHT_CUBLAS_V2_H

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <driver_types.h>
#include <library_types.h>
#include <stddef.h>
#include <stdint.h>

#define CUBLAS_VER_MAJOR 13
#define CUBLAS_VER_MINOR 1
#define CUBLAS_VER_PATCH 0
#define CUBLAS_VERSION (CUBLAS_VER_MAJOR * 10000 + CUBLAS_VER_MINOR * 100 + CUBLAS_VER_PATCH)

#ifdef __cplusplus
extern "C" {
#endif

typedef struct cublasContext* cublasHandle_t;
typedef cudaDataType cublasDataType_t;
typedef void (*cublasLogCallback)(const char* message);

typedef enum {
  CUBLAS_STATUS_SUCCESS = 0,
  CUBLAS_STATUS_NOT_INITIALIZED = 1,
  CUBLAS_STATUS_ALLOC_FAILED = 3,
  CUBLAS_STATUS_INVALID_VALUE = 7,
  CUBLAS_STATUS_ARCH_MISMATCH = 8,
  CUBLAS_STATUS_MAPPING_ERROR = 11,
  CUBLAS_STATUS_EXECUTION_FAILED = 13,
  CUBLAS_STATUS_INTERNAL_ERROR = 14,
  CUBLAS_STATUS_NOT_SUPPORTED = 15,
  CUBLAS_STATUS_LICENSE_ERROR = 16
} cublasStatus_t;

typedef enum {
  CUBLAS_OP_N = 0,
  CUBLAS_OP_T = 1,
  CUBLAS_OP_C = 2,
  CUBLAS_OP_HERMITAN = 2,
  CUBLAS_OP_CONJG = 3
} cublasOperation_t;

typedef enum { CUBLAS_POINTER_MODE_HOST = 0, CUBLAS_POINTER_MODE_DEVICE = 1 } cublasPointerMode_t;
typedef enum { CUBLAS_ATOMICS_NOT_ALLOWED = 0, CUBLAS_ATOMICS_ALLOWED = 1 } cublasAtomicsMode_t;

typedef enum {
  CUBLAS_DEFAULT_MATH = 0,
  CUBLAS_TENSOR_OP_MATH = 1,
  CUBLAS_PEDANTIC_MATH = 2,
  CUBLAS_TF32_TENSOR_OP_MATH = 3,
  CUBLAS_FP32_EMULATED_BF16X9_MATH = 4,
  CUBLAS_FP64_EMULATED_FIXEDPOINT_MATH = 8,
  CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION = 16
} cublasMath_t;

typedef enum {
  CUBLAS_COMPUTE_16F = 64,
  CUBLAS_COMPUTE_16F_PEDANTIC = 65,
  CUBLAS_COMPUTE_32F = 68,
  CUBLAS_COMPUTE_32F_PEDANTIC = 69,
  CUBLAS_COMPUTE_64F = 70,
  CUBLAS_COMPUTE_64F_PEDANTIC = 71,
  CUBLAS_COMPUTE_32I = 72,
  CUBLAS_COMPUTE_32I_PEDANTIC = 73,
  CUBLAS_COMPUTE_32F_FAST_16F = 74,
  CUBLAS_COMPUTE_32F_FAST_16BF = 75,
  CUBLAS_COMPUTE_32F_FAST_TF32 = 77,
  CUBLAS_COMPUTE_32F_EMULATED_16BFX9 = 78,
  CUBLAS_COMPUTE_64F_EMULATED_FIXEDPOINT = 79
} cublasComputeType_t;

typedef enum {
  CUBLAS_GEMM_DFALT = -1,
  CUBLAS_GEMM_DEFAULT = -1,
  CUBLAS_GEMM_ALGO0 = 0,
  CUBLAS_GEMM_ALGO1 = 1,
  CUBLAS_GEMM_ALGO2 = 2,
  CUBLAS_GEMM_ALGO3 = 3,
  CUBLAS_GEMM_ALGO4 = 4,
  CUBLAS_GEMM_ALGO5 = 5,
  CUBLAS_GEMM_ALGO6 = 6,
  CUBLAS_GEMM_ALGO7 = 7,
  CUBLAS_GEMM_DEFAULT_TENSOR_OP = 99,
  CUBLAS_GEMM_DFALT_TENSOR_OP = 99,
  CUBLAS_GEMM_ALGO0_TENSOR_OP = 100,
  CUBLAS_GEMM_ALGO1_TENSOR_OP = 101,
  CUBLAS_GEMM_ALGO2_TENSOR_OP = 102,
  CUBLAS_GEMM_ALGO3_TENSOR_OP = 103,
  CUBLAS_GEMM_ALGO4_TENSOR_OP = 104,
  CUBLAS_GEMM_ALGO5_TENSOR_OP = 105,
  CUBLAS_GEMM_ALGO6_TENSOR_OP = 106,
  CUBLAS_GEMM_ALGO7_TENSOR_OP = 107
} cublasGemmAlgo_t;

#define cublasCreate cublasCreate_v2
#define cublasDestroy cublasDestroy_v2
#define cublasGetVersion cublasGetVersion_v2
#define cublasSetWorkspace cublasSetWorkspace_v2
#define cublasSetStream cublasSetStream_v2
#define cublasGetStream cublasGetStream_v2
#define cublasSetPointerMode cublasSetPointerMode_v2
#define cublasGetPointerMode cublasGetPointerMode_v2

cublasStatus_t cublasCreate_v2(cublasHandle_t* handle);
cublasStatus_t cublasDestroy_v2(cublasHandle_t handle);
cublasStatus_t cublasGetVersion_v2(cublasHandle_t handle, int* version);
cublasStatus_t cublasGetProperty(libraryPropertyType type, int* value);
size_t cublasGetCudartVersion(void);
cublasStatus_t cublasSetWorkspace_v2(cublasHandle_t handle, void* workspace, size_t bytes);
cublasStatus_t cublasSetStream_v2(cublasHandle_t handle, cudaStream_t stream);
cublasStatus_t cublasGetStream_v2(cublasHandle_t handle, cudaStream_t* stream);
cublasStatus_t cublasSetPointerMode_v2(cublasHandle_t handle, cublasPointerMode_t mode);
cublasStatus_t cublasGetPointerMode_v2(cublasHandle_t handle, cublasPointerMode_t* mode);
cublasStatus_t cublasSetAtomicsMode(cublasHandle_t handle, cublasAtomicsMode_t mode);
cublasStatus_t cublasGetAtomicsMode(cublasHandle_t handle, cublasAtomicsMode_t* mode);
cublasStatus_t cublasSetMathMode(cublasHandle_t handle, cublasMath_t mode);
cublasStatus_t cublasGetMathMode(cublasHandle_t handle, cublasMath_t* mode);
cublasStatus_t cublasSetSmCountTarget(cublasHandle_t handle, int count);
cublasStatus_t cublasGetSmCountTarget(cublasHandle_t handle, int* count);
cublasStatus_t cublasLoggerConfigure(int on, int to_stdout, int to_stderr, const char* file);
cublasStatus_t cublasSetLoggerCallback(cublasLogCallback callback);
cublasStatus_t cublasGetLoggerCallback(cublasLogCallback* callback);
const char* cublasGetStatusName(cublasStatus_t status);
const char* cublasGetStatusString(cublasStatus_t status);

// ---- products of matrices ----

#define cublasSgemm cublasSgemm_v2
#define cublasDgemm cublasDgemm_v2
#define cublasSgemm_64 cublasSgemm_v2_64
#define cublasDgemm_64 cublasDgemm_v2_64

#define KW_GEMM_SIZES(I) \
  cublasHandle_t handle, cublasOperation_t transa, cublasOperation_t transb, I m, I n, I k

#define KW_GEMMS(T, LETTER, PLAIN, I, SUFFIX)                                                    \
  cublasStatus_t PLAIN(KW_GEMM_SIZES(I), const T* alpha, const T* A, I lda, const T* B, I ldb,   \
                       const T* beta, T* C, I ldc);                                              \
  cublasStatus_t cublas##LETTER##gemmStridedBatched##SUFFIX(                                     \
      KW_GEMM_SIZES(I), const T* alpha, const T* A, I lda, long long int strideA, const T* B,    \
      I ldb, long long int strideB, const T* beta, T* C, I ldc, long long int strideC,           \
      I batchCount);                                                                             \
  cublasStatus_t cublas##LETTER##gemmBatched##SUFFIX(                                            \
      KW_GEMM_SIZES(I), const T* alpha, const T* const Aarray[], I lda, const T* const Barray[], \
      I ldb, const T* beta, T* const Carray[], I ldc, I batchCount);

#define KW_GEMMS_EX(I, SUFFIX)                                                                    \
  cublasStatus_t cublasSgemmEx##SUFFIX(KW_GEMM_SIZES(I), const float* alpha, const void* A,       \
                                       cudaDataType Atype, I lda, const void* B,                  \
                                       cudaDataType Btype, I ldb, const float* beta, void* C,     \
                                       cudaDataType Ctype, I ldc);                                \
  cublasStatus_t cublasGemmEx##SUFFIX(                                                            \
      KW_GEMM_SIZES(I), const void* alpha, const void* A, cudaDataType Atype, I lda,              \
      const void* B, cudaDataType Btype, I ldb, const void* beta, void* C, cudaDataType Ctype,    \
      I ldc, cublasComputeType_t computeType, cublasGemmAlgo_t algo);                             \
  cublasStatus_t cublasGemmStridedBatchedEx##SUFFIX(                                              \
      KW_GEMM_SIZES(I), const void* alpha, const void* A, cudaDataType Atype, I lda,              \
      long long int strideA, const void* B, cudaDataType Btype, I ldb, long long int strideB,     \
      const void* beta, void* C, cudaDataType Ctype, I ldc, long long int strideC, I batchCount,  \
      cublasComputeType_t computeType, cublasGemmAlgo_t algo);                                    \
  cublasStatus_t cublasGemmBatchedEx##SUFFIX(                                                     \
      KW_GEMM_SIZES(I), const void* alpha, const void* const Aarray[], cudaDataType Atype, I lda, \
      const void* const Barray[], cudaDataType Btype, I ldb, const void* beta,                    \
      void* const Carray[], cudaDataType Ctype, I ldc, I batchCount,                              \
      cublasComputeType_t computeType, cublasGemmAlgo_t algo);

KW_GEMMS(float, S, cublasSgemm_v2, int, )
KW_GEMMS(float, S, cublasSgemm_v2_64, int64_t, _64)
KW_GEMMS(double, D, cublasDgemm_v2, int, )
KW_GEMMS(double, D, cublasDgemm_v2_64, int64_t, _64)
KW_GEMMS(__half, H, cublasHgemm, int, )
KW_GEMMS(__half, H, cublasHgemm_64, int64_t, _64)
KW_GEMMS_EX(int, )
KW_GEMMS_EX(int64_t, _64)

// ---- vectors, a matrix and a vector, sums of matrices, copies ----

#define cublasSdot cublasSdot_v2
#define cublasDdot cublasDdot_v2
#define cublasSnrm2 cublasSnrm2_v2
#define cublasDnrm2 cublasDnrm2_v2
#define cublasSasum cublasSasum_v2
#define cublasDasum cublasDasum_v2
#define cublasIsamax cublasIsamax_v2
#define cublasIdamax cublasIdamax_v2
#define cublasIsamin cublasIsamin_v2
#define cublasIdamin cublasIdamin_v2
#define cublasSaxpy cublasSaxpy_v2
#define cublasDaxpy cublasDaxpy_v2
#define cublasSscal cublasSscal_v2
#define cublasDscal cublasDscal_v2
#define cublasScopy cublasScopy_v2
#define cublasDcopy cublasDcopy_v2
#define cublasSgemv cublasSgemv_v2
#define cublasDgemv cublasDgemv_v2
#define cublasSger cublasSger_v2
#define cublasDger cublasDger_v2

#define KW_VECTORS(T, LETTER, LOWER)                                                               \
  cublasStatus_t cublas##LETTER##dot_v2(cublasHandle_t handle, int n, const T* x, int incx,        \
                                        const T* y, int incy, T* result);                          \
  cublasStatus_t cublas##LETTER##nrm2_v2(cublasHandle_t handle, int n, const T* x, int incx,       \
                                         T* result);                                               \
  cublasStatus_t cublas##LETTER##asum_v2(cublasHandle_t handle, int n, const T* x, int incx,       \
                                         T* result);                                               \
  cublasStatus_t cublasI##LOWER##amax_v2(cublasHandle_t handle, int n, const T* x, int incx,       \
                                         int* result);                                             \
  cublasStatus_t cublasI##LOWER##amin_v2(cublasHandle_t handle, int n, const T* x, int incx,       \
                                         int* result);                                             \
  cublasStatus_t cublas##LETTER##axpy_v2(cublasHandle_t handle, int n, const T* alpha, const T* x, \
                                         int incx, T* y, int incy);                                \
  cublasStatus_t cublas##LETTER##scal_v2(cublasHandle_t handle, int n, const T* alpha, T* x,       \
                                         int incx);                                                \
  cublasStatus_t cublas##LETTER##copy_v2(cublasHandle_t handle, int n, const T* x, int incx, T* y, \
                                         int incy);                                                \
  cublasStatus_t cublas##LETTER##gemv_v2(cublasHandle_t handle, cublasOperation_t trans, int m,    \
                                         int n, const T* alpha, const T* A, int lda, const T* x,   \
                                         int incx, const T* beta, T* y, int incy);                 \
  cublasStatus_t cublas##LETTER##ger_v2(cublasHandle_t handle, int m, int n, const T* alpha,       \
                                        const T* x, int incx, const T* y, int incy, T* A,          \
                                        int lda);                                                  \
  cublasStatus_t cublas##LETTER##geam(                                                             \
      cublasHandle_t handle, cublasOperation_t transa, cublasOperation_t transb, int m, int n,     \
      const T* alpha, const T* A, int lda, const T* beta, const T* B, int ldb, T* C, int ldc);

KW_VECTORS(float, S, s)
KW_VECTORS(double, D, d)

cublasStatus_t cublasSetVector(int n, int elemSize, const void* x, int incx, void* y, int incy);
cublasStatus_t cublasGetVector(int n, int elemSize, const void* x, int incx, void* y, int incy);
cublasStatus_t cublasSetMatrix(int rows, int cols, int elemSize, const void* A, int lda, void* B,
                               int ldb);
cublasStatus_t cublasGetMatrix(int rows, int cols, int elemSize, const void* A, int lda, void* B,
                               int ldb);
cublasStatus_t cublasSetMatrixAsync(int rows, int cols, int elemSize, const void* A, int lda,
                                    void* B, int ldb, cudaStream_t stream);
cublasStatus_t cublasGetMatrixAsync(int rows, int cols, int elemSize, const void* A, int lda,
                                    void* B, int ldb, cudaStream_t stream);

#undef KW_GEMM_SIZES
#undef KW_GEMMS
#undef KW_GEMMS_EX
#undef KW_VECTORS

#ifdef __cplusplus
}
#endif

#ifdef __cplusplus
// Older code names the type of the sums by a cudaDataType.
static inline cublasComputeType_t kwrightComputeType(cudaDataType type) {
  if (type == CUDA_R_16F) return CUBLAS_COMPUTE_16F;
  if (type == CUDA_R_64F) return CUBLAS_COMPUTE_64F;
  return type == CUDA_R_32I ? CUBLAS_COMPUTE_32I : CUBLAS_COMPUTE_32F;
}
static inline cublasStatus_t cublasGemmEx(cublasHandle_t handle, cublasOperation_t transa,
                                          cublasOperation_t transb, int m, int n, int k,
                                          const void* alpha, const void* A, cudaDataType Atype,
                                          int lda, const void* B, cudaDataType Btype, int ldb,
                                          const void* beta, void* C, cudaDataType Ctype, int ldc,
                                          cudaDataType computeType, cublasGemmAlgo_t algo) {
  return cublasGemmEx(handle, transa, transb, m, n, k, alpha, A, Atype, lda, B, Btype, ldb, beta, C,
                      Ctype, ldc, kwrightComputeType(computeType), algo);
}
static inline cublasStatus_t cublasGemmStridedBatchedEx(
    cublasHandle_t handle, cublasOperation_t transa, cublasOperation_t transb, int m, int n, int k,
    const void* alpha, const void* A, cudaDataType Atype, int lda, long long int strideA,
    const void* B, cudaDataType Btype, int ldb, long long int strideB, const void* beta, void* C,
    cudaDataType Ctype, int ldc, long long int strideC, int batchCount, cudaDataType computeType,
    cublasGemmAlgo_t algo) {
  return cublasGemmStridedBatchedEx(handle, transa, transb, m, n, k, alpha, A, Atype, lda, strideA,
                                    B, Btype, ldb, strideB, beta, C, Ctype, ldc, strideC,
                                    batchCount, kwrightComputeType(computeType), algo);
}
static inline cublasStatus_t cublasGemmBatchedEx(
    cublasHandle_t handle, cublasOperation_t transa, cublasOperation_t transb, int m, int n, int k,
    const void* alpha, const void* const Aarray[], cudaDataType Atype, int lda,
    const void* const Barray[], cudaDataType Btype, int ldb, const void* beta, void* const Carray[],
    cudaDataType Ctype, int ldc, int batchCount, cudaDataType computeType, cublasGemmAlgo_t algo) {
  return cublasGemmBatchedEx(handle, transa, transb, m, n, k, alpha, Aarray, Atype, lda, Barray,
                             Btype, ldb, beta, Carray, Ctype, ldc, batchCount,
                             kwrightComputeType(computeType), algo);
}
#endif

#endif  // KWRIGHT_CUBLAS_V2_H
