// Device printf and assert: per lane, in lane order.
#include <algorithm>
#include <bit>
#include <cstdio>
#include <cstring>
#include <optional>

#include "fmt/format.h"
#include "runtime.h"

namespace kw::eval::emu {
namespace {

constexpr size_t kMostPrinted = 64 << 10;
constexpr size_t kMostString = 4096;

uint64_t LocalValue(const Warp& w, uint32_t at, int lane, uint32_t bytes) {
  uint64_t value = 0;
  for (uint32_t i = 0; i < bytes; ++i) {
    value |= static_cast<uint64_t>(static_cast<uint8_t>(*LocalAt(w, at + i, lane))) << (8 * i);
  }
  return value;
}

void PutLocalWord(const Warp& w, uint32_t at, int lane, int32_t value) {
  std::memcpy(LocalAt(w, at, lane), &value, sizeof(value));
  RememberLocal(w, 1u << lane, at, sizeof(value));
}

// Bytes at a generic address.
bool ReadGeneric(const Warp& w, uint64_t address, int lane, char* to, uint32_t bytes) {
  const uint64_t window = address & kWindowMask;
  const uint32_t at = static_cast<uint32_t>(address);
  if (window == kLocalWindow) {
    if (at > w.local_bytes || w.local_bytes - at < bytes) return false;
    for (uint32_t i = 0; i < bytes; ++i) to[i] = *LocalAt(w, at + i, lane);
    return true;
  }
  if (window == kSharedWindow) {
    if (at > w.shared_bytes || w.shared_bytes - at < bytes) return false;
    std::memcpy(to, w.shared + at, bytes);
    return true;
  }
  const Span* span = w.launch->memory->Find(address, bytes);
  if (span == nullptr) return false;
  std::memcpy(to, span->host + (address - span->start), bytes);
  return true;
}

std::optional<std::string> ReadString(const Warp& w, uint64_t address, int lane) {
  std::string text;
  char c = 0;
  while (text.size() < kMostString) {
    if (!ReadGeneric(w, address + text.size(), lane, &c, 1)) return std::nullopt;
    if (c == '\0') return text;
    text.push_back(c);
  }
  return text;
}

// One conversion through snprintf, with a specification that this file has put together itself.
template <class T>
std::string Converted(const std::string& specification, T value) {
  char buffer[600];
  const int n = std::snprintf(buffer, sizeof(buffer), specification.c_str(), value);
  if (n < 0) return "";
  return std::string(buffer, std::min<size_t>(static_cast<size_t>(n), sizeof(buffer) - 1));
}

// Takes the next variable argument: 4 or 8 bytes, aligned to its size.
class Arguments {
 public:
  Arguments(const Warp& w, uint64_t address, int lane) : w_(w), address_(address), lane_(lane) {}
  uint64_t Next(uint32_t bytes) {
    at_ = (at_ + bytes - 1) / bytes * bytes;
    uint64_t value = 0;
    ReadGeneric(w_, address_ + at_, lane_, reinterpret_cast<char*>(&value), bytes);
    at_ += bytes;
    ++taken_;
    return value;
  }
  uint32_t taken() const { return taken_; }

 private:
  const Warp& w_;
  uint64_t address_;
  int lane_;
  uint64_t at_ = 0;
  uint32_t taken_ = 0;
};

std::string Format(const Warp& w, const std::string& format, Arguments& arguments, int lane) {
  std::string out;
  for (size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%') {
      out.push_back(format[i]);
      continue;
    }
    if (++i < format.size() && format[i] == '%') {
      out.push_back('%');
      continue;
    }
    std::string specification = "%";
    const auto take = [&](std::string_view set) {
      while (i < format.size() && set.find(format[i]) != std::string_view::npos) {
        specification.push_back(format[i++]);
      }
    };
    const auto number = [&] {
      if (i < format.size() && format[i] == '*') {
        ++i;
        const int32_t n = static_cast<int32_t>(arguments.Next(4));
        specification += std::to_string(std::clamp(n, -512, 512));
        return;
      }
      const size_t begin = specification.size();
      take("0123456789");
      if (specification.size() - begin > 3) specification.resize(begin + 3);
    };
    take("-+ #0");
    number();
    if (i < format.size() && format[i] == '.') {
      specification.push_back(format[i++]);
      number();
    }
    bool wide = false;
    while (i < format.size() &&
           std::string_view("hlzjtL").find(format[i]) != std::string_view::npos) {
      wide |= format[i] != 'h';
      ++i;
    }
    if (i >= format.size()) break;
    const char kind = format[i];
    switch (kind) {
      case 'd':
      case 'i': {
        const uint64_t raw = arguments.Next(wide ? 8 : 4);
        const int64_t value = wide ? static_cast<int64_t>(raw) : static_cast<int32_t>(raw);
        out += Converted(specification + "lld", static_cast<long long>(value));
        break;
      }
      case 'u':
      case 'o':
      case 'x':
      case 'X':
        out += Converted(specification + "ll" + kind,
                         static_cast<unsigned long long>(arguments.Next(wide ? 8 : 4)));
        break;
      case 'c':
        out += Converted(specification + "c", static_cast<int>(arguments.Next(4)));
        break;
      case 'p':
        out += fmt::format("{:#x}", arguments.Next(8));
        break;
      case 's':
        out += Converted(specification + "s",
                         ReadString(w, arguments.Next(8), lane).value_or("(null)").c_str());
        break;
      case 'e':
      case 'E':
      case 'f':
      case 'F':
      case 'g':
      case 'G':
      case 'a':
      case 'A':
        out += Converted(specification + kind, std::bit_cast<double>(arguments.Next(8)));
        break;
      default:
        out += specification;
        out.push_back(kind);
    }
  }
  return out;
}

}  // namespace

bool DevicePrintf(Warp& w, const Op&, const CallSite& site) {
  std::string& printed = *w.launch->printed;
  for (uint32_t m = w.mask; m != 0; m &= m - 1) {
    const int lane = std::countr_zero(m);
    int32_t result = -1;  // no room
    if (printed.size() < kMostPrinted) {
      const uint64_t format = LocalValue(w, w.local_base + site.argument_offsets[0], lane, 8);
      Arguments arguments(w, LocalValue(w, w.local_base + site.argument_offsets[1], lane, 8), lane);
      printed += Format(w, ReadString(w, format, lane).value_or(""), arguments, lane);
      result = static_cast<int32_t>(arguments.taken());
    }
    if (!site.results.empty()) PutLocalWord(w, w.local_base + site.results[0].to, lane, result);
  }
  if (printed.size() > kMostPrinted) printed.resize(kMostPrinted);
  return true;
}

bool DeviceAssert(Warp& w, const Op& op, const CallSite& site) {
  const int lane = std::countr_zero(w.mask);
  const auto string_at = [&](size_t i) {
    return ReadString(w, LocalValue(w, w.local_base + site.argument_offsets[i], lane, 8), lane)
        .value_or("?");
  };
  Hazard hazard = MakeHazard(w, op, lane, "assert");
  hazard.text = fmt::format(
      "assertion `{}` failed in {} ({}:{}). {}", string_at(0), string_at(3), string_at(1),
      LocalValue(w, w.local_base + site.argument_offsets[2], lane, 4), Where(hazard));
  return StopWithHazard(w, std::move(hazard));
}

}  // namespace kw::eval::emu
