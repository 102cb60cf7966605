#include "channel.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "kw/base/clock.h"

namespace kw::eval {
namespace {

constexpr uint32_t kMaxFrame = 256u << 20;

struct FrameHeader {
  uint32_t type, bytes;
};

std::string Reason() { return std::strerror(errno); }

}  // namespace

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  if (this != &other) {
    Close();
    fd_ = other.fd_;
    other.fd_ = -1;
  }
  return *this;
}

void Descriptor::Close() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

Result<void> Channel::Send(Message type, std::string_view payload) {
  FrameHeader header{static_cast<uint32_t>(type), static_cast<uint32_t>(payload.size())};
  std::string bytes(reinterpret_cast<const char*>(&header), sizeof header);
  bytes.append(payload);
  std::string_view rest = bytes;
  while (!rest.empty()) {
    ssize_t sent = send(fd(), rest.data(), rest.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return Fail(ErrorCode::kIo, "device channel: " + Reason());
    rest.remove_prefix(static_cast<size_t>(sent));
  }
  return {};
}

bool Channel::Readable(int timeout_ms) const {
  pollfd waiting{fd(), POLLIN, 0};
  return poll(&waiting, 1, timeout_ms) > 0;
}

Result<std::optional<Frame>> Channel::Receive(int64_t deadline_us) {
  FrameHeader header{};
  std::string payload;
  size_t have = 0, want = sizeof header;
  bool in_payload = false;
  for (;;) {
    if (have == want) {
      if (in_payload) break;
      if (header.bytes > kMaxFrame) {
        return Fail(ErrorCode::kInternal,
                    fmt::format("device channel: a frame of {} bytes", header.bytes));
      }
      payload.resize(header.bytes);
      have = 0;
      want = header.bytes;
      in_payload = true;
      continue;
    }
    int64_t left_us = deadline_us - SystemClock().MonotonicMicros();
    if (left_us <= 0) return Fail(ErrorCode::kTimeout, "device channel: no answer in time");
    pollfd waiting{fd(), POLLIN, 0};
    int left_ms = static_cast<int>(std::min<int64_t>(left_us / 1000 + 1, 60'000));
    if (poll(&waiting, 1, left_ms) <= 0) continue;
    char* to = in_payload ? payload.data() : reinterpret_cast<char*>(&header);
    ssize_t got = recv(fd(), to + have, want - have, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno != ECONNRESET) return Fail(ErrorCode::kIo, "device channel: " + Reason());
    if (got <= 0) return std::optional<Frame>();
    have += static_cast<size_t>(got);
  }
  return Frame{static_cast<Message>(header.type), std::move(payload)};
}

Result<void> SendPacket(int fd, Message type, std::string_view payload) {
  auto number = static_cast<uint32_t>(type);
  std::string bytes(reinterpret_cast<const char*>(&number), sizeof number);
  bytes.append(payload);
  if (bytes.size() > kMaxPacket) return Fail(ErrorCode::kLimit, "a control packet is too large");
  for (;;) {
    ssize_t sent = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0) return {};
    if (errno != EINTR) return Fail(ErrorCode::kIo, "control socket: " + Reason());
  }
}

Result<std::optional<Frame>> ReceivePacket(int fd) {
  std::string bytes(kMaxPacket, '\0');
  ssize_t got = 0;
  do {
    got = recv(fd, bytes.data(), bytes.size(), 0);
  } while (got < 0 && errno == EINTR);
  if (got < 0 && errno != ECONNRESET) return Fail(ErrorCode::kIo, "control socket: " + Reason());
  if (got <= 0) return std::optional<Frame>();
  uint32_t type = 0;
  if (static_cast<size_t>(got) < sizeof type) {
    return Fail(ErrorCode::kInternal, "control socket: a packet without a type");
  }
  std::memcpy(&type, bytes.data(), sizeof type);
  return Frame{static_cast<Message>(type),
               bytes.substr(sizeof type, static_cast<size_t>(got) - sizeof type)};
}

}  // namespace kw::eval
