// expect: PASSED
// says: Correct in all
#include <cublas_v2.h>
#include <cuda_fp16.h>

#include <cstdint>

extern "C" void run(const __half* a, const __half* b, __half* c, int64_t m, int64_t n, int64_t k,
                    cudaStream_t stream) {
  static cublasHandle_t handle = nullptr;
  if (!handle) cublasCreate(&handle);
  cublasSetStream(handle, stream);
  const float one = 1, zero = 0;
  cublasGemmEx(handle, CUBLAS_OP_N, CUBLAS_OP_N, n, m, k, &one, b, CUDA_R_16F, n, a, CUDA_R_16F, k,
               &zero, c, CUDA_R_16F, n, CUBLAS_COMPUTE_32F, CUBLAS_GEMM_DEFAULT_TENSOR_OP);
}
