#include "reference_wire.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "kw/base/clock.h"

namespace kw::eval {
namespace {

constexpr uint32_t kMaxArguments = 256;
constexpr int kLookEveryMs = 20;

template <class T>
void Put(T value, std::string& out) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

class Cursor {
 public:
  explicit Cursor(std::string_view bytes) : bytes_(bytes) {}
  template <class T>
  bool Take(T& value) {
    if (bytes_.size() < sizeof value) return false;
    std::memcpy(&value, bytes_.data(), sizeof value);
    bytes_.remove_prefix(sizeof value);
    return true;
  }
  bool TakeBytes(uint64_t count, std::string& out) {
    if (bytes_.size() < count) return false;
    out.assign(bytes_.substr(0, count));
    bytes_.remove_prefix(count);
    return true;
  }
  bool empty() const { return bytes_.empty(); }

 private:
  std::string_view bytes_;
};

bool TakeArgument(Cursor& cursor, ReferenceArgument& argument) {
  using Kind = ReferenceArgument::Kind;
  uint8_t kind = 0;
  uint32_t name_length = 0;
  if (!cursor.Take(kind) || kind > static_cast<uint8_t>(Kind::kOutputIntegers)) return false;
  argument.kind = static_cast<Kind>(kind);
  if (!cursor.Take(name_length) || !cursor.TakeBytes(name_length, argument.name)) return false;
  if (!cursor.Take(argument.count)) return false;
  if (argument.kind == Kind::kReal) return cursor.Take(argument.real);
  if (!argument.is_input() && !argument.is_output()) return cursor.Take(argument.integer);
  if (argument.is_output()) return argument.count <= UINT64_MAX / 8;
  return argument.count <= UINT64_MAX / 8 && cursor.TakeBytes(argument.count * 8, argument.bytes);
}

// Waits until `fd` is ready for `events`.
Result<void> WaitFor(int fd, short events, const Patience& patience) {
  while (true) {
    int wait_ms = -1;
    if (patience.deadline_us > 0) {
      const int64_t left_us = patience.deadline_us - SystemClock().MonotonicMicros();
      if (left_us <= 0) return Fail(ErrorCode::kTimeout, "the reference took too long");
      wait_ms = static_cast<int>(std::min<int64_t>(left_us / 1000 + 1, 60'000));
    }
    if (patience.look) {
      KW_TRY(patience.look());
      wait_ms = kLookEveryMs;
    }
    pollfd polled{fd, events, 0};
    const int ready = poll(&polled, 1, wait_ms);
    if (ready > 0) return {};
    if (ready < 0 && errno != EINTR) {
      return Fail(ErrorCode::kIo, std::string("poll: ") + std::strerror(errno));
    }
  }
}

Result<void> ReadExactly(int fd, char* to, uint64_t bytes, const Patience& patience) {
  while (bytes > 0) {
    KW_TRY(WaitFor(fd, POLLIN, patience));
    const ssize_t got = read(fd, to, std::min<uint64_t>(bytes, 1 << 20));
    if (got == 0) return Fail(ErrorCode::kNotFound, "end of input");
    if (got < 0 && errno != EINTR && errno != EAGAIN) {
      return Fail(ErrorCode::kIo, std::string("read: ") + std::strerror(errno));
    }
    if (got > 0) {
      to += got;
      bytes -= static_cast<uint64_t>(got);
    }
  }
  return {};
}

Result<void> WriteExactly(int fd, std::string_view bytes, const Patience& patience) {
  while (!bytes.empty()) {
    KW_TRY(WaitFor(fd, POLLOUT, patience));
    // A pipe that is ready takes at least this much without blocking.
    const ssize_t put = write(fd, bytes.data(), std::min<size_t>(bytes.size(), 4096));
    if (put < 0 && errno != EINTR && errno != EAGAIN) {
      return Fail(ErrorCode::kIo, std::string("write: ") + std::strerror(errno));
    }
    if (put > 0) bytes.remove_prefix(static_cast<size_t>(put));
  }
  return {};
}

}  // namespace

std::string EncodeReferenceCall(const std::vector<ReferenceArgument>& arguments) {
  using Kind = ReferenceArgument::Kind;
  std::string out;
  Put(static_cast<uint32_t>(arguments.size()), out);
  for (const ReferenceArgument& argument : arguments) {
    Put(static_cast<uint8_t>(argument.kind), out);
    Put(static_cast<uint32_t>(argument.name.size()), out);
    out += argument.name;
    Put(argument.count, out);
    if (argument.kind == Kind::kReal) {
      Put(argument.real, out);
    } else if (argument.is_input()) {
      out += argument.bytes;
    } else if (!argument.is_output()) {
      Put(argument.integer, out);
    }
  }
  return out;
}

Result<std::vector<ReferenceArgument>> DecodeReferenceCall(std::string_view payload) {
  Cursor cursor(payload);
  uint32_t count = 0;
  std::vector<ReferenceArgument> arguments;
  bool good = cursor.Take(count) && count <= kMaxArguments;
  for (uint32_t i = 0; good && i < count; ++i)
    good = TakeArgument(cursor, arguments.emplace_back());
  if (!good || !cursor.empty()) return Fail(ErrorCode::kParse, "a malformed call");
  return arguments;
}

Result<void> SendFrame(int fd, std::string_view payload, const Patience& patience) {
  std::string header;
  Put(static_cast<uint64_t>(payload.size()), header);
  KW_TRY(WriteExactly(fd, header, patience));
  return WriteExactly(fd, payload, patience);
}

Result<std::string> TakeFrame(int fd, uint64_t max_bytes, const Patience& patience) {
  uint64_t length = 0;
  KW_TRY(ReadExactly(fd, reinterpret_cast<char*>(&length), sizeof length, patience));
  if (length > max_bytes) return Fail(ErrorCode::kLimit, "a frame beyond its limit");
  std::string payload(length, '\0');
  KW_TRY(ReadExactly(fd, payload.data(), length, patience));
  return payload;
}

}  // namespace kw::eval
