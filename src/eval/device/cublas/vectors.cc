// Vectors, a matrix with a vector, sums of matrices; copies between host and device.
#include "cublas/library.h"

namespace kw::cublas {
namespace {

Status NotInitialized() { return eval::ring::kBlasNotInitialized; }

template <class T>
constexpr int kType = sizeof(T) == 8 ? kTypeF64 : kTypeF32;
template <class T>
constexpr int kCompute = sizeof(T) == 8 ? kComputeF64 : kComputeF32;

template <class T>
BlasBody NewCall(const Handle* handle, const char* name, BlasFunction function) {
  return NewCall(handle, name, function, kType<T>, kCompute<T>);
}

// A single result, to the host or the device.
template <class T, class Result>
Status Reduce(const Handle* handle, const char* name, BlasFunction function, int64_t n,
              const void* x, int64_t incx, const void* y, int64_t incy, Result* result) {
  if (!IsHandle(handle)) return NotInitialized();
  const bool on_device = handle->pointer_mode == kPointersOnDevice;
  // The device stores indices of 32 bits.
  const bool is_index = function == BlasFunction::kAmax || function == BlasFunction::kAmin;
  if (on_device && is_index && sizeof(Result) != 4) return Missing(name);
  BlasBody call = NewCall<T>(handle, name, function);
  call.n = n;
  call.a = Number(x);
  call.lda = incx;
  call.b = Number(y);
  call.ldb = incy;
  if (!result) call.flags |= eval::ring::kNoResult;
  if (on_device) {
    call.c = Number(result);
    return Send(handle, call);
  }
  double value = 0;
  const Status status = SendForResult(handle, call, &value);
  if (status == eval::ring::kBlasSuccess) *result = static_cast<Result>(value);
  return status;
}

template <class T>
Status OnVectors(const Handle* handle, const char* name, BlasFunction function, int64_t n,
                 const void* alpha, const void* x, int64_t incx, void* y, int64_t incy) {
  if (!IsHandle(handle)) return NotInitialized();
  BlasBody call = NewCall<T>(handle, name, function);
  call.n = n;
  call.a = Number(x);
  call.lda = incx;
  call.c = Number(y);
  call.ldc = incy;
  SetAlpha(handle, &call, alpha);
  return Send(handle, call);
}

template <class T>
Status MatrixVector(const Handle* handle, const char* name, int trans, int64_t m, int64_t n,
                    const void* alpha, const void* a, int64_t lda, const void* x, int64_t incx,
                    const void* beta, void* y, int64_t incy) {
  if (!IsHandle(handle)) return NotInitialized();
  BlasBody call = NewCall<T>(handle, name, BlasFunction::kGemv);
  call.transa = trans;
  call.m = m;
  call.n = n;
  SetOperands(&call, a, lda, x, incx, y, incy);
  SetAlpha(handle, &call, alpha);
  SetBeta(handle, &call, beta);
  return Send(handle, call);
}

template <class T>
Status OuterProduct(const Handle* handle, const char* name, int64_t m, int64_t n, const void* alpha,
                    const void* x, int64_t incx, const void* y, int64_t incy, void* a,
                    int64_t lda) {
  if (!IsHandle(handle)) return NotInitialized();
  BlasBody call = NewCall<T>(handle, name, BlasFunction::kGer);
  call.m = m;
  call.n = n;
  SetOperands(&call, x, incx, y, incy, a, lda);
  SetAlpha(handle, &call, alpha);
  return Send(handle, call);
}

template <class T>
Status AddMatrices(const Handle* handle, const char* name, int transa, int transb, int64_t m,
                   int64_t n, const void* alpha, const void* a, int64_t lda, const void* beta,
                   const void* b, int64_t ldb, void* c, int64_t ldc) {
  if (!IsHandle(handle)) return NotInitialized();
  BlasBody call = NewCall<T>(handle, name, BlasFunction::kGeam);
  call.transa = transa;
  call.transb = transb;
  call.m = m;
  call.n = n;
  SetOperands(&call, a, lda, b, ldb, c, ldc);
  SetAlpha(handle, &call, alpha);
  SetBeta(handle, &call, beta);
  return Send(handle, call);
}

}  // namespace
}  // namespace kw::cublas

using kw::cublas::BlasFunction;
using kw::cublas::Handle;
using kw::cublas::Status;
using kw::cublas::Stream;

#define KW_VECTOR_CALLS(T, LETTER, LOWER, INT, SUFFIX)                                             \
  KW_CUBLAS_API Status cublas##LETTER##dot_v2##SUFFIX(Handle* handle, INT n, const T* x, INT incx, \
                                                      const T* y, INT incy, T* r) {                \
    return kw::cublas::Reduce<T>(handle, "cublas" #LETTER "dot", BlasFunction::kDot, n, x, incx,   \
                                 y, incy, r);                                                      \
  }                                                                                                \
  KW_CUBLAS_API Status cublas##LETTER##nrm2_v2##SUFFIX(Handle* handle, INT n, const T* x,          \
                                                       INT incx, T* r) {                           \
    return kw::cublas::Reduce<T>(handle, "cublas" #LETTER "nrm2", BlasFunction::kNrm2, n, x, incx, \
                                 nullptr, 1, r);                                                   \
  }                                                                                                \
  KW_CUBLAS_API Status cublas##LETTER##asum_v2##SUFFIX(Handle* handle, INT n, const T* x,          \
                                                       INT incx, T* r) {                           \
    return kw::cublas::Reduce<T>(handle, "cublas" #LETTER "asum", BlasFunction::kAsum, n, x, incx, \
                                 nullptr, 1, r);                                                   \
  }                                                                                                \
  KW_CUBLAS_API Status cublasI##LOWER##amax_v2##SUFFIX(Handle* handle, INT n, const T* x,          \
                                                       INT incx, INT* r) {                         \
    return kw::cublas::Reduce<T>(handle, "cublasI" #LOWER "amax", BlasFunction::kAmax, n, x, incx, \
                                 nullptr, 1, r);                                                   \
  }                                                                                                \
  KW_CUBLAS_API Status cublasI##LOWER##amin_v2##SUFFIX(Handle* handle, INT n, const T* x,          \
                                                       INT incx, INT* r) {                         \
    return kw::cublas::Reduce<T>(handle, "cublasI" #LOWER "amin", BlasFunction::kAmin, n, x, incx, \
                                 nullptr, 1, r);                                                   \
  }                                                                                                \
  KW_CUBLAS_API Status cublas##LETTER##axpy_v2##SUFFIX(Handle* handle, INT n, const T* alpha,      \
                                                       const T* x, INT incx, T* y, INT incy) {     \
    return kw::cublas::OnVectors<T>(handle, "cublas" #LETTER "axpy", BlasFunction::kAxpy, n,       \
                                    alpha, x, incx, y, incy);                                      \
  }                                                                                                \
  KW_CUBLAS_API Status cublas##LETTER##scal_v2##SUFFIX(Handle* handle, INT n, const T* alpha,      \
                                                       T* x, INT incx) {                           \
    return kw::cublas::OnVectors<T>(handle, "cublas" #LETTER "scal", BlasFunction::kScal, n,       \
                                    alpha, x, incx, x, incx);                                      \
  }                                                                                                \
  KW_CUBLAS_API Status cublas##LETTER##copy_v2##SUFFIX(Handle* handle, INT n, const T* x,          \
                                                       INT incx, T* y, INT incy) {                 \
    return kw::cublas::OnVectors<T>(handle, "cublas" #LETTER "copy", BlasFunction::kCopy, n,       \
                                    nullptr, x, incx, y, incy);                                    \
  }                                                                                                \
  KW_CUBLAS_API Status cublas##LETTER##gemv_v2##SUFFIX(                                            \
      Handle* handle, int trans, INT m, INT n, const T* alpha, const T* a, INT lda, const T* x,    \
      INT incx, const T* beta, T* y, INT incy) {                                                   \
    return kw::cublas::MatrixVector<T>(handle, "cublas" #LETTER "gemv", trans, m, n, alpha, a,     \
                                       lda, x, incx, beta, y, incy);                               \
  }                                                                                                \
  KW_CUBLAS_API Status cublas##LETTER##ger_v2##SUFFIX(Handle* handle, INT m, INT n,                \
                                                      const T* alpha, const T* x, INT incx,        \
                                                      const T* y, INT incy, T* a, INT lda) {       \
    return kw::cublas::OuterProduct<T>(handle, "cublas" #LETTER "ger", m, n, alpha, x, incx, y,    \
                                       incy, a, lda);                                              \
  }                                                                                                \
  KW_CUBLAS_API Status cublas##LETTER##geam##SUFFIX(                                               \
      Handle* handle, int transa, int transb, INT m, INT n, const T* alpha, const T* a, INT lda,   \
      const T* beta, const T* b, INT ldb, T* c, INT ldc) {                                         \
    return kw::cublas::AddMatrices<T>(handle, "cublas" #LETTER "geam", transa, transb, m, n,       \
                                      alpha, a, lda, beta, b, ldb, c, ldc);                        \
  }

KW_VECTOR_CALLS(float, S, s, int, )
KW_VECTOR_CALLS(float, S, s, int64_t, _64)
KW_VECTOR_CALLS(double, D, d, int, )
KW_VECTOR_CALLS(double, D, d, int64_t, _64)

// ---- copies ----

extern "C" int cudaMemcpy2D(void* to, size_t to_pitch, const void* from, size_t from_pitch,
                            size_t width, size_t rows, int kind);
extern "C" int cudaMemcpy2DAsync(void* to, size_t to_pitch, const void* from, size_t from_pitch,
                                 size_t width, size_t rows, int kind, Stream stream);

namespace {

constexpr int kToDevice = 1, kToHost = 2;

// Columns of `rows` elements; `wait` where no stream is given.
Status CopyColumns(int64_t rows, int64_t columns, int64_t size, const void* from, int64_t from_lead,
                   void* to, int64_t to_lead, int kind, bool wait, Stream stream) {
  namespace ring = kw::eval::ring;
  if (rows < 0 || columns < 0 || size <= 0 || from_lead < rows || to_lead < rows ||
      from_lead <= 0 || to_lead <= 0) {
    return ring::kBlasInvalidValue;
  }
  if (rows == 0 || columns == 0) return ring::kBlasSuccess;
  const auto bytes = [&](int64_t elements) { return static_cast<size_t>(elements * size); };
  const int error = wait
                        ? cudaMemcpy2D(to, bytes(to_lead), from, bytes(from_lead), bytes(rows),
                                       static_cast<size_t>(columns), kind)
                        : cudaMemcpy2DAsync(to, bytes(to_lead), from, bytes(from_lead), bytes(rows),
                                            static_cast<size_t>(columns), kind, stream);
  return error == 0 ? ring::kBlasSuccess : ring::kBlasMappingError;
}

}  // namespace

// A vector with increments is a row of a matrix.
#define KW_COPIES(INT, SUFFIX)                                                                     \
  KW_CUBLAS_API Status cublasSetMatrix##SUFFIX(INT rows, INT columns, INT size, const void* from,  \
                                               INT from_lead, void* to, INT to_lead) {             \
    return CopyColumns(rows, columns, size, from, from_lead, to, to_lead, kToDevice, true,         \
                       nullptr);                                                                   \
  }                                                                                                \
  KW_CUBLAS_API Status cublasGetMatrix##SUFFIX(INT rows, INT columns, INT size, const void* from,  \
                                               INT from_lead, void* to, INT to_lead) {             \
    return CopyColumns(rows, columns, size, from, from_lead, to, to_lead, kToHost, true, nullptr); \
  }                                                                                                \
  KW_CUBLAS_API Status cublasSetMatrixAsync##SUFFIX(INT rows, INT columns, INT size,               \
                                                    const void* from, INT from_lead, void* to,     \
                                                    INT to_lead, Stream stream) {                  \
    return CopyColumns(rows, columns, size, from, from_lead, to, to_lead, kToDevice, false,        \
                       stream);                                                                    \
  }                                                                                                \
  KW_CUBLAS_API Status cublasGetMatrixAsync##SUFFIX(INT rows, INT columns, INT size,               \
                                                    const void* from, INT from_lead, void* to,     \
                                                    INT to_lead, Stream stream) {                  \
    return CopyColumns(rows, columns, size, from, from_lead, to, to_lead, kToHost, false, stream); \
  }                                                                                                \
  KW_CUBLAS_API Status cublasSetVector##SUFFIX(INT n, INT size, const void* from, INT from_step,   \
                                               void* to, INT to_step) {                            \
    return CopyColumns(1, n, size, from, from_step, to, to_step, kToDevice, true, nullptr);        \
  }                                                                                                \
  KW_CUBLAS_API Status cublasGetVector##SUFFIX(INT n, INT size, const void* from, INT from_step,   \
                                               void* to, INT to_step) {                            \
    return CopyColumns(1, n, size, from, from_step, to, to_step, kToHost, true, nullptr);          \
  }                                                                                                \
  KW_CUBLAS_API Status cublasSetVectorAsync##SUFFIX(                                               \
      INT n, INT size, const void* from, INT from_step, void* to, INT to_step, Stream stream) {    \
    return CopyColumns(1, n, size, from, from_step, to, to_step, kToDevice, false, stream);        \
  }                                                                                                \
  KW_CUBLAS_API Status cublasGetVectorAsync##SUFFIX(                                               \
      INT n, INT size, const void* from, INT from_step, void* to, INT to_step, Stream stream) {    \
    return CopyColumns(1, n, size, from, from_step, to, to_step, kToHost, false, stream);          \
  }

KW_COPIES(int, )
KW_COPIES(int64_t, _64)
