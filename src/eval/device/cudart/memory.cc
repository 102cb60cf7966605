#include <stdlib.h>
#include <string.h>

#include "cudart/client.h"
#include "cudart/managed.h"
#include "cudart/trace.h"

using namespace kw::cudart;  // NOLINT: the interface below is C
namespace ring = kw::eval::ring;
using kw::eval::kCudaInvalidSymbol;
using kw::eval::kCudaInvalidValue;
using kw::eval::kCudaMemoryAllocation;
using kw::eval::kCudaSuccess;

namespace {

struct Copy {
  void* to;
  size_t to_pitch;
  const void* from;
  size_t from_pitch;
  size_t width, rows;
};

bool DirectionFits(const Copy& copy, int kind) {
  bool to_device = OnDevice(copy.to), from_device = OnDevice(copy.from);
  bool to_host = !to_device || IsManaged(copy.to);
  bool from_host = !from_device || IsManaged(copy.from);
  switch (kind) {
    case kHostToHost:
      return to_host && from_host;
    case kHostToDevice:
      return to_device && from_host;
    case kDeviceToHost:
      return to_host && from_device;
    case kDeviceToDevice:
      return to_device && from_device;
    case kDefault:
      return true;
    default:
      return false;
  }
}

// Pieces of whole rows, or of one row where a row alone is larger than the staging area.
template <class Piece>
Error InPieces(const Copy& copy, Piece piece) {
  if (copy.width > ring::kBodyBytes) {
    for (size_t row = 0; row < copy.rows; ++row) {
      for (size_t x = 0; x < copy.width; x += ring::kBodyBytes) {
        size_t width = copy.width - x < ring::kBodyBytes ? copy.width - x : ring::kBodyBytes;
        Error error = piece(row, x, width, 1);
        if (error) return error;
      }
    }
    return kCudaSuccess;
  }
  size_t at_once = ring::kBodyBytes / copy.width;
  for (size_t row = 0; row < copy.rows; row += at_once) {
    size_t rows = copy.rows - row < at_once ? copy.rows - row : at_once;
    Error error = piece(row, 0, copy.width, rows);
    if (error) return error;
  }
  return kCudaSuccess;
}

Error CopyIn(const Copy& copy, uint64_t stream, bool wait) {
  NoteDeviceWork();
  return InPieces(copy, [&](size_t row, size_t x, size_t width, size_t rows) {
    const char* from = static_cast<const char*>(copy.from) + row * copy.from_pitch + x;
    for (size_t i = 0; i < rows; ++i) {
      memcpy(BodySpace() + i * width, from + i * copy.from_pitch, width);
    }
    const uint64_t values[] = {
        Number(copy.to) + row * copy.to_pitch + x, copy.to_pitch, width, rows, stream, wait};
    return AskWithBody(Op::kCopyIn, values, 6, rows * width).error;
  });
}

Error CopyOut(const Copy& copy, uint64_t stream) {
  return InPieces(copy, [&](size_t row, size_t x, size_t width, size_t rows) {
    Answer answer = Ask(Op::kCopyOut, Number(copy.from) + row * copy.from_pitch + x,
                        copy.from_pitch, width, rows, stream);
    if (answer.error) return answer.error;
    char* to = static_cast<char*>(copy.to) + row * copy.to_pitch + x;
    for (size_t i = 0; i < rows; ++i) {
      memcpy(to + i * copy.to_pitch, answer.body + i * width, width);
    }
    return static_cast<Error>(kCudaSuccess);
  });
}

Error CopyAny(Copy copy, int kind, uint64_t stream, bool wait) {
  if (copy.width == 0 || copy.rows == 0) return kCudaSuccess;
  if (copy.rows > 1 && (copy.width > copy.to_pitch || copy.width > copy.from_pitch)) {
    return Remember(kw::eval::CudaError{12});  // cudaErrorInvalidPitchValue
  }
  if (!copy.to || !copy.from || !DirectionFits(copy, kind)) return Remember(kCudaInvalidValue);
  if (copy.rows > 1 && copy.width == copy.to_pitch && copy.width == copy.from_pitch) {
    copy.width *= copy.rows;
    copy.rows = 1;
  }
  const Meeting meeting;
  if (OnDevice(copy.to) && OnDevice(copy.from)) {
    Answer answer = Ask(Op::kCopyDevice, Number(copy.to), copy.to_pitch, Number(copy.from),
                        copy.from_pitch, copy.width, copy.rows, stream);
    // What the host can look at is there when the copy returns.
    if (!answer.error && wait && IsManaged(copy.to)) answer = Ask(Op::kStreamSynchronize, stream);
    return Remember(answer);
  }
  if (OnDevice(copy.to)) return Remember(CopyIn(copy, stream, wait));
  if (OnDevice(copy.from)) return Remember(CopyOut(copy, stream));
  Error error = Remember(Ask(Op::kStreamSynchronize, stream));
  if (error) return error;
  for (size_t row = 0; row < copy.rows; ++row) {
    memcpy(static_cast<char*>(copy.to) + row * copy.to_pitch,
           static_cast<const char*>(copy.from) + row * copy.from_pitch, copy.width);
  }
  return kCudaSuccess;
}

Error CopyFlat(void* to, const void* from, size_t bytes, int kind, uint64_t stream, bool wait) {
  return CopyAny({to, bytes, from, bytes, bytes, 1}, kind, stream, wait);
}

// The part of a registered variable that a symbol copy names.
Error SymbolRange(const void* symbol, size_t bytes, size_t offset, uint64_t* address) {
  uint64_t start = 0, size = 0;
  if (!FindVariable(symbol, &start, &size)) return Remember(kCudaInvalidSymbol);
  if (offset > size || bytes > size - offset) return Remember(kCudaInvalidValue);
  *address = start + offset;
  return kCudaSuccess;
}

Error CopyToSymbol(const void* symbol, const void* from, size_t bytes, size_t offset, int kind,
                   uint64_t stream, bool wait) {
  uint64_t address = 0;
  Error error = SymbolRange(symbol, bytes, offset, &address);
  if (error) return error;
  return CopyFlat(Pointer(address), from, bytes, kind, stream, wait);
}

Error CopyFromSymbol(void* to, const void* symbol, size_t bytes, size_t offset, int kind,
                     uint64_t stream) {
  uint64_t address = 0;
  Error error = SymbolRange(symbol, bytes, offset, &address);
  if (error) return error;
  return CopyFlat(to, Pointer(address), bytes, kind, stream, true);
}

Error Fill(void* to, size_t pitch, int value, size_t width, size_t rows, uint64_t stream) {
  if (width == 0 || rows == 0) return kCudaSuccess;
  return Remember(Ask(Op::kFill, Number(to), pitch, width, rows, value & 0xff, stream));
}

Error Allocate(void** pointer, size_t bytes, uint64_t stream) {
  if (!pointer) return Remember(kCudaInvalidValue);
  if (bytes == 0) {
    *pointer = nullptr;
    return kCudaSuccess;
  }
  Answer answer = Ask(Op::kAllocate, bytes, stream, CallSite(), ring::Memory::kDevice);
  if (!answer.error) *pointer = Pointer(answer.values[0]);
  return Remember(answer);
}

Error FreeAsync(void* pointer, uint64_t stream) {
  if (!pointer) return kCudaSuccess;
  return Remember(Ask(Op::kFreeAsync, Number(pointer), stream));
}

uint64_t Legacy() { return ring::kLegacyStream; }
uint64_t Own() { return ring::kPerThreadStream; }

}  // namespace

KW_CUDA_API Error cudaMalloc(void** pointer, size_t bytes) { return Allocate(pointer, bytes, 0); }

KW_CUDA_API Error cudaMallocPitch(void** pointer, size_t* pitch, size_t width, size_t height) {
  constexpr size_t kPitch = 512;
  if (!pitch || width > SIZE_MAX - kPitch) return Remember(kCudaInvalidValue);
  size_t rounded = (width + kPitch - 1) / kPitch * kPitch;
  if (height != 0 && rounded > SIZE_MAX / height) return Remember(kCudaMemoryAllocation);
  Error error = Allocate(pointer, rounded * height, 0);
  if (!error) *pitch = rounded;
  return error;
}

KW_CUDA_API Error cudaFree(void* pointer) {
  if (!pointer) return kCudaSuccess;
  Error error = 0;
  if (FreeManaged(pointer, &error)) return Remember(error);
  return Remember(Ask(Op::kFree, Number(pointer)));
}

KW_CUDA_API Error cudaMallocAsync(void** pointer, size_t bytes, Stream stream) {
  return Allocate(pointer, bytes, StreamNumber(stream));
}
KW_CUDA_API Error cudaMallocAsync_ptsz(void** pointer, size_t bytes, Stream stream) {
  return cudaMallocAsync(pointer, bytes, PerThread(stream));
}
KW_CUDA_API Error cudaFreeAsync(void* pointer, Stream stream) {
  return FreeAsync(pointer, StreamNumber(stream));
}
KW_CUDA_API Error cudaFreeAsync_ptsz(void* pointer, Stream stream) {
  return FreeAsync(pointer, StreamNumber(PerThread(stream)));
}

KW_CUDA_API Error cudaMallocHost(void** pointer, size_t bytes) {
  if (!pointer) return Remember(kCudaInvalidValue);
  *pointer = nullptr;
  if (bytes == 0) return kCudaSuccess;
  void* memory = nullptr;
  if (posix_memalign(&memory, 4096, bytes) != 0) return Remember(kCudaMemoryAllocation);
  Error error = Ask(Op::kPinned, Number(memory), bytes).error;
  if (error) {
    free(memory);
    return Remember(error);
  }
  *pointer = memory;
  return kCudaSuccess;
}
KW_CUDA_API Error cudaHostAlloc(void** pointer, size_t bytes, unsigned flags) {
  constexpr unsigned kMapped = 2;
  const auto* facts = Facts();
  if ((flags & kMapped) != 0 && facts && facts->program && bytes > 0) {
    return AllocateManaged(pointer, bytes, ring::Memory::kMapped);
  }
  return cudaMallocHost(pointer, bytes);
}
KW_CUDA_API Error cudaFreeHost(void* pointer) {
  if (!pointer) return kCudaSuccess;
  Error error = 0;
  if (FreeManaged(pointer, &error)) return Remember(error);
  error = Ask(Op::kPinned, Number(pointer), 0).error;
  if (error) return Remember(error);
  free(pointer);
  return kCudaSuccess;
}
KW_CUDA_API Error cudaHostRegister(void* pointer, size_t bytes, unsigned) {
  if (!pointer || bytes == 0 || OnDevice(pointer)) return Remember(kCudaInvalidValue);
  return Remember(Ask(Op::kPinned, Number(pointer), bytes));
}
KW_CUDA_API Error cudaHostUnregister(void* pointer) {
  return Remember(Ask(Op::kPinned, Number(pointer), 0));
}
KW_CUDA_API Error cudaHostGetFlags(unsigned* flags, void*) {
  if (!flags) return Remember(kCudaInvalidValue);
  *flags = 0;
  return kCudaSuccess;
}
// With unified addressing pinned memory has one address; a kernel that uses it is UNSUPPORTED.
KW_CUDA_API Error cudaHostGetDevicePointer(void** device, void* host, unsigned) {
  if (!device) return Remember(kCudaInvalidValue);
  *device = host;
  return kCudaSuccess;
}

KW_CUDA_API Error cudaMemcpy(void* to, const void* from, size_t bytes, int kind) {
  return CopyFlat(to, from, bytes, kind, Legacy(), true);
}
KW_CUDA_API Error cudaMemcpy_ptds(void* to, const void* from, size_t bytes, int kind) {
  return CopyFlat(to, from, bytes, kind, Own(), true);
}
KW_CUDA_API Error cudaMemcpyAsync(void* to, const void* from, size_t bytes, int kind,
                                  Stream stream) {
  return CopyFlat(to, from, bytes, kind, StreamNumber(stream), false);
}
KW_CUDA_API Error cudaMemcpyAsync_ptsz(void* to, const void* from, size_t bytes, int kind,
                                       Stream stream) {
  return cudaMemcpyAsync(to, from, bytes, kind, PerThread(stream));
}
KW_CUDA_API Error cudaMemcpyPeer(void* to, int, const void* from, int, size_t bytes) {
  return CopyFlat(to, from, bytes, kDeviceToDevice, Legacy(), true);
}
KW_CUDA_API Error cudaMemcpyPeerAsync(void* to, int, const void* from, int, size_t bytes,
                                      Stream stream) {
  return CopyFlat(to, from, bytes, kDeviceToDevice, StreamNumber(stream), false);
}
KW_CUDA_API Error cudaMemcpy2D(void* to, size_t to_pitch, const void* from, size_t from_pitch,
                               size_t width, size_t height, int kind) {
  return CopyAny({to, to_pitch, from, from_pitch, width, height}, kind, Legacy(), true);
}
KW_CUDA_API Error cudaMemcpy2D_ptds(void* to, size_t to_pitch, const void* from, size_t from_pitch,
                                    size_t width, size_t height, int kind) {
  return CopyAny({to, to_pitch, from, from_pitch, width, height}, kind, Own(), true);
}
KW_CUDA_API Error cudaMemcpy2DAsync(void* to, size_t to_pitch, const void* from, size_t from_pitch,
                                    size_t width, size_t height, int kind, Stream stream) {
  return CopyAny({to, to_pitch, from, from_pitch, width, height}, kind, StreamNumber(stream),
                 false);
}
KW_CUDA_API Error cudaMemcpy2DAsync_ptsz(void* to, size_t to_pitch, const void* from,
                                         size_t from_pitch, size_t width, size_t height, int kind,
                                         Stream stream) {
  return cudaMemcpy2DAsync(to, to_pitch, from, from_pitch, width, height, kind, PerThread(stream));
}

KW_CUDA_API Error cudaMemcpyToSymbol(const void* symbol, const void* from, size_t bytes,
                                     size_t offset, int kind) {
  return CopyToSymbol(symbol, from, bytes, offset, kind, Legacy(), true);
}
KW_CUDA_API Error cudaMemcpyToSymbol_ptds(const void* symbol, const void* from, size_t bytes,
                                          size_t offset, int kind) {
  return CopyToSymbol(symbol, from, bytes, offset, kind, Own(), true);
}
KW_CUDA_API Error cudaMemcpyToSymbolAsync(const void* symbol, const void* from, size_t bytes,
                                          size_t offset, int kind, Stream stream) {
  return CopyToSymbol(symbol, from, bytes, offset, kind, StreamNumber(stream), false);
}
KW_CUDA_API Error cudaMemcpyToSymbolAsync_ptsz(const void* symbol, const void* from, size_t bytes,
                                               size_t offset, int kind, Stream stream) {
  return cudaMemcpyToSymbolAsync(symbol, from, bytes, offset, kind, PerThread(stream));
}
KW_CUDA_API Error cudaMemcpyFromSymbol(void* to, const void* symbol, size_t bytes, size_t offset,
                                       int kind) {
  return CopyFromSymbol(to, symbol, bytes, offset, kind, Legacy());
}
KW_CUDA_API Error cudaMemcpyFromSymbol_ptds(void* to, const void* symbol, size_t bytes,
                                            size_t offset, int kind) {
  return CopyFromSymbol(to, symbol, bytes, offset, kind, Own());
}
KW_CUDA_API Error cudaMemcpyFromSymbolAsync(void* to, const void* symbol, size_t bytes,
                                            size_t offset, int kind, Stream stream) {
  return CopyFromSymbol(to, symbol, bytes, offset, kind, StreamNumber(stream));
}
KW_CUDA_API Error cudaMemcpyFromSymbolAsync_ptsz(void* to, const void* symbol, size_t bytes,
                                                 size_t offset, int kind, Stream stream) {
  return cudaMemcpyFromSymbolAsync(to, symbol, bytes, offset, kind, PerThread(stream));
}
KW_CUDA_API Error cudaGetSymbolAddress(void** pointer, const void* symbol) {
  uint64_t address = 0, bytes = 0;
  if (!pointer) return Remember(kCudaInvalidValue);
  if (!FindVariable(symbol, &address, &bytes)) return Remember(kCudaInvalidSymbol);
  *pointer = Pointer(address);
  return kCudaSuccess;
}
KW_CUDA_API Error cudaGetSymbolSize(size_t* size, const void* symbol) {
  uint64_t address = 0, bytes = 0;
  if (!size) return Remember(kCudaInvalidValue);
  if (!FindVariable(symbol, &address, &bytes)) return Remember(kCudaInvalidSymbol);
  *size = bytes;
  return kCudaSuccess;
}

KW_CUDA_API Error cudaMemset(void* to, int value, size_t bytes) {
  return Fill(to, bytes, value, bytes, 1, Legacy());
}
KW_CUDA_API Error cudaMemset_ptds(void* to, int value, size_t bytes) {
  return Fill(to, bytes, value, bytes, 1, Own());
}
KW_CUDA_API Error cudaMemsetAsync(void* to, int value, size_t bytes, Stream stream) {
  return Fill(to, bytes, value, bytes, 1, StreamNumber(stream));
}
KW_CUDA_API Error cudaMemsetAsync_ptsz(void* to, int value, size_t bytes, Stream stream) {
  return cudaMemsetAsync(to, value, bytes, PerThread(stream));
}
KW_CUDA_API Error cudaMemset2D(void* to, size_t pitch, int value, size_t width, size_t height) {
  return Fill(to, pitch, value, width, height, Legacy());
}
KW_CUDA_API Error cudaMemset2D_ptds(void* to, size_t pitch, int value, size_t width,
                                    size_t height) {
  return Fill(to, pitch, value, width, height, Own());
}
KW_CUDA_API Error cudaMemset2DAsync(void* to, size_t pitch, int value, size_t width, size_t height,
                                    Stream stream) {
  return Fill(to, pitch, value, width, height, StreamNumber(stream));
}
KW_CUDA_API Error cudaMemset2DAsync_ptsz(void* to, size_t pitch, int value, size_t width,
                                         size_t height, Stream stream) {
  return cudaMemset2DAsync(to, pitch, value, width, height, PerThread(stream));
}

KW_CUDA_API Error cudaMemGetInfo(size_t* free_bytes, size_t* total) {
  Answer answer = Ask(Op::kMemoryInfo);
  if (!answer.error && free_bytes) *free_bytes = answer.values[0];
  if (!answer.error && total) *total = answer.values[1];
  return Remember(answer);
}

KW_CUDA_API Error cudaPointerGetAttributes(PointerAttributes* attributes, const void* pointer) {
  if (!attributes) return Remember(kCudaInvalidValue);
  Answer answer = Ask(Op::kPointerInfo, Number(pointer));
  if (answer.error) return Remember(answer);
  memset(attributes, 0, sizeof *attributes);
  attributes->type = answer.values[0] == 1   ? kDevice
                     : answer.values[0] == 2 ? kHost
                                             : kUnregistered;
  attributes->device = answer.values[0] ? 0 : -2;
  auto* address = const_cast<void*>(pointer);
  if (answer.values[0] != 0) attributes->devicePointer = address;
  if (answer.values[0] != 1) attributes->hostPointer = address;
  if (IsManaged(pointer)) {
    attributes->type = kManaged;
    attributes->hostPointer = address;
  }
  return kCudaSuccess;
}

// One pool, the device's default: what candidates set on it (release threshold, reuse) does not
// change what they compute.
namespace {
char g_pool;
bool IsPool(MemPool pool) { return pool == &g_pool; }
}  // namespace

KW_CUDA_API Error cudaDeviceGetDefaultMemPool(MemPool* pool, int device) {
  if (!pool) return Remember(kCudaInvalidValue);
  if (device != 0) return Remember(kw::eval::kCudaInvalidDevice);
  *pool = &g_pool;
  return kCudaSuccess;
}
KW_CUDA_API Error cudaDeviceGetMemPool(MemPool* pool, int device) {
  return cudaDeviceGetDefaultMemPool(pool, device);
}
KW_CUDA_API Error cudaDeviceSetMemPool(int, MemPool pool) {
  return IsPool(pool) ? kCudaSuccess : Remember(kCudaInvalidValue);
}
KW_CUDA_API Error cudaMemPoolCreate(MemPool* pool, const void* properties) {
  if (!pool || !properties) return Remember(kCudaInvalidValue);
  *pool = &g_pool;
  return kCudaSuccess;
}
KW_CUDA_API Error cudaMemPoolDestroy(MemPool pool) {
  return IsPool(pool) ? kCudaSuccess : Remember(kCudaInvalidValue);
}
KW_CUDA_API Error cudaMemPoolTrimTo(MemPool pool, size_t) {
  return IsPool(pool) ? kCudaSuccess : Remember(kCudaInvalidValue);
}
KW_CUDA_API Error cudaMemPoolSetAttribute(MemPool pool, int attribute, void* value) {
  if (!IsPool(pool) || !value || attribute < 1 || attribute > 8) {
    return Remember(kCudaInvalidValue);
  }
  return kCudaSuccess;
}
KW_CUDA_API Error cudaMallocFromPoolAsync(void** pointer, size_t bytes, MemPool pool,
                                          Stream stream) {
  if (!IsPool(pool)) return Remember(kCudaInvalidValue);
  return cudaMallocAsync(pointer, bytes, stream);
}
KW_CUDA_API Error cudaMallocFromPoolAsync_ptsz(void** pointer, size_t bytes, MemPool pool,
                                               Stream stream) {
  return cudaMallocFromPoolAsync(pointer, bytes, pool, PerThread(stream));
}
KW_CUDA_API Error cudaMemPoolGetAttribute(MemPool pool, int attribute, void* value) {
  if (!IsPool(pool) || !value || attribute < 1 || attribute > 8) {
    return Remember(kCudaInvalidValue);
  }
  constexpr int kFirstOfEightBytes = 4;  // the release threshold, and sizes in use
  memset(value, 0, attribute < kFirstOfEightBytes ? sizeof(int) : sizeof(uint64_t));
  return kCudaSuccess;
}
KW_CUDA_API Error cudaMemPoolSetAccess(MemPool pool, const void* access, size_t) {
  return IsPool(pool) && access ? kCudaSuccess : Remember(kCudaInvalidValue);
}
