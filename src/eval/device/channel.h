// Frames {uint32 type, uint32 bytes, payload} on a stream socket between the worker and the
// emulator device.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "kw/base/error.h"
#include "messages.h"

namespace kw::eval {

struct Frame {
  Message type;
  std::string payload;
};

// Owns a descriptor; -1 owns none.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  Descriptor& operator=(Descriptor&& other) noexcept;
  ~Descriptor() { Close(); }
  void Close();
  int get() const { return fd_; }

 private:
  int fd_ = -1;
};

class Channel {
 public:
  explicit Channel(Descriptor socket) : socket_(std::move(socket)) {}
  int fd() const { return socket_.get(); }

  // kIo when the other side is gone.
  [[nodiscard]] Result<void> Send(Message type, std::string_view payload);
  // Whether something came, or the other side closed, within this time.
  [[nodiscard]] bool Readable(int timeout_ms) const;
  // One whole frame; nothing when the other side has closed. kTimeout after the deadline, which
  // is a time of SystemClock().MonotonicMicros(); kInternal for a frame that cannot be.
  [[nodiscard]] Result<std::optional<Frame>> Receive(int64_t deadline_us);

 private:
  Descriptor socket_;
};

// A packet on a SOCK_SEQPACKET socket: {uint32 type, payload}, at most kMaxPacket bytes.
inline constexpr size_t kMaxPacket = 64 << 10;
[[nodiscard]] Result<void> SendPacket(int fd, Message type, std::string_view payload);
// Reads the packet that poll() announced; nothing at the end.
[[nodiscard]] Result<std::optional<Frame>> ReceivePacket(int fd);

}  // namespace kw::eval
