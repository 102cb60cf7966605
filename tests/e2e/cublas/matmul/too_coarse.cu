// expect: INCORRECT_NUMERICAL numerical
// says: elements
// TF32 is not exact enough for this task.
#include <cublas_v2.h>

#include <cstdint>

static cublasHandle_t Handle(cudaStream_t stream) {
  static cublasHandle_t handle = nullptr;
  if (!handle) cublasCreate(&handle);
  cublasSetStream(handle, stream);
  return handle;
}

extern "C" void run(const float* a, const float* b, float* c, int64_t m, int64_t n, int64_t k,
                    cudaStream_t stream) {
  const float one = 1, zero = 0;
  cublasSetMathMode(Handle(stream), CUBLAS_TF32_TENSOR_OP_MATH);
  cublasSgemm(Handle(stream), CUBLAS_OP_N, CUBLAS_OP_N, n, m, k, &one, b, n, a, k, &zero, c, n);
}
