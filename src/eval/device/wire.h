// Plain binary messages: little-endian numbers, length-prefixed texts. A reader never runs past
// its end: what is missing reads as zero and makes ok() false, so a message is checked once, at
// its end. The other side may be hostile.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace kw::eval {

class WireWriter {
 public:
  template <class T>
  WireWriter& Number(T value) {
    static_assert(std::is_arithmetic_v<T> || std::is_enum_v<T>);
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
    return *this;
  }
  WireWriter& Text(std::string_view text) {
    Number<uint64_t>(text.size());
    bytes_.append(text);
    return *this;
  }
  std::string Take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

class WireReader {
 public:
  explicit WireReader(std::string_view bytes) : rest_(bytes) {}

  template <class T>
  T Number() {
    T value{};
    if (rest_.size() < sizeof value) return Broken(value);
    std::memcpy(&value, rest_.data(), sizeof value);
    rest_.remove_prefix(sizeof value);
    return value;
  }
  template <class T>
  void Number(T* value) {
    *value = Number<T>();
  }
  bool Bool() { return Number<uint8_t>() != 0; }
  std::string Text() {
    auto size = Number<uint64_t>();
    if (size > rest_.size()) return Broken(std::string());
    std::string text(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return text;
  }
  // A count of items of at least `least` bytes each: never more than what is left could hold.
  uint64_t Count(uint64_t least) {
    auto count = Number<uint64_t>();
    return count > rest_.size() / least ? Broken(uint64_t{0}) : count;
  }
  // All was there and nothing is left.
  bool ok() const { return !broken_ && rest_.empty(); }

 private:
  template <class T>
  T Broken(T value) {
    broken_ = true;
    rest_ = {};
    return value;
  }

  std::string_view rest_;
  bool broken_ = false;
};

}  // namespace kw::eval
