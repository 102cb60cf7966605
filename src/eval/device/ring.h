// The ring: what the guest's CUDA runtime library and the emulator device say to each other.
//
// One memory file of kRingBytes, mapped by both and sealed against resizing. The guest is
// single-threaded, so there is one request at a time:
//
//   guest     writes Request and body, adds 1 to request_seq, writes 8 bytes to the doorbell
//             (an eventfd), waits on the futex reply_seq until it equals request_seq
//   emulator  polls the doorbell; copies Request and body ONCE into memory of its own; validates
//             the copy; does it; writes Reply and body; reply_seq = request_seq; wakes the futex
//
// Nothing that the guest writes is read twice, and no field is trusted. docs/formats/
// guest-protocol.md describes each operation. This header is used by the runtime library, which
// links no C++ library: plain data only.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace kw::eval::ring {

// Descriptors in the guest, and in the emulator device.
inline constexpr int kGuestRingFd = 3, kGuestDoorbellFd = 4, kGuestControlFd = 5,
                     kGuestObjectFd = 6, kGuestLibraryFd = 7, kGuestOutFd = 8,
                     kGuestErrFd = 9;  // 8, 9: of programs
inline constexpr int kEmulatorChannelFd = 3, kEmulatorRingFd = 4, kEmulatorDoorbellFd = 5,
                     kEmulatorObjectFd = 6, kEmulatorExchangeFd = 7;

inline constexpr uint64_t kMagic = 0x676e69722d77726bULL;  // "krw-ring"
inline constexpr uint32_t kVersion = 1;
inline constexpr uint64_t kBodyOffset = 4096;
inline constexpr uint64_t kBodyBytes = 1 << 20;
inline constexpr uint64_t kRingBytes = kBodyOffset + kBodyBytes;

// Where the emulator's device memory lies; the guest keeps it reserved without access.
inline constexpr uint64_t kDeviceBase = 1ULL << 45;
inline constexpr uint64_t kDeviceBytes = 1ULL << 44;
inline constexpr bool IsDeviceAddress(uint64_t address) {
  return address >= kDeviceBase && address < kDeviceBase + kDeviceBytes;
}

// Stream handles with a meaning of their own, as in CUDA.
inline constexpr uint64_t kLegacyStream = 1, kPerThreadStream = 2, kFirstStream = 0x100;

inline constexpr uint64_t kMaxName = 4096;           // of a kernel or variable
inline constexpr uint64_t kMaxKernelParams = 32764;  // bytes

enum class Op : uint32_t {
  kHello = 1,   // -> body DeviceFacts
  kFindKernel,  // body name -> [0] kernel, body KernelFacts, then KernelParam each
  kFindSymbol,  // body name -> [0] address, [1] bytes
  kAllocate,    // [0] bytes, [1] stream or 0, [2] call site, [3] Memory -> [0] address
  kFree,        // [0] address
  kFreeAsync,   // [0] address, [1] stream
  kCopyIn,      // [0] to, [1] pitch, [2] width, [3] rows, [4] stream, [5] wait; body
  kCopyOut,     // [0] from, [1] pitch, [2] width, [3] rows, [4] stream -> body
  kCopyDevice,  // [0] to, [1] pitch, [2] from, [3] pitch, [4] width, [5] rows, [6] stream
  kFill,        // [0] to, [1] pitch, [2] width, [3] rows, [4] value, [5] stream
  kLaunch,      // [0] kernel, [1] grid x,y [2] grid z, block x [3] block y,z (low, high
                // halves), [4] dynamic shared, [5] stream, [6] LaunchFlags; body parameters
  kSetMaxDynamicShared,  // [0] kernel, [1] bytes
  kOccupancy,            // [0] kernel, [1] block threads, [2] dynamic shared -> [0] blocks per SM
  kStreamCreate,         // [0] non-blocking, [1] priority (two's complement) -> [0] stream
  kStreamDestroy,        // [0] stream
  kStreamSynchronize,    // [0] stream
  kStreamInfo,           // [0] stream -> [0] non-blocking, [1] priority
  kStreamWaitEvent,      // [0] stream, [1] event
  kDeviceSynchronize,
  kEventCreate,       // [0] timing -> [0] event
  kEventDestroy,      // [0] event
  kEventRecord,       // [0] event, [1] stream
  kEventSynchronize,  // [0] event
  kEventElapsed,      // [0] start, [1] end -> [0] bits of a float, milliseconds
  kMemoryInfo,        // -> [0] free, [1] total
  kPointerInfo,       // [0] address -> [0] 1: device memory, 2: pinned, 0: neither; [1] start
  kPinned,            // [0] address, [1] bytes; 0 bytes: no longer pinned
  kUnsupported,       // body: name of what the runtime library does not have
  // Of programs only: a call of the runtime failed; somebody asked for the error.
  kCallFailed,     // [0] cudaError_t, [1] call site; body: the function's name
  kErrorLookedAt,  // [0] cudaError_t
  kBlas,           // [0] stream; body BlasBody (blas_message.h) -> [0] cublasStatus_t, [1] bits of
                   // a double: the result that goes to the host
};
inline constexpr uint32_t kOpCount = static_cast<uint32_t>(Op::kBlas);

// What an allocation is called in reports.
enum class Memory : uint64_t { kDevice, kManaged, kMapped };

enum LaunchFlags : uint64_t { kCooperative = 1 };

struct Request {
  uint32_t op;
  uint32_t body_bytes;
  uint64_t values[7];
};

struct Reply {
  int32_t error;   // cudaError_t
  int32_t sticky;  // cudaError_t that every later call returns, or 0
  uint32_t body_bytes;
  uint32_t unused;
  uint64_t values[2];
};

struct Header {
  uint64_t magic;
  uint32_t version;
  uint32_t unused;
  alignas(64) std::atomic<uint32_t> request_seq;
  Request request;
  alignas(64) std::atomic<uint32_t> reply_seq;
  Reply reply;
  // The guest's last words: signal and address of a crash. A hint for the author's message.
  alignas(64) uint64_t crash_address;
  uint32_t crash_signal;
};
static_assert(sizeof(Header) <= kBodyOffset);
static_assert(std::atomic<uint32_t>::is_always_lock_free);

struct DeviceFacts {
  char name[256];
  int32_t sm, sm_count, clock_khz;
  int32_t max_threads_per_block, max_threads_per_sm, max_blocks_per_sm, registers_per_sm;
  int32_t shared_per_block, shared_per_block_optin, shared_per_sm;
  uint64_t memory_bytes, l2_bytes;
  uint64_t program;  // 1: a whole program runs, not a candidate
};

struct KernelFacts {
  uint32_t parameter_bytes, parameter_count;
  uint32_t static_shared, local_bytes, max_threads, max_dynamic_shared;
  uint32_t registers;  // a thread; 0: not known
};
struct KernelParam {
  uint32_t offset, bytes;
};

}  // namespace kw::eval::ring
