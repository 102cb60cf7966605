// The last characters of a text that comes byte by byte, in a ring. A character is what its UTF-8
// bytes are, packed into a number, the first byte highest; bytes that are no UTF-8 are characters
// of their own, so nothing is lost and nothing refused.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace kw::llm {

using Character = char32_t;

inline int BytesOf(Character c) { return c < 0x100 ? 1 : c < 0x10000 ? 2 : c < 0x1000000 ? 3 : 4; }

class RecentText {
 public:
  static constexpr size_t kCapacity = 512;

  void Push(Character c) {
    ring_[static_cast<size_t>(count_) % kCapacity] = c;
    ++count_;
    bytes_ += BytesOf(c);
  }
  // Characters and bytes since the text's begin.
  int64_t count() const { return count_; }
  int64_t bytes() const { return bytes_; }
  // How many of the last characters are still here.
  int64_t size() const { return std::min(count_, static_cast<int64_t>(kCapacity)); }
  // Back(1) is the last character; 0 before the text's begin.
  Character Back(int64_t distance) const {
    return distance > size() ? 0 : ring_[static_cast<size_t>(count_ - distance) % kCapacity];
  }

 private:
  int64_t count_ = 0;
  int64_t bytes_ = 0;
  std::array<Character, kCapacity> ring_{};
};

}  // namespace kw::llm
