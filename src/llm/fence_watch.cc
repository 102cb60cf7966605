#include "fence_watch.h"

namespace kw::llm {
namespace {

constexpr int kLongestInfoWord = 40;
constexpr int64_t kShortestFence = 3;

bool IsBlankOfLine(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f' || c == '\n';
}

bool IsInfoCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' ||
         c == '-' || c == '_' || c == '.' || c == '/' || c == ':' || c == '#';
}

}  // namespace

void FenceWatch::Rest::Read(char c) {
  if (IsBlankOfLine(c)) {
    if (!any) return;
    if (c == ' ') space_waits = true;
    if (c == ' ' || c == '\t') {
      blank_waits = true;
    } else if (!blank_waits) {
      odd_waits = true;
    }
    return;
  }
  any = true;
  if (space_waits) has_space = true;
  if (odd_waits && !word_ended) word_is_bad = true;
  if (blank_waits || c == '{' || c == ',') word_ended = true;
  if (c == '`') has_backtick = true;
  if (word_ended) return;
  if (!IsInfoCharacter(c)) word_is_bad = true;
  if (word_size <= kLongestInfoWord) ++word_size;
}

bool FenceWatch::Rest::BeginsWithInfoWord() const {
  return word_size > 0 && word_size <= kLongestInfoWord && !word_is_bad;
}

bool FenceWatch::Rest::IsInfoWord() const { return BeginsWithInfoWord() && !word_ended; }

bool FenceWatch::Feed(std::string_view piece) {
  bool closed = false;
  for (const char c : piece) {
    if (c == '\n') {
      closed = EndLine() || closed;
    } else {
      Read(c);
    }
  }
  return closed;
}

bool FenceWatch::Finish() { return EndLine(); }

void FenceWatch::Read(char c) {
  Line& line = line_;
  const bool blank = IsBlankOfLine(c);
  if (!line.begun && !blank) {
    line.begun = true;
    line.first = c;
    line.in_head_run = c == '`' || c == '~';
  }
  if (line.in_head_run && c == line.first) {
    ++line.head_run;
  } else if (line.head_run > 0) {
    line.in_head_run = false;
    line.behind_head.Read(c);
  }
  if (c == '`') {
    line.in_tick_run = line.tick_run == 0 || line.in_tick_run;
    line.tail_run = line.last == '`' ? line.tail_run + 1 : 1;
    if (line.in_tick_run) {
      ++line.tick_run;
    } else {
      line.behind_ticks.Read(c);
    }
  } else {
    line.in_tick_run = false;
    if (line.tick_run > 0) line.behind_ticks.Read(c);
    if (!blank) line.tail_run = 0;
    if (line.last == '/' && (c == '/' || c == '*')) line.has_comment = true;
  }
  line.last = c;
}

bool FenceWatch::EndLine() {
  const Line line = line_;
  line_ = {};
  const bool is_mark = line.head_run >= kShortestFence;
  const Rest& rest = line.behind_head;
  if (!open()) {
    if (is_mark) {
      if (line.first != '`' || !rest.has_backtick) Open(line.first, line.head_run);
    } else if (line.tick_run >= kShortestFence && line.behind_ticks.IsInfoWord()) {
      Open('`', line.tick_run);
    }
    return false;
  }
  if (!is_mark) {
    const bool closes = open_mark_ == '`' && line.tail_run >= open_length_ && line.first != '*' &&
                        !line.has_comment;
    return closes && Close();
  }
  if (line.first != open_mark_) return false;
  if (line.head_run >= open_length_ && !rest.any) return Close();
  if (rest.BeginsWithInfoWord() && !rest.has_space) {
    Open(line.first, line.head_run);
    return false;
  }
  return line.head_run >= open_length_ && Close();
}

void FenceWatch::Open(char mark, int64_t length) {
  open_mark_ = mark;
  open_length_ = length;
}

bool FenceWatch::Close() {
  open_length_ = 0;
  ++closed_;
  return true;
}

}  // namespace kw::llm
