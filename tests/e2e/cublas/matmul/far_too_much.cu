// expect: TIMEOUT instruction_budget
// says: cublasSgemmStridedBatched with m
// The same product two billion times.
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
  cublasSgemmStridedBatched(Handle(stream), CUBLAS_OP_N, CUBLAS_OP_N, n, m, k, &one, b, n, 0, a, k, 0,
                            &zero, c, n, 0, 2000000000);
}
