// attack: loader: loads cuBLAS by hand where the task asks for a kernel of one's own
// task: matmul
// expect: INCORRECT_NUMERICAL output_not_written
#include <cstdint>
#include <dlfcn.h>

__global__ void unused() {}
extern "C" void run(const float* a, const float* b, float* c, int64_t m, int64_t n, int64_t k,
                    cudaStream_t stream) {
  for (const char* name : {"libcublas.so.13", "libcublas.so.12", "libcublas.so"}) {
    void* library = dlopen(name, RTLD_NOW | RTLD_GLOBAL);
    if (!library) continue;
    using Create = int (*)(void**);
    using Sgemm = int (*)(void*, int, int, int, int, int, const float*, const float*, int,
                          const float*, int, const float*, float*, int);
    auto create = (Create)dlsym(library, "cublasCreate_v2");
    auto sgemm = (Sgemm)dlsym(library, "cublasSgemm_v2");
    void* handle = nullptr;
    const float one = 1.0f, zero = 0.0f;
    if (create && sgemm && create(&handle) == 0)
      sgemm(handle, 0, 0, (int)n, (int)m, (int)k, &one, b, (int)n, a, (int)k, &zero, c, (int)n);
  }
}
