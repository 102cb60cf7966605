// Server-sent events (WHATWG HTML, section 9.2), as they arrive.
//
//   stream = [ BOM ] *event
//   event  = *( comment / field ) end-of-line
//   field  = name [ ":" [ " " ] value ] end-of-line     "data", "event"; others are ignored
//   end-of-line = CR LF / LF / CR
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace kw::llm {

class SseParser {
 public:
  // Bytes that may be read behind `data` of an event: what simdjson asks for.
  static constexpr size_t kPadding = 64;

  // `event` is "" where the stream names none, `data` its lines joined by line feeds. Both live as
  // long as the call; `data` is followed by kPadding bytes that may be read. False stops. It
  // feeds no other parser.
  using OnEvent = std::function<bool(std::string_view event, std::string_view data)>;

  // The next bytes of the stream: calls `on_event` for each event that they complete. False where
  // `on_event` said so, or where one event is larger than `max_event_bytes`.
  bool Feed(std::string_view bytes, const OnEvent& on_event);
  // The stream ended: an event that no empty line ended is one, which servers that close the
  // connection in place of it mean.
  bool Finish(const OnEvent& on_event);
  bool too_large() const { return too_large_; }

  explicit SseParser(size_t max_event_bytes) : max_event_bytes_(max_event_bytes) {}

 private:
  bool FeedLines(std::string_view bytes, const OnEvent& on_event);
  bool Line(std::string_view line, const OnEvent& on_event);
  bool Dispatch(const OnEvent& on_event);
  void KeepFresh();

  const size_t max_event_bytes_;
  std::string rest_;  // of a line whose end has not come
  std::string event_, data_;
  std::string_view fresh_;  // the first line of data, while it is only where it came
  bool has_data_ = false, after_cr_ = false, began_ = false, too_large_ = false;
};

}  // namespace kw::llm
