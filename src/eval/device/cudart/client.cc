#include "cudart/client.h"

#include <linux/futex.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cudart/managed.h"
#include "cudart/trace.h"

namespace kw::cudart {

namespace ring = eval::ring;

namespace {

ring::Header* g_ring = nullptr;
Error g_last_error = 0;
Error g_sticky = 0;
ring::DeviceFacts g_facts;
bool g_have_facts = false;

// The harness gives the ring as a fixed descriptor; without it this library has no device.
__attribute__((constructor)) void Attach() {
  struct stat status;
  if (fstat(ring::kGuestRingFd, &status) != 0) return;
  if (static_cast<uint64_t>(status.st_size) != ring::kRingBytes) return;
  void* map =
      mmap(nullptr, ring::kRingBytes, PROT_READ | PROT_WRITE, MAP_SHARED, ring::kGuestRingFd, 0);
  if (map == MAP_FAILED) return;
  auto* header = static_cast<ring::Header*>(map);
  if (header->magic != ring::kMagic || header->version != ring::kVersion) {
    munmap(map, ring::kRingBytes);
    return;
  }
  g_ring = header;
}

void WaitForReply(uint32_t sequence) {
  for (;;) {
    uint32_t seen = g_ring->reply_seq.load(std::memory_order_acquire);
    if (seen == sequence) return;
    syscall(SYS_futex, reinterpret_cast<uint32_t*>(&g_ring->reply_seq), FUTEX_WAIT, seen, nullptr,
            nullptr, 0);
  }
}

}  // namespace

namespace {

// What the device's answer waits for.
bool RunsWork(Op op) {
  return op == Op::kStreamSynchronize || op == Op::kEventSynchronize ||
         op == Op::kDeviceSynchronize || op == Op::kFree;
}

Answer Exchange(Op op, const uint64_t* values, int count, size_t body_bytes) {
  Answer answer;
  ring::Request& request = g_ring->request;
  request.op = static_cast<uint32_t>(op);
  request.body_bytes = static_cast<uint32_t>(body_bytes);
  for (int i = 0; i < 7; ++i) request.values[i] = i < count ? values[i] : 0;
  uint32_t sequence = g_ring->request_seq.fetch_add(1, std::memory_order_release) + 1;
  const uint64_t one = 1;
  if (write(ring::kGuestDoorbellFd, &one, sizeof one) != sizeof one) return answer;
  WaitForReply(sequence);
  const ring::Reply& reply = g_ring->reply;
  answer.error = reply.error;
  answer.values[0] = reply.values[0];
  answer.values[1] = reply.values[1];
  answer.body = BodySpace();
  answer.body_bytes = reply.body_bytes;
  if (reply.sticky) g_sticky = reply.sticky;
  return answer;
}

}  // namespace

char* BodySpace() { return reinterpret_cast<char*>(g_ring) + ring::kBodyOffset; }

Answer AskWithBody(Op op, const uint64_t* values, int count, size_t body_bytes) {
  Answer answer;
  if (!g_ring) return answer;
  if (body_bytes > ring::kBodyBytes) {
    answer.error = eval::kCudaInvalidValue;
    return answer;
  }
  if (op == Op::kLaunch || op == Op::kFill || op == Op::kCopyDevice || op == Op::kBlas) {
    NoteDeviceWork();
  }
  if (!RunsWork(op)) return Exchange(op, values, count, body_bytes);
  const Meeting meeting;  // no body, which it would overwrite
  return Exchange(op, values, count, body_bytes);
}

Answer Call(Op op, const uint64_t* values, int count, const void* body, size_t body_bytes) {
  if (g_ring && body_bytes > 0 && body_bytes <= ring::kBodyBytes) {
    memcpy(BodySpace(), body, body_bytes);
  }
  return AskWithBody(op, values, count, body_bytes);
}

Error Remember(Error error) {
  if (error == eval::kCudaSuccess) return error;
  g_last_error = error;
  NoteFailure(error);
  return error;
}
Error LastError() { return g_sticky ? g_sticky : g_last_error; }
Error TakeLastError() {
  Error error = LastError();
  g_last_error = 0;
  return error;
}

const ring::DeviceFacts* Facts() {
  if (!g_have_facts) {
    Answer answer = Ask(Op::kHello);
    if (answer.error || answer.body_bytes != sizeof g_facts) return nullptr;
    memcpy(&g_facts, answer.body, sizeof g_facts);
    g_have_facts = true;
  }
  return &g_facts;
}

Error Unsupported(const char* name) {
  Call(Op::kUnsupported, nullptr, 0, name, strlen(name));
  return Remember(eval::kCudaNotSupported);
}

}  // namespace kw::cudart

// For the libraries that stand on this one (cublas/): [0] is the operation's first value.
KW_CUDA_API int __cudaLibraryCall(uint32_t op, uint64_t value, const void* body, size_t body_bytes,
                                  uint64_t answers[2]) {
  const kw::cudart::Answer answer =
      kw::cudart::Call(static_cast<kw::cudart::Op>(op), &value, 1, body, body_bytes);
  answers[0] = answer.values[0];
  answers[1] = answer.values[1];
  return answer.error;
}
