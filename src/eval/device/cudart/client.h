// The guest's end of the ring. Single-threaded, and free of the C++ library: this code lives in
// the candidate's process and must not bring a second allocator or its symbols with it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "cuda_errors.h"
#include "cudart/cuda_types.h"
#include "ring.h"

namespace kw::cudart {

using eval::ring::Op;

struct Answer {
  Error error = eval::kCudaInitializationError;
  uint64_t values[2] = {0, 0};
  const char* body = nullptr;  // in the ring: valid until the next call
  uint32_t body_bytes = 0;
};

// One call over the ring: values are the operation's arguments, body is copied. Nothing but
// kHello works before the ring is attached; then the answer is cudaErrorInitializationError.
Answer Call(Op op, const uint64_t* values, int count, const void* body = nullptr,
            size_t body_bytes = 0);

template <class... T>
Answer Ask(Op op, T... values) {
  const uint64_t list[sizeof...(values) + 1] = {static_cast<uint64_t>(values)...};
  return Call(op, list, sizeof...(values));
}
// A call that carries a body that the caller has put together in place (BodySpace).
Answer AskWithBody(Op op, const uint64_t* values, int count, size_t body_bytes);
char* BodySpace();

// Remembers an error for cudaGetLastError and returns it.
Error Remember(Error error);
inline Error Remember(const Answer& answer) { return Remember(answer.error); }
Error LastError();
Error TakeLastError();

// Facts of the device, asked once.
const eval::ring::DeviceFacts* Facts();

inline uint64_t Number(const void* pointer) { return reinterpret_cast<uint64_t>(pointer); }
inline void* Pointer(uint64_t number) { return reinterpret_cast<void*>(number); }
inline bool OnDevice(const void* pointer) { return eval::ring::IsDeviceAddress(Number(pointer)); }

// 0 is the legacy default stream, or the thread's own where nvcc was told so (_ptsz).
inline uint64_t StreamNumber(Stream stream) {
  return stream ? Number(stream) : eval::ring::kLegacyStream;
}
inline Stream PerThread(Stream stream) {
  return stream ? stream : Pointer(eval::ring::kPerThreadStream);
}

// A name the library does not have: the worker's verdict becomes UNSUPPORTED, naming it.
Error Unsupported(const char* name);

// Device address and size of a registered variable; false when there is none.
bool FindVariable(const void* symbol, uint64_t* address, uint64_t* bytes);

}  // namespace kw::cudart
