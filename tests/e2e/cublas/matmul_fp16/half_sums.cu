// expect: INCORRECT_NUMERICAL numerical
// says: elements
// Sums of a thousand halves in float16.
#include <cublas_v2.h>
#include <cuda_fp16.h>

#include <cstdint>

extern "C" void run(const __half* a, const __half* b, __half* c, int64_t m, int64_t n, int64_t k,
                    cudaStream_t stream) {
  static cublasHandle_t handle = nullptr;
  if (!handle) cublasCreate(&handle);
  cublasSetStream(handle, stream);
  const __half one = __float2half(1.0f), zero = __float2half(0.0f);
  cublasHgemm(handle, CUBLAS_OP_N, CUBLAS_OP_N, n, m, k, &one, b, n, a, k, &zero, c, n);
}
