// Takes memory by the ways that a limit of the address space does not see: the device's addresses
// are reserved in it and count already. `mode` chooses the way.
#include <sys/mman.h>
#include <unistd.h>
#include <cstdint>

enum Mode : int64_t { kPlain, kPrivate, kShared, kTables };

constexpr size_t kPiece = 64 << 20;

__device__ char large[192 << 20];

__global__ void Double(const float* x, float* y, int64_t n) {
  int64_t i = blockIdx.x * 128ll + threadIdx.x;
  if (i < n) y[i] = x[i] + x[i] + (i < 0 ? large[i & 7] : 0);
}

// For ever: what stops it is not here. Where memory is refused, the exit code says so.
static void Take(char* at, int flags, int access, size_t step) {
  for (;; at += kPiece) {
    if (mmap(at, kPiece, access, flags | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0) != at) {
      _exit(77);
    }
    for (size_t i = 0; i < kPiece; i += step) {
      if (access & PROT_WRITE) {
        at[i] = 1;
      } else {
        (void)*(volatile char*)(at + i);
      }
    }
  }
}

extern "C" void run(const float* x, float* y, int64_t n, int64_t mode, cudaStream_t stream) {
  char* device = (char*)(((uintptr_t)y + (1ll << 36)) & ~(uintptr_t)(kPiece - 1));
  switch (mode) {
    case kPrivate:
      Take(device, MAP_PRIVATE, PROT_READ | PROT_WRITE, 4096);
    case kShared:
      Take(device, MAP_SHARED, PROT_READ | PROT_WRITE, 4096);
    case kTables:
      Take(device, MAP_PRIVATE, PROT_READ, 2 << 20);
    default:
      Double<<<(n + 127) / 128, 128, 0, stream>>>(x, y, n);
  }
}
