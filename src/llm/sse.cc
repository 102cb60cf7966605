#include "sse.h"

#include <algorithm>
#include <utility>

namespace kw::llm {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

// Finds the ends of lines one after the other. string_view's own search for one of several
// characters is a call for each byte; and a text whose lines end otherwise is not searched for
// '\n' again for each of them.
class LineEnds {
 public:
  explicit LineEnds(std::string_view bytes) : bytes_(bytes), line_feed_(bytes.find('\n')) {}
  // npos: the text ends before.
  size_t Next(size_t from) {
    if (line_feed_ != std::string_view::npos && line_feed_ < from) {
      line_feed_ = bytes_.find('\n', from);
    }
    const size_t end = std::min(line_feed_, bytes_.size());
    const size_t carriage_return = bytes_.substr(from, end - from).find('\r');
    return carriage_return != std::string_view::npos ? from + carriage_return : line_feed_;
  }

 private:
  std::string_view bytes_;
  size_t line_feed_;
};

}  // namespace

bool SseParser::Feed(std::string_view bytes, const OnEvent& on_event) {
  const bool goes_on = FeedLines(bytes, on_event);
  KeepFresh();
  return goes_on;
}

bool SseParser::FeedLines(std::string_view bytes, const OnEvent& on_event) {
  LineEnds ends(bytes);
  for (size_t begin = 0; begin < bytes.size();) {
    if (std::exchange(after_cr_, false) && bytes[begin] == '\n') {
      ++begin;
      continue;
    }
    const size_t end = ends.Next(begin);
    const std::string_view piece = bytes.substr(begin, end - begin);
    if (rest_.size() + data_.size() + fresh_.size() + piece.size() > max_event_bytes_) {
      too_large_ = true;
      return false;
    }
    if (end == std::string_view::npos) {
      rest_ += piece;
      return true;
    }
    after_cr_ = bytes[end] == '\r';
    begin = end + 1;
    bool goes_on = false;
    if (rest_.empty()) {
      goes_on = Line(piece, on_event);
    } else {
      rest_ += piece;
      goes_on = Line(rest_, on_event);
      KeepFresh();
      rest_.clear();
    }
    if (!goes_on) return false;
  }
  return true;
}

bool SseParser::Finish(const OnEvent& on_event) {
  if (!rest_.empty()) {
    const std::string line = std::move(rest_);
    rest_.clear();
    if (!Line(line, on_event)) return false;
    KeepFresh();
  }
  return Dispatch(on_event);
}

bool SseParser::Line(std::string_view line, const OnEvent& on_event) {
  if (!began_) {
    began_ = true;
    if (line.substr(0, kByteOrderMark.size()) == kByteOrderMark) {
      line.remove_prefix(kByteOrderMark.size());
    }
  }
  if (line.empty()) return Dispatch(on_event);
  const size_t colon = line.find(':');
  const std::string_view name = line.substr(0, colon);
  std::string_view value = colon == std::string_view::npos ? "" : line.substr(colon + 1);
  if (!value.empty() && value.front() == ' ') value.remove_prefix(1);
  if (name == "data") {
    if (!has_data_) {
      has_data_ = true;
      fresh_ = value;
    } else {
      KeepFresh();
      data_ += '\n';
      data_ += value;
    }
  } else if (name == "event") {
    event_ = value;
  }
  return true;
}

void SseParser::KeepFresh() {
  data_ += fresh_;
  fresh_ = {};
}

bool SseParser::Dispatch(const OnEvent& on_event) {
  // One for all streams of a thread: with a thousand of them, their own would never be in the
  // processor's caches.
  thread_local std::string data;
  bool goes_on = true;
  if (has_data_) {
    data.reserve(data_.size() + fresh_.size() + kPadding);
    data = data_;
    data += fresh_;
    goes_on = on_event(event_, data);
  }
  data_.clear();
  fresh_ = {};
  event_.clear();
  has_data_ = false;
  return goes_on;
}

}  // namespace kw::llm
