// expect: RUNTIME_ERROR out_of_bounds
// says: past the end of
// A leading dimension that cuBLAS takes, and that the buffer does not have.
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
  cublasSgemm(Handle(stream), CUBLAS_OP_N, CUBLAS_OP_N, n, m, k, &one, b, n + 64, a, k, &zero, c, n);
}
