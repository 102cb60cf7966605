// expect: INCORRECT_NUMERICAL output_not_written
// says: cublasSetStream(handle, stream)
// The default stream is not ordered with the given one.
#include <cublas_v2.h>

#include <cstdint>

extern "C" void run(const float* a, const float* b, float* c, int64_t m, int64_t n, int64_t k,
                    cudaStream_t stream) {
  static cublasHandle_t handle = nullptr;
  if (!handle) cublasCreate(&handle);
  const float one = 1, zero = 0;
  cublasSgemm(handle, CUBLAS_OP_N, CUBLAS_OP_N, n, m, k, &one, b, n, a, k, &zero, c, n);
}
