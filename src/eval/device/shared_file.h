// Memory files that the worker shares with the processes of a session.
#pragma once

#include <cstdint>
#include <string_view>

#include "channel.h"
#include "kw/base/error.h"
#include "ring.h"

namespace kw::eval {

// An empty memory file; and the bytes in it, so that it can be changed no more, whoever holds it.
[[nodiscard]] Result<Descriptor> EmptyFile(const char* name);
[[nodiscard]] Result<void> FillAndSeal(const Descriptor& file, std::string_view bytes);

// The ring, of fixed size, zero but for its magic; mapped here for the guest's last words.
class Ring {
 public:
  static Result<Ring> Make();
  Ring(Ring&& other) noexcept;
  Ring& operator=(Ring&&) = delete;
  ~Ring();
  int fd() const { return file_.get(); }
  ring::Header& header() { return *header_; }

 private:
  Ring(Descriptor file, ring::Header* header) : file_(std::move(file)), header_(header) {}
  Descriptor file_;
  ring::Header* header_;
};

// Where inputs go to the emulator device and outputs come back; grows with the largest call.
class Exchange {
 public:
  static Result<Exchange> Make();
  Exchange(Exchange&& other) noexcept;
  Exchange& operator=(Exchange&&) = delete;
  ~Exchange();
  int fd() const { return file_.get(); }
  [[nodiscard]] Result<void> Need(uint64_t bytes);
  char* data() { return data_; }

 private:
  explicit Exchange(Descriptor file) : file_(std::move(file)) {}
  Descriptor file_;
  char* data_ = nullptr;
  uint64_t bytes_ = 0;
};

}  // namespace kw::eval
