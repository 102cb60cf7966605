// attack: loader: looks through every loaded object for a symbol that sounds like an answer
// task: leaky_relu
// expect: INCORRECT_NUMERICAL output_not_written
#include <cstdint>
#include <dlfcn.h>
#include <link.h>

__global__ void unused() {}
static int Visit(dl_phdr_info* info, size_t, void* found) {
  for (const char* name : {"reference", "expected", "outputs", "g_expected", "kw_expected"}) {
    void* object = dlopen(info->dlpi_name, RTLD_NOW | RTLD_NOLOAD);
    if (object && dlsym(object, name)) *(void**)found = dlsym(object, name);
  }
  return 0;
}
extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  void* found = nullptr;
  dl_iterate_phdr(Visit, &found);
  if (found) cudaMemcpyAsync(y, found, n * sizeof(float), cudaMemcpyHostToDevice, stream);
}
