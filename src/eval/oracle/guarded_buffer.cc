#include "guarded_buffer.h"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace kw::eval {
namespace {

constexpr uint64_t kPage = 4096;
// Wide enough to catch an index that is off by a row, not only by one.
constexpr uint64_t kGuard = 256 * kPage;
constexpr char kFront = '\xA5';

}  // namespace

Result<GuardedBuffer> GuardedBuffer::Make(std::string name, uint64_t count) {
  if (count > (1ULL << 40)) return Fail(ErrorCode::kLimit, "'" + name + "' is too large");
  GuardedBuffer buffer;
  buffer.name_ = std::move(name);
  buffer.count_ = count;
  const uint64_t inner = std::max<uint64_t>(1, (count * 8 + kPage - 1) / kPage) * kPage;
  buffer.mapped_ = inner + 2 * kGuard;
  void* mapping = mmap(nullptr, buffer.mapped_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapping == MAP_FAILED) {
    buffer.mapped_ = 0;
    return Fail(ErrorCode::kLimit, "no memory for '" + buffer.name_ + "'");
  }
  buffer.mapping_ = static_cast<char*>(mapping);
  char* start = buffer.mapping_ + kGuard;
  if (mprotect(start, inner, PROT_READ | PROT_WRITE) != 0) {
    return Fail(ErrorCode::kLimit, "no memory for '" + buffer.name_ + "'");
  }
  buffer.data_ = start + inner - count * 8;
  std::memset(start, kFront, static_cast<size_t>(buffer.data_ - start));
  return buffer;
}

GuardedBuffer::GuardedBuffer(GuardedBuffer&& other) noexcept
    : name_(std::move(other.name_)),
      mapping_(std::exchange(other.mapping_, nullptr)),
      mapped_(std::exchange(other.mapped_, 0)),
      count_(other.count_),
      data_(other.data_) {}

GuardedBuffer::~GuardedBuffer() {
  if (mapping_ != nullptr) munmap(mapping_, mapped_);
}

void GuardedBuffer::Protect() { mprotect(mapping_ + kGuard, mapped_ - 2 * kGuard, PROT_READ); }

bool GuardedBuffer::FrontIntact() const {
  return std::all_of(mapping_ + kGuard, data_, [](char c) { return c == kFront; });
}

bool GuardedBuffer::Holds(const void* address, int64_t* element) const {
  const char* at = static_cast<const char*>(address);
  if (at < mapping_ || at >= mapping_ + mapped_) return false;
  const int64_t offset = at - data_;
  *element = offset >= 0 ? offset / 8 : -((-offset + 7) / 8);
  return true;
}

}  // namespace kw::eval
