// expect: UNSUPPORTED unsupported
// says: does not have cublasSsyrk_v2
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
  cublasSsyrk(Handle(stream), CUBLAS_FILL_MODE_UPPER, CUBLAS_OP_N, n, k, &one, b, n, &zero, c, n);
}
