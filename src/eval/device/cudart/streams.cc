#include <string.h>

#include "cudart/client.h"

using namespace kw::cudart;  // NOLINT: the interface below is C
using kw::eval::kCudaInvalidResourceHandle;
using kw::eval::kCudaInvalidValue;
using kw::eval::kCudaSuccess;

namespace {

constexpr unsigned kNonBlocking = 1, kEventNoTiming = 2;

Error CreateStream(Stream* stream, unsigned flags, int priority) {
  if (!stream || flags > kNonBlocking) return Remember(kCudaInvalidValue);
  Answer answer = Ask(Op::kStreamCreate, flags, static_cast<int64_t>(priority));
  if (!answer.error) *stream = Pointer(answer.values[0]);
  return Remember(answer);
}

Error CreateEvent(Event* event, unsigned flags) {
  if (!event) return Remember(kCudaInvalidValue);
  Answer answer = Ask(Op::kEventCreate, (flags & kEventNoTiming) == 0);
  if (!answer.error) *event = Pointer(answer.values[0]);
  return Remember(answer);
}

}  // namespace

KW_CUDA_API Error cudaStreamCreate(Stream* stream) { return CreateStream(stream, 0, 0); }
KW_CUDA_API Error cudaStreamCreateWithFlags(Stream* stream, unsigned flags) {
  return CreateStream(stream, flags, 0);
}
KW_CUDA_API Error cudaStreamCreateWithPriority(Stream* stream, unsigned flags, int priority) {
  return CreateStream(stream, flags, priority);
}
KW_CUDA_API Error cudaStreamDestroy(Stream stream) {
  return Remember(Ask(Op::kStreamDestroy, StreamNumber(stream)));
}
KW_CUDA_API Error cudaStreamSynchronize(Stream stream) {
  return Remember(Ask(Op::kStreamSynchronize, StreamNumber(stream)));
}
KW_CUDA_API Error cudaStreamSynchronize_ptsz(Stream stream) {
  return cudaStreamSynchronize(PerThread(stream));
}
// Asking whether work is done lets the device get it done: a loop that polls comes to its end.
KW_CUDA_API Error cudaStreamQuery(Stream stream) { return cudaStreamSynchronize(stream); }
KW_CUDA_API Error cudaStreamQuery_ptsz(Stream stream) {
  return cudaStreamSynchronize(PerThread(stream));
}
KW_CUDA_API Error cudaStreamWaitEvent(Stream stream, Event event, unsigned) {
  return Remember(Ask(Op::kStreamWaitEvent, StreamNumber(stream), Number(event)));
}
KW_CUDA_API Error cudaStreamWaitEvent_ptsz(Stream stream, Event event, unsigned flags) {
  return cudaStreamWaitEvent(PerThread(stream), event, flags);
}
KW_CUDA_API Error cudaStreamGetFlags(Stream stream, unsigned* flags) {
  Answer answer = Ask(Op::kStreamInfo, StreamNumber(stream));
  if (!flags) return Remember(kCudaInvalidValue);
  if (!answer.error) *flags = static_cast<unsigned>(answer.values[0]);
  return Remember(answer);
}
KW_CUDA_API Error cudaStreamGetFlags_ptsz(Stream stream, unsigned* flags) {
  return cudaStreamGetFlags(PerThread(stream), flags);
}
KW_CUDA_API Error cudaStreamGetPriority(Stream stream, int* priority) {
  Answer answer = Ask(Op::kStreamInfo, StreamNumber(stream));
  if (!priority) return Remember(kCudaInvalidValue);
  if (!answer.error) *priority = static_cast<int>(answer.values[1]);
  return Remember(answer);
}
KW_CUDA_API Error cudaStreamGetPriority_ptsz(Stream stream, int* priority) {
  return cudaStreamGetPriority(PerThread(stream), priority);
}
KW_CUDA_API Error cudaStreamGetDevice(Stream stream, int* device) {
  Answer answer = Ask(Op::kStreamInfo, StreamNumber(stream));
  if (!device) return Remember(kCudaInvalidValue);
  if (!answer.error) *device = 0;
  return Remember(answer);
}
KW_CUDA_API Error cudaStreamGetDevice_ptsz(Stream stream, int* device) {
  return cudaStreamGetDevice(PerThread(stream), device);
}
KW_CUDA_API Error cudaStreamGetId(Stream stream, unsigned long long* id) {
  Answer answer = Ask(Op::kStreamInfo, StreamNumber(stream));
  if (!id) return Remember(kCudaInvalidValue);
  if (!answer.error) *id = StreamNumber(stream);
  return Remember(answer);
}
KW_CUDA_API Error cudaStreamGetId_ptsz(Stream stream, unsigned long long* id) {
  return cudaStreamGetId(PerThread(stream), id);
}
KW_CUDA_API Error cudaStreamIsCapturing(Stream, int* status) {
  if (!status) return Remember(kCudaInvalidValue);
  *status = 0;
  return kCudaSuccess;
}
KW_CUDA_API Error cudaStreamIsCapturing_ptsz(Stream stream, int* status) {
  return cudaStreamIsCapturing(stream, status);
}
// Hints (access policy, priority): they change no result.
KW_CUDA_API Error cudaStreamSetAttribute(Stream, int, const void* value) {
  return value ? kCudaSuccess : Remember(kCudaInvalidValue);
}
KW_CUDA_API Error cudaStreamSetAttribute_ptsz(Stream stream, int attribute, const void* value) {
  return cudaStreamSetAttribute(stream, attribute, value);
}

KW_CUDA_API Error cudaStreamGetAttribute(Stream, int, void* value) {
  constexpr size_t kValueBytes = 64;  // cudaLaunchAttributeValue
  if (!value) return Remember(kCudaInvalidValue);
  memset(value, 0, kValueBytes);
  return kCudaSuccess;
}
KW_CUDA_API Error cudaStreamGetAttribute_ptsz(Stream stream, int attribute, void* value) {
  return cudaStreamGetAttribute(stream, attribute, value);
}
KW_CUDA_API Error cudaStreamCopyAttributes(Stream, Stream) { return kCudaSuccess; }
KW_CUDA_API Error cudaStreamCopyAttributes_ptsz(Stream, Stream) { return kCudaSuccess; }

// The stream's earlier work is done first, then the function runs at once: one of the orders that
// a GPU may choose.
KW_CUDA_API Error cudaLaunchHostFunc(Stream stream, void (*function)(void*), void* data) {
  if (!function) return Remember(kCudaInvalidValue);
  Error error = cudaStreamSynchronize(stream);
  if (!error) function(data);
  return error;
}
KW_CUDA_API Error cudaLaunchHostFunc_ptsz(Stream stream, void (*function)(void*), void* data) {
  return cudaLaunchHostFunc(PerThread(stream), function, data);
}
KW_CUDA_API Error cudaStreamAddCallback(Stream stream, void (*callback)(Stream, Error, void*),
                                        void* data, unsigned) {
  if (!callback) return Remember(kCudaInvalidValue);
  Error error = cudaStreamSynchronize(stream);
  callback(stream, error, data);
  return error;
}
KW_CUDA_API Error cudaStreamAddCallback_ptsz(Stream stream, void (*callback)(Stream, Error, void*),
                                             void* data, unsigned flags) {
  return cudaStreamAddCallback(PerThread(stream), callback, data, flags);
}

KW_CUDA_API Error cudaEventCreate(Event* event) { return CreateEvent(event, 0); }
KW_CUDA_API Error cudaEventCreateWithFlags(Event* event, unsigned flags) {
  return CreateEvent(event, flags);
}
KW_CUDA_API Error cudaEventDestroy(Event event) {
  return Remember(Ask(Op::kEventDestroy, Number(event)));
}
KW_CUDA_API Error cudaEventRecord(Event event, Stream stream) {
  return Remember(Ask(Op::kEventRecord, Number(event), StreamNumber(stream)));
}
KW_CUDA_API Error cudaEventRecord_ptsz(Event event, Stream stream) {
  return cudaEventRecord(event, PerThread(stream));
}
KW_CUDA_API Error cudaEventRecordWithFlags(Event event, Stream stream, unsigned) {
  return cudaEventRecord(event, stream);
}
KW_CUDA_API Error cudaEventRecordWithFlags_ptsz(Event event, Stream stream, unsigned) {
  return cudaEventRecord(event, PerThread(stream));
}
KW_CUDA_API Error cudaEventSynchronize(Event event) {
  return Remember(Ask(Op::kEventSynchronize, Number(event)));
}
KW_CUDA_API Error cudaEventQuery(Event event) { return cudaEventSynchronize(event); }
KW_CUDA_API Error cudaEventElapsedTime(float* milliseconds, Event start, Event end) {
  if (!milliseconds) return Remember(kCudaInvalidValue);
  Answer answer = Ask(Op::kEventElapsed, Number(start), Number(end));
  if (!answer.error) {
    uint32_t bits = static_cast<uint32_t>(answer.values[0]);
    memcpy(milliseconds, &bits, sizeof bits);
  }
  return Remember(answer);
}
