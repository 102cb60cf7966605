// kwright-emulator: the emulator device of one candidate. The worker starts it with a channel,
// the ring, its doorbell, the object and the exchange as fixed descriptors (ring.h).
#include <linux/futex.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <climits>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string>

#include "cage.h"
#include "channel.h"
#include "device_service.h"
#include "kw/base/process.h"
#include "messages.h"
#include "ring.h"

namespace kw::eval {
namespace {

constexpr int64_t kForEver = INT64_MAX;

// A mapping of a whole memory file that follows its growth.
class Mapped {
 public:
  explicit Mapped(int fd) : fd_(fd) {}
  Mapped(const Mapped&) = delete;
  ~Mapped() { Unmap(); }
  // At least `bytes` of it; false when the file is smaller.
  bool Need(uint64_t bytes) {
    struct stat status;
    if (fstat(fd_, &status) != 0 || static_cast<uint64_t>(status.st_size) < bytes) return false;
    if (bytes <= bytes_) return true;
    Unmap();
    void* map = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd_, 0);
    if (map == MAP_FAILED) return false;
    data_ = static_cast<char*>(map);
    bytes_ = bytes;
    return true;
  }
  char* data() const { return data_; }
  std::string_view view() const { return {data_, bytes_}; }

 private:
  void Unmap() {
    if (data_) munmap(data_, bytes_);
    data_ = nullptr;
    bytes_ = 0;
  }
  int fd_;
  char* data_ = nullptr;
  uint64_t bytes_ = 0;
};

class Server {
 public:
  Server()
      : channel_(Descriptor(ring::kEmulatorChannelFd)),
        ring_map_(ring::kEmulatorRingFd),
        exchange_(ring::kEmulatorExchangeFd) {}

  int Run() {
    if (!ring_map_.Need(ring::kRingBytes)) return Complain("the ring is not there");
    ring_ = reinterpret_cast<ring::Header*>(ring_map_.data());
    for (;;) {
      pollfd waiting[] = {{channel_.fd(), POLLIN, 0}, {ring::kEmulatorDoorbellFd, POLLIN, 0}};
      if (poll(waiting, serving_ ? 2 : 1, -1) < 0) continue;
      if (waiting[0].revents != 0) {
        auto frame = channel_.Receive(kForEver);
        if (!frame) return Complain(frame.error().ToString());
        if (!*frame) return 0;
        auto handled = Handle(**frame);
        if (!handled) return Complain(handled.error().ToString());
      } else if (serving_ && waiting[1].revents != 0) {
        ServeRing();
      }
    }
  }

 private:
  static int Complain(const std::string& text) {
    std::fprintf(stderr, "kwright-emulator: %s\n", text.c_str());
    return 1;
  }

  Result<void> Handle(const Frame& frame) {
    auto nonsense = [] { return Fail(ErrorCode::kInternal, "the worker sent a broken message"); };
    switch (frame.type) {
      case Message::kOpen: {
        auto open = DecodeOpen(frame.payload);
        if (!open || service_) return nonsense();
        service_.emplace(*std::move(open));
        LoadedMessage loaded = LoadObject();
        serving_ = loaded.ok;
        return channel_.Send(Message::kReady, Encode(loaded));
      }
      case Message::kBegin: {
        auto begin = DecodeBegin(frame.payload);
        if (!begin || !service_ || !exchange_.Need(begin->exchange_bytes)) return nonsense();
        BeganMessage began = service_->Begin(*begin, exchange_.view());
        serving_ = began.ok;
        told_stopped_ = false;
        return channel_.Send(Message::kBegan, Encode(began));
      }
      case Message::kEnd: {
        auto end = DecodeEnd(frame.payload);
        if (!end || !service_) return nonsense();
        serving_ = false;
        CallOutcome outcome = service_->End(*end, exchange_.data());
        return channel_.Send(Message::kEnded, EncodeOutcome(outcome));
      }
      default:
        return nonsense();
    }
  }

  LoadedMessage LoadObject() {
    struct stat status;
    std::string object;
    if (fstat(ring::kEmulatorObjectFd, &status) == 0) {
      object.resize(static_cast<size_t>(status.st_size));
    }
    ssize_t got = pread(ring::kEmulatorObjectFd, object.data(), object.size(), 0);
    if (object.empty() || got != static_cast<ssize_t>(object.size())) {
      return {false, false, "the object could not be read"};
    }
    return service_->LoadObject(object);
  }

  void ServeRing() {
    uint64_t rings = 0;
    if (read(ring::kEmulatorDoorbellFd, &rings, sizeof rings) != sizeof rings) return;
    uint32_t sequence = ring_->request_seq.load(std::memory_order_acquire);
    if (sequence == served_) return;
    // The one look at what the guest wrote: it may change it at any time.
    ring::Request request;
    std::memcpy(&request, const_cast<const ring::Request*>(&ring_->request), sizeof request);
    std::string body;
    if (request.body_bytes <= ring::kBodyBytes) {
      body.assign(ring_map_.data() + ring::kBodyOffset, request.body_bytes);
    }
    ServiceReply answer = service_->Serve(request, body);
    served_ = sequence;
    // The worker ends the guest, which waits for its answer until then: how far it would still come
    // is nobody's business, and differs from run to run.
    if (service_->stopped()) return TellStopped();
    ring::Reply reply{answer.error,
                      answer.sticky,
                      static_cast<uint32_t>(answer.body.size()),
                      0,
                      {answer.values[0], answer.values[1]}};
    std::memcpy(ring_map_.data() + ring::kBodyOffset, answer.body.data(), answer.body.size());
    std::memcpy(&ring_->reply, &reply, sizeof reply);
    ring_->reply_seq.store(sequence, std::memory_order_release);
    syscall(SYS_futex, reinterpret_cast<uint32_t*>(&ring_->reply_seq), FUTEX_WAKE, INT_MAX, nullptr,
            nullptr, 0);
  }

  void TellStopped() {
    if (told_stopped_) return;
    told_stopped_ = true;
    // The worker that is gone is noticed at the next poll.
    (void)channel_.Send(Message::kStopped, "");
  }

  Channel channel_;
  Mapped ring_map_, exchange_;
  ring::Header* ring_ = nullptr;
  std::optional<DeviceService> service_;
  bool serving_ = false, told_stopped_ = false;
  uint32_t served_ = 0;
};

}  // namespace
}  // namespace kw::eval

int main() {
  kw::IgnoreBrokenPipes();
  const char* hole = kw::eval::CageEmulator();
  if (!hole) hole = kw::eval::ForbidSystemCalls(kw::eval::Calls::kComputing);
  if (hole) {
    std::fprintf(stderr, "kwright-emulator: cannot confine itself: %s\n", hole);
    return 1;
  }
  return kw::eval::Server().Run();
}
