// A buffer that ends at a page nobody may touch and begins behind another: an access past either
// end is a fault at once, but for the few bytes in front that fill its first page, which hold a
// pattern that is checked.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "kw/base/error.h"

namespace kw::eval {

class GuardedBuffer {
 public:
  // Room for `count` elements of 8 bytes.
  static Result<GuardedBuffer> Make(std::string name, uint64_t count);
  GuardedBuffer(GuardedBuffer&& other) noexcept;
  GuardedBuffer& operator=(GuardedBuffer&& other) = delete;
  ~GuardedBuffer();

  char* data() const { return data_; }
  uint64_t bytes() const { return count_ * 8; }
  const std::string& name() const { return name_; }
  // From now on a write to it is a fault.
  void Protect();
  // Nothing in front of the first element was changed.
  bool FrontIntact() const;
  // True when an address lies in it or in its guard pages; `element` is where, relative to its
  // start.
  bool Holds(const void* address, int64_t* element) const;

 private:
  GuardedBuffer() = default;

  std::string name_;
  char* mapping_ = nullptr;
  uint64_t mapped_ = 0, count_ = 0;
  char* data_ = nullptr;
};

}  // namespace kw::eval
