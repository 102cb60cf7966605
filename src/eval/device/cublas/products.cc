// Products of matrices, with C interfaces of 32 and 64 bits.
#include "cublas/library.h"

namespace kw::cublas {
namespace {

struct Sizes {
  int transa, transb;
  int64_t m, n, k;
};
struct Operand {
  const void* data;
  int type;
  int64_t lead, stride;
};
struct Batches {
  int64_t count;
  bool pointers;  // operands are arrays of pointers
};

Status Multiply(const Handle* handle, const char* name, int compute, const Sizes& sizes,
                const void* alpha, const Operand& a, const Operand& b, const void* beta,
                const Operand& c, const Batches& batches) {
  if (!IsHandle(handle)) return eval::ring::kBlasNotInitialized;
  BlasBody call = NewCall(handle, name, BlasFunction::kGemm, a.type, compute);
  call.transa = sizes.transa;
  call.transb = sizes.transb;
  call.m = sizes.m;
  call.n = sizes.n;
  call.k = sizes.k;
  call.type_b = b.type;
  call.type_c = c.type;
  call.stride_a = a.stride;
  call.stride_b = b.stride;
  call.stride_c = c.stride;
  SetOperands(&call, a.data, a.lead, b.data, b.lead, c.data, c.lead);
  call.batches = batches.count;
  if (batches.pointers) call.flags |= eval::ring::kPointerArrays;
  SetAlpha(handle, &call, alpha);
  SetBeta(handle, &call, beta);
  return Send(handle, call);
}

}  // namespace
}  // namespace kw::cublas

using kw::cublas::Handle;
using kw::cublas::Multiply;
using kw::cublas::Status;

#define KW_SIZES(INT) int transa, int transb, INT m, INT n, INT k

// One type of elements: plain, with strides, with arrays of pointers.
#define KW_PRODUCTS(INT, PLAIN, LETTER, SUFFIX, TYPE, COMPUTE)                                   \
  KW_CUBLAS_API Status PLAIN(Handle* handle, KW_SIZES(INT), const void* alpha, const void* a,    \
                             INT lda, const void* b, INT ldb, const void* beta, void* c,         \
                             INT ldc) {                                                          \
    return Multiply(handle, "cublas" #LETTER "gemm", COMPUTE, {transa, transb, m, n, k}, alpha,  \
                    {a, TYPE, lda, 0}, {b, TYPE, ldb, 0}, beta, {c, TYPE, ldc, 0}, {1, false});  \
  }                                                                                              \
  KW_CUBLAS_API Status cublas##LETTER##gemmStridedBatched##SUFFIX(                               \
      Handle* handle, KW_SIZES(INT), const void* alpha, const void* a, INT lda,                  \
      long long stride_a, const void* b, INT ldb, long long stride_b, const void* beta, void* c, \
      INT ldc, long long stride_c, INT batches) {                                                \
    return Multiply(handle, "cublas" #LETTER "gemmStridedBatched", COMPUTE,                      \
                    {transa, transb, m, n, k}, alpha, {a, TYPE, lda, stride_a},                  \
                    {b, TYPE, ldb, stride_b}, beta, {c, TYPE, ldc, stride_c}, {batches, false}); \
  }                                                                                              \
  KW_CUBLAS_API Status cublas##LETTER##gemmBatched##SUFFIX(                                      \
      Handle* handle, KW_SIZES(INT), const void* alpha, const void* const* a, INT lda,           \
      const void* const* b, INT ldb, const void* beta, void* const* c, INT ldc, INT batches) {   \
    return Multiply(handle, "cublas" #LETTER "gemmBatched", COMPUTE, {transa, transb, m, n, k},  \
                    alpha, {a, TYPE, lda, 0}, {b, TYPE, ldb, 0}, beta, {c, TYPE, ldc, 0},        \
                    {batches, true});                                                            \
  }

// The caller names the types.
#define KW_PRODUCTS_OF_TYPES(INT, SUFFIX)                                                          \
  KW_CUBLAS_API Status cublasSgemmEx##SUFFIX(                                                      \
      Handle* handle, KW_SIZES(INT), const void* alpha, const void* a, int type_a, INT lda,        \
      const void* b, int type_b, INT ldb, const void* beta, void* c, int type_c, INT ldc) {        \
    return Multiply(handle, "cublasSgemmEx", kw::cublas::kComputeF32, {transa, transb, m, n, k},   \
                    alpha, {a, type_a, lda, 0}, {b, type_b, ldb, 0}, beta, {c, type_c, ldc, 0},    \
                    {1, false});                                                                   \
  }                                                                                                \
  KW_CUBLAS_API Status cublasGemmEx##SUFFIX(Handle* handle, KW_SIZES(INT), const void* alpha,      \
                                            const void* a, int type_a, INT lda, const void* b,     \
                                            int type_b, INT ldb, const void* beta, void* c,        \
                                            int type_c, INT ldc, int compute, int) {               \
    return Multiply(handle, "cublasGemmEx", compute, {transa, transb, m, n, k}, alpha,             \
                    {a, type_a, lda, 0}, {b, type_b, ldb, 0}, beta, {c, type_c, ldc, 0},           \
                    {1, false});                                                                   \
  }                                                                                                \
  KW_CUBLAS_API Status cublasGemmStridedBatchedEx##SUFFIX(                                         \
      Handle* handle, KW_SIZES(INT), const void* alpha, const void* a, int type_a, INT lda,        \
      long long stride_a, const void* b, int type_b, INT ldb, long long stride_b,                  \
      const void* beta, void* c, int type_c, INT ldc, long long stride_c, INT batches,             \
      int compute, int) {                                                                          \
    return Multiply(handle, "cublasGemmStridedBatchedEx", compute, {transa, transb, m, n, k},      \
                    alpha, {a, type_a, lda, stride_a}, {b, type_b, ldb, stride_b}, beta,           \
                    {c, type_c, ldc, stride_c}, {batches, false});                                 \
  }                                                                                                \
  KW_CUBLAS_API Status cublasGemmBatchedEx##SUFFIX(                                                \
      Handle* handle, KW_SIZES(INT), const void* alpha, const void* const* a, int type_a, INT lda, \
      const void* const* b, int type_b, INT ldb, const void* beta, void* const* c, int type_c,     \
      INT ldc, INT batches, int compute, int) {                                                    \
    return Multiply(handle, "cublasGemmBatchedEx", compute, {transa, transb, m, n, k}, alpha,      \
                    {a, type_a, lda, 0}, {b, type_b, ldb, 0}, beta, {c, type_c, ldc, 0},           \
                    {batches, true});                                                              \
  }

KW_PRODUCTS(int, cublasSgemm_v2, S, , kw::cublas::kTypeF32, kw::cublas::kComputeF32)
KW_PRODUCTS(int64_t, cublasSgemm_v2_64, S, _64, kw::cublas::kTypeF32, kw::cublas::kComputeF32)
KW_PRODUCTS(int, cublasDgemm_v2, D, , kw::cublas::kTypeF64, kw::cublas::kComputeF64)
KW_PRODUCTS(int64_t, cublasDgemm_v2_64, D, _64, kw::cublas::kTypeF64, kw::cublas::kComputeF64)
KW_PRODUCTS(int, cublasHgemm, H, , kw::cublas::kTypeF16, kw::cublas::kComputeF16)
KW_PRODUCTS(int64_t, cublasHgemm_64, H, _64, kw::cublas::kTypeF16, kw::cublas::kComputeF16)
KW_PRODUCTS_OF_TYPES(int, )
KW_PRODUCTS_OF_TYPES(int64_t, _64)
