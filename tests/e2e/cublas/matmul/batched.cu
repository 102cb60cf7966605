// expect: PASSED
// says: Correct in all
// A batch for each row, by arrays of pointers that a kernel fills; a handle for each call.
#include <cublas_v2.h>

#include <cstdint>

__global__ void point(const float* a, const float* b, float* c, int64_t m, int64_t n, int64_t k,
                      const float** rows, const float** matrices, float** results) {
  const int64_t i = blockIdx.x * int64_t{128} + threadIdx.x;
  if (i >= m) return;
  rows[i] = a + i * k;
  matrices[i] = b;
  results[i] = c + i * n;
}

extern "C" void run(const float* a, const float* b, float* c, int64_t m, int64_t n, int64_t k,
                    cudaStream_t stream) {
  void** pointers = nullptr;
  cudaMallocAsync(&pointers, 3 * m * sizeof(void*), stream);
  auto** rows = const_cast<const float**>(reinterpret_cast<float**>(pointers));
  auto** matrices = const_cast<const float**>(reinterpret_cast<float**>(pointers + m));
  auto** results = reinterpret_cast<float**>(pointers + 2 * m);
  point<<<(m + 127) / 128, 128, 0, stream>>>(a, b, c, m, n, k, rows, matrices, results);
  cublasHandle_t handle;
  cublasCreate(&handle);
  cublasSetStream(handle, stream);
  const float one = 1, zero = 0;
  cublasSgemmBatched(handle, CUBLAS_OP_N, CUBLAS_OP_N, n, 1, k, &one, matrices, n, rows, k, &zero,
                     results, n, m);
  cudaFreeAsync(pointers, stream);
  cublasDestroy(handle);
}
