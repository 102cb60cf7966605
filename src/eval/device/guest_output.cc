#include "guest_output.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace kw::eval {
namespace {

void ReadToEnd(GuestOutput::Impl::Stream& stream, size_t kept_bytes) {
  char piece[16 << 10];
  for (;;) {
    const ssize_t got = read(stream.read.get(), piece, sizeof piece);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return;
    const size_t bytes = static_cast<size_t>(got);
    const size_t room = std::min(bytes, kept_bytes - stream.kept.size());
    stream.kept.append(piece, room);
    stream.dropped += bytes - room;
  }
}

}  // namespace

GuestOutput::GuestOutput(size_t kept_bytes) : impl_(std::make_unique<Impl>()) {
  impl_->kept_bytes = kept_bytes;
}

GuestOutput::~GuestOutput() { Take(); }

GuestOutput::Streams GuestOutput::Take() {
  for (Impl::Stream& stream : impl_->streams) {
    if (stream.reader.joinable()) stream.reader.join();
  }
  auto& [out, err] = impl_->streams;
  return {std::move(out.kept), std::move(err.kept), out.dropped + err.dropped};
}

Result<OutputPipes> OutputPipes::Open(GuestOutput& output) {
  OutputPipes pipes;
  Descriptor* guest_end = &pipes.out;
  for (GuestOutput::Impl::Stream& stream : output.impl().streams) {
    KW_CHECK(!stream.reader.joinable(), "an output serves one program");
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
      return Fail(ErrorCode::kIo, std::string("pipe: ") + std::strerror(errno));
    }
    stream.read = Descriptor(ends[0]);
    *guest_end = Descriptor(ends[1]);
    stream.reader = std::thread(ReadToEnd, std::ref(stream), output.impl().kept_bytes);
    guest_end = &pipes.err;
  }
  return pipes;
}

}  // namespace kw::eval
