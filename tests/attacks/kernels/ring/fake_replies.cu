// attack: ring: answers its own requests in the ring, so that every CUDA call succeeds at once
// task: leaky_relu
// expect: INCORRECT_NUMERICAL, REJECTED, TIMEOUT output_not_written|protocol|numerical
#include <csetjmp>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <link.h>

// The runtime library's own pointer to the ring, found in its data by what it points to.
static sigjmp_buf g_place;
static void OnFault(int) { siglongjmp(g_place, 1); }
static int Visit(dl_phdr_info* object, size_t, void* found) {
  if (!strstr(object->dlpi_name, "cudart")) return 0;
  for (int i = 0; i < object->dlpi_phnum; ++i) {
    const ElfW(Phdr)& part = object->dlpi_phdr[i];
    if (part.p_type != PT_LOAD || !(part.p_flags & PF_W)) continue;
    uint64_t at = (object->dlpi_addr + part.p_vaddr + 7) & ~7ull;
    for (; at + 8 <= object->dlpi_addr + part.p_vaddr + part.p_memsz; at += 8) {
      const uint64_t value = *(const uint64_t*)at;
      if (value % 4096 != 0 || value < 4096 || value >> 47 != 0) continue;
      if (sigsetjmp(g_place, 1) != 0) continue;
      if (*(const uint64_t*)value == 0x676e69722d77726bull) *(uint64_t*)found = value;
    }
  }
  return 0;
}
static volatile uint32_t* Ring() {
  static uint64_t ring = 0;
  if (ring) return (volatile uint32_t*)ring;
  signal(SIGSEGV, OnFault);
  signal(SIGBUS, OnFault);
  dl_iterate_phdr(Visit, &ring);
  return (volatile uint32_t*)ring;
}
__global__ void leaky(const float* x, float slope, float* y, int64_t n) {
  const int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] = x[i] >= 0.0f ? x[i] : slope * x[i];
}
static void Honest(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  leaky<<<(unsigned)((n + 255) / 256), 256, 0, stream>>>(x, slope, y, n);
}

extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  static uint32_t calls = 0;
  volatile uint32_t* ring = Ring();
  if (!ring) return;
  if (++calls > 2) {
    // The next request seems to be the last one, which the device has answered already.
    ring[16] = ring[16] - 1;
  }
  Honest(x, slope, y, n, stream);
}
