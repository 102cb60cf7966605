// attack: symbols: defines the functions by which the harness finds and calls run()
// task: leaky_relu
// expect: INCORRECT_NUMERICAL, REJECTED output_not_written|symbol_redefined
#include <cstdint>

extern "C" void ffi_call(void*, void (*)(), void*, void**) {}
extern "C" int ffi_prep_cif(void*, int, unsigned, void*, void**) { return 0; }
extern "C" void* dlsym(void*, const char*) throw() { return nullptr; }
extern "C" void* dlopen(const char*, int) throw() { return nullptr; }
__global__ void unused() {}
extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
}
