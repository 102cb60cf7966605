// attack: loader: calls cuBLAS where task.toml allows no library
// task: matmul
// expect: COMPILE_ERROR, UNSUPPORTED link_error|cublas
#include <cstdint>

extern "C" int cublasCreate_v2(void**);
extern "C" int cublasSgemm_v2(void*, int, int, int, int, int, const float*, const float*, int,
                              const float*, int, const float*, float*, int);
__global__ void unused() {}
extern "C" void run(const float* a, const float* b, float* c, int64_t m, int64_t n, int64_t k,
                    cudaStream_t stream) {
  static void* handle = nullptr;
  if (!handle) cublasCreate_v2(&handle);
  const float one = 1.0f, zero = 0.0f;
  cublasSgemm_v2(handle, 0, 0, (int)n, (int)m, (int)k, &one, b, (int)n, a, (int)k, &zero, c, (int)n);
}
