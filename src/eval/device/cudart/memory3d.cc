// Boxes of memory: copies and fills of one slice after the other.
#include <string.h>

#include "cudart/client.h"

using namespace kw::cudart;  // NOLINT: the interface below is C
namespace ring = kw::eval::ring;
using kw::eval::kCudaInvalidValue;
using kw::eval::kCudaSuccess;

KW_CUDA_API Error cudaMallocPitch(void** pointer, size_t* pitch, size_t width, size_t height);
KW_CUDA_API Error cudaMemcpy2D(void* to, size_t to_pitch, const void* from, size_t from_pitch,
                               size_t width, size_t height, int kind);
KW_CUDA_API Error cudaMemcpy2DAsync(void* to, size_t to_pitch, const void* from, size_t from_pitch,
                                    size_t width, size_t height, int kind, Stream stream);
KW_CUDA_API Error cudaMemset2DAsync(void* to, size_t pitch, int value, size_t width, size_t height,
                                    Stream stream);

namespace {

char* Corner(const PitchedPtr& memory, const size_t* at) {
  return static_cast<char*>(memory.ptr) + at[2] * memory.pitch * memory.ysize +
         at[1] * memory.pitch + at[0];
}

// copy(to, from) for each slice.
template <class CopySlice>
Error CopyBox(const Copy3D* box, CopySlice copy) {
  if (!box) return Remember(kCudaInvalidValue);
  if (box->srcArray || box->dstArray) return Unsupported("CUDA arrays");
  for (size_t z = 0; z < box->extent.depth; ++z) {
    const Error error =
        copy(Corner(box->dstPtr, box->dstPos) + z * box->dstPtr.pitch * box->dstPtr.ysize,
             Corner(box->srcPtr, box->srcPos) + z * box->srcPtr.pitch * box->srcPtr.ysize);
    if (error) return error;
  }
  return kCudaSuccess;
}

}  // namespace

KW_CUDA_API Error cudaMalloc3D(PitchedPtr* memory, Extent extent) {
  if (!memory) return Remember(kCudaInvalidValue);
  *memory = {nullptr, 0, extent.width, extent.height};
  return cudaMallocPitch(&memory->ptr, &memory->pitch, extent.width, extent.height * extent.depth);
}

KW_CUDA_API Error cudaMemcpy3D(const Copy3D* box) {
  return CopyBox(box, [box](char* to, const char* from) {
    return cudaMemcpy2D(to, box->dstPtr.pitch, from, box->srcPtr.pitch, box->extent.width,
                        box->extent.height, box->kind);
  });
}
KW_CUDA_API Error cudaMemcpy3DAsync(const Copy3D* box, Stream stream) {
  return CopyBox(box, [box, stream](char* to, const char* from) {
    return cudaMemcpy2DAsync(to, box->dstPtr.pitch, from, box->srcPtr.pitch, box->extent.width,
                             box->extent.height, box->kind, stream);
  });
}
KW_CUDA_API Error cudaMemcpy3D_ptds(const Copy3D* box) {
  const Error error = cudaMemcpy3DAsync(box, Pointer(ring::kPerThreadStream));
  return error ? error : Remember(Ask(Op::kStreamSynchronize, ring::kPerThreadStream));
}
KW_CUDA_API Error cudaMemcpy3DAsync_ptsz(const Copy3D* box, Stream stream) {
  return cudaMemcpy3DAsync(box, PerThread(stream));
}

KW_CUDA_API Error cudaMemset3DAsync(PitchedPtr memory, int value, Extent extent, Stream stream) {
  for (size_t z = 0; z < extent.depth; ++z) {
    char* slice = static_cast<char*>(memory.ptr) + z * memory.pitch * memory.ysize;
    const Error error =
        cudaMemset2DAsync(slice, memory.pitch, value, extent.width, extent.height, stream);
    if (error) return error;
  }
  return kCudaSuccess;
}
KW_CUDA_API Error cudaMemset3D(PitchedPtr memory, int value, Extent extent) {
  return cudaMemset3DAsync(memory, value, extent, nullptr);
}
KW_CUDA_API Error cudaMemset3D_ptds(PitchedPtr memory, int value, Extent extent) {
  return cudaMemset3DAsync(memory, value, extent, Pointer(ring::kPerThreadStream));
}
KW_CUDA_API Error cudaMemset3DAsync_ptsz(PitchedPtr memory, int value, Extent extent,
                                         Stream stream) {
  return cudaMemset3DAsync(memory, value, extent, PerThread(stream));
}
