#include "cudart/managed.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "cudart/trace.h"

namespace kw::cudart {

namespace ring = eval::ring;

namespace {

constexpr uint64_t kPage = 4096;
// Changes nearer than this to each other travel together.
constexpr size_t kNear = 16;

struct Shared {
  char* memory;  // at the device's address
  char* known;   // as it was when host and device last met
  size_t bytes;
  Shared* next;
};
Shared* g_shared = nullptr;
bool g_device_worked = false;
uint64_t g_stream = 0;  // of our own, ordered with nothing

bool OfProgram() {
  const auto* facts = Facts();
  return facts && facts->program;
}

void* FirstPage(uint64_t address) { return Pointer(address / kPage * kPage); }
size_t PagesBytes(uint64_t address, size_t bytes) {
  return (address + bytes + kPage - 1) / kPage * kPage - address / kPage * kPage;
}

uint64_t OwnStream() {
  if (!g_stream) g_stream = Ask(Op::kStreamCreate, 1, 0).values[0];
  return g_stream;
}

void Send(const char* from, size_t bytes) {
  while (bytes > 0) {
    const size_t piece = bytes < ring::kBodyBytes ? bytes : ring::kBodyBytes;
    const uint64_t values[] = {Number(from), piece, piece, 1, OwnStream(), 1};
    Call(Op::kCopyIn, values, 6, from, piece);
    from += piece;
    bytes -= piece;
  }
}

bool Fetch(Shared& shared) {
  for (size_t at = 0; at < shared.bytes;) {
    const size_t left = shared.bytes - at;
    const size_t piece = left < ring::kBodyBytes ? left : ring::kBodyBytes;
    const Answer answer =
        Ask(Op::kCopyOut, Number(shared.memory) + at, piece, piece, 1, OwnStream());
    if (answer.error || answer.body_bytes != piece) return false;
    memcpy(shared.memory + at, answer.body, piece);
    memcpy(shared.known + at, answer.body, piece);
    at += piece;
  }
  return true;
}

// Only what the host has written counts as written on the device.
void SendChanges(Shared& shared) {
  size_t start = 0, end = 0;  // of the change found last
  const auto flush = [&] {
    if (start == end) return;
    Send(shared.memory + start, end - start);
    memcpy(shared.known + start, shared.memory + start, end - start);
  };
  for (size_t at = 0; at < shared.bytes;) {
    const size_t left = shared.bytes - at;
    const size_t step = left < kPage ? left : kPage;
    if (memcmp(shared.memory + at, shared.known + at, step) != 0) {
      for (size_t i = at; i < at + step; ++i) {
        if (shared.memory[i] == shared.known[i]) continue;
        if (i > end + kNear || start == end) {
          flush();
          start = i;
        }
        end = i + 1;
      }
    }
    at += step;
  }
  flush();
}

Shared** Find(const void* pointer) {
  for (Shared** at = &g_shared; *at; at = &(*at)->next) {
    const uint64_t start = Number((*at)->memory);
    if (Number(pointer) >= start && Number(pointer) - start < (*at)->bytes) return at;
  }
  return nullptr;
}

void Forget(Shared** at) {
  Shared* gone = *at;
  *at = gone->next;
  const uint64_t address = Number(gone->memory);
  mmap(FirstPage(address), PagesBytes(address, gone->bytes), PROT_NONE,
       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
  free(gone->known);
  free(gone);
}

// What host code has written before it ended is there for the work that is still queued.
__attribute__((destructor)) void PublishAtExit() { Publish(); }

}  // namespace

Error ShareWithHost(uint64_t address, size_t bytes) {
  auto* shared = static_cast<Shared*>(calloc(1, sizeof(Shared)));
  if (!shared) return eval::kCudaMemoryAllocation;
  *shared = {static_cast<char*>(Pointer(address)), static_cast<char*>(malloc(bytes)), bytes,
             g_shared};
  if (!shared->known ||
      mprotect(FirstPage(address), PagesBytes(address, bytes), PROT_READ | PROT_WRITE) != 0) {
    free(shared->known);
    free(shared);
    return eval::kCudaMemoryAllocation;
  }
  g_shared = shared;
  return Fetch(*shared) ? eval::kCudaSuccess : eval::kCudaUnknown;
}

Error AllocateManaged(void** pointer, size_t bytes, ring::Memory kind) {
  if (!OfProgram()) {
    return Unsupported(kind == ring::Memory::kManaged ? "managed memory" : "mapped host memory");
  }
  if (!pointer || bytes == 0) return Remember(eval::kCudaInvalidValue);
  const Answer answer = Ask(Op::kAllocate, bytes, 0, CallSite(), kind);
  if (answer.error) return Remember(answer);
  const uint64_t address = answer.values[0];
  const Error error = ShareWithHost(address, bytes);
  if (error) {
    Ask(Op::kFree, address);
    return Remember(error);
  }
  *pointer = Pointer(address);
  return eval::kCudaSuccess;
}

bool FreeManaged(void* pointer, Error* error) {
  if (!IsManaged(pointer)) return false;
  const Meeting meeting;
  *error = Ask(Op::kFree, Number(pointer)).error;
  if (!*error) Forget(Find(pointer));
  return true;
}

bool IsManaged(const void* pointer) { return g_shared && Find(pointer); }

void Publish() {
  for (Shared* shared = g_shared; shared; shared = shared->next) SendChanges(*shared);
}

void Collect() {
  if (!g_shared || !g_device_worked) return;
  for (Shared* shared = g_shared; shared; shared = shared->next) {
    if (!Fetch(*shared)) return;
  }
  g_device_worked = false;
}

void NoteDeviceWork() { g_device_worked = true; }

}  // namespace kw::cudart

using namespace kw::cudart;  // NOLINT: the interface below is C
using kw::eval::kCudaInvalidValue;
using kw::eval::kCudaSuccess;

KW_CUDA_API Error cudaMallocManaged(void** pointer, size_t bytes, unsigned) {
  return AllocateManaged(pointer, bytes, kw::eval::ring::Memory::kManaged);
}

// Hints: they change no result.
KW_CUDA_API Error cudaMemPrefetchAsync(const void* pointer, size_t, MemLocation, unsigned, Stream) {
  return IsManaged(pointer) ? kCudaSuccess : Remember(kCudaInvalidValue);
}
KW_CUDA_API Error cudaMemPrefetchAsync_ptsz(const void* pointer, size_t, MemLocation, unsigned,
                                            Stream) {
  return IsManaged(pointer) ? kCudaSuccess : Remember(kCudaInvalidValue);
}
KW_CUDA_API Error cudaMemAdvise(const void* pointer, size_t, int, MemLocation) {
  return IsManaged(pointer) ? kCudaSuccess : Remember(kCudaInvalidValue);
}
KW_CUDA_API Error cudaStreamAttachMemAsync(Stream, void* pointer, size_t, unsigned) {
  return IsManaged(pointer) ? kCudaSuccess : Remember(kCudaInvalidValue);
}
KW_CUDA_API Error cudaStreamAttachMemAsync_ptsz(Stream stream, void* pointer, size_t bytes,
                                                unsigned flags) {
  return cudaStreamAttachMemAsync(stream, pointer, bytes, flags);
}
