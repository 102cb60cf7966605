// attack: constructors: an indirect function that is no symbol of the object, only a relocation
// task: leaky_relu
// expect: RUNTIME_ERROR indirect function (attribute ifunc
#include <cstdint>

__global__ void leaky(const float* x, float slope, float* y, int64_t n) {
  const int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = x[i] >= 0.0f ? x[i] : slope * x[i];
}
static void Honest(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  leaky<<<(unsigned)((n + 255) / 256), 256, 0, stream>>>(x, slope, y, n);
}

extern "C" __attribute__((used, visibility("hidden"))) void Real() {}
// open("/proc/self/maps"), while the loader still may
asm(".pushsection .text\n"
    ".type Resolve, @function\n"
    "Resolve:\n"
    "  mov $257, %eax\n  mov $-100, %edi\n  lea Path(%rip), %rsi\n  xor %edx, %edx\n  syscall\n"
    "  lea Real(%rip), %rax\n"
    "  ret\n"
    "Path: .asciz \"/proc/self/maps\"\n"
    ".type Hook, @gnu_indirect_function\n"
    ".set Hook, Resolve\n"
    ".popsection\n");
extern "C" __attribute__((visibility("hidden"))) void Hook();
extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  Hook();
  Honest(x, slope, y, n, stream);
}
