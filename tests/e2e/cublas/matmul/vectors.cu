// expect: PASSED
// says: Correct in all
// The same product by a matrix and vectors, by its transpose, by outer products, and by dots.
#include <cublas_v2.h>

#include <cstdint>

extern "C" void run(const float* a, const float* b, float* c, int64_t m, int64_t n, int64_t k,
                    cudaStream_t stream) {
  static cublasHandle_t handle = nullptr;
  if (!handle) cublasCreate(&handle);
  cublasSetStream(handle, stream);
  const float one = 1, zero = 0, half = 0.5f, two = 2;
  if (m % 3 == 0) {  // a row of c is b, by columns n x k, times a row of a
    for (int64_t i = 0; i < m; ++i) {
      cublasSgemv(handle, CUBLAS_OP_N, n, k, &half, b, n, a + i * k, 1, &zero, c + i * n, 1);
    }
    cublasSscal(handle, m * n, &two, c, 1);
  } else if (n * k <= 512 && m <= 8) {
    cublasSetPointerMode(handle, CUBLAS_POINTER_MODE_DEVICE);
    for (int64_t i = 0; i < m; ++i) {
      for (int64_t j = 0; j < n; ++j) cublasSdot(handle, k, a + i * k, 1, b + j, n, c + i * n + j);
    }
    cublasSetPointerMode(handle, CUBLAS_POINTER_MODE_HOST);
  } else if (k <= 64) {
    cudaMemsetAsync(c, 0, m * n * sizeof(float), stream);
    for (int64_t t = 0; t < k; ++t) cublasSger(handle, n, m, &one, b + t * n, 1, a + t, k, c, n);
  } else {  // into a transposed copy, and back
    float* by_columns = nullptr;
    cudaMallocAsync(&by_columns, m * n * sizeof(float), stream);
    cublasSgemm(handle, CUBLAS_OP_T, CUBLAS_OP_T, m, n, k, &one, a, k, b, n, &zero, by_columns, m);
    cublasSgeam(handle, CUBLAS_OP_T, CUBLAS_OP_N, n, m, &one, by_columns, m, &zero, nullptr, n, c,
                n);
    cudaFreeAsync(by_columns, stream);
  }
}
