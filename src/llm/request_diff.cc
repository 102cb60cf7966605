#include "request_diff.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <span>
#include <vector>

#include "kw/base.h"
#include "kw/base/json.h"
#include "utf8_joiner.h"

namespace kw::recording {
namespace {

constexpr size_t kContextLines = 2;
constexpr size_t kLinesOfASide = 12;  // of one place
constexpr size_t kShownLineBytes = 160;
constexpr size_t kBytesBeforeFirstDifference = 40;
constexpr size_t kMaxLines = 200'000;  // of a request; what follows is not compared
constexpr int kMaxEdits = 256;         // more are shown as one block that changed

// All messages as one row of lines, each message behind a line that names its role.
struct Line {
  std::string_view text;
  size_t message = 0;
  size_t number = 0;  // 0: the role
  bool operator==(const Line& other) const {
    return text == other.text && (number == 0) == (other.number == 0);
  }
};
using LineSpan = std::span<const Line>;

std::vector<Line> AllLines(const ChatRequest& request) {
  std::vector<Line> lines;
  for (size_t m = 0; m < request.messages.size(); ++m) {
    std::string_view rest = request.messages[m].content;
    lines.push_back({request.messages[m].role, m, 0});
    for (size_t number = 1; lines.size() < kMaxLines; ++number) {
      const size_t end = rest.find('\n');
      lines.push_back({rest.substr(0, end), m, number});
      if (end == std::string_view::npos) break;
      rest.remove_prefix(end + 1);
    }
    if (lines.size() >= kMaxLines) break;
  }
  return lines;
}

// Lines [a, a_end) were recorded where [b, b_end) are asked.
struct Change {
  size_t a, a_end, b, b_end;
};

// The greedy algorithm of Myers, "An O(ND) difference algorithm and its variations", Algorithmica
// 1 (1986): trace[d] holds how far d edits reach on each diagonal. Empty beyond kMaxEdits.
class ShortestEdit {
 public:
  ShortestEdit(LineSpan a, LineSpan b) : a_(a), b_(b) {}

  std::optional<std::vector<Change>> Find() {
    std::vector<int> reach(2 * kMaxEdits + 3, 0);
    for (int d = 0; d <= kMaxEdits; ++d) {
      trace_.push_back(reach);
      for (int k = -d; k <= d; k += 2) {
        int x = Comes(reach, d, k) ? At(reach, k + 1) : At(reach, k - 1) + 1;
        while (Equal(x, x - k)) ++x;
        At(reach, k) = x;
        if (x >= Size(a_) && x - k >= Size(b_)) return Backward(d);
      }
    }
    return std::nullopt;
  }

 private:
  static int Size(LineSpan lines) { return static_cast<int>(lines.size()); }
  static int& At(std::vector<int>& reach, int k) {
    return reach[static_cast<size_t>(k + kMaxEdits + 1)];
  }
  // From the diagonal above (an insertion) rather than from the one below?
  static bool Comes(std::vector<int>& reach, int d, int k) {
    return k == -d || (k != d && At(reach, k - 1) < At(reach, k + 1));
  }
  bool Equal(int x, int y) const {
    return x < Size(a_) && y < Size(b_) && a_[static_cast<size_t>(x)] == b_[static_cast<size_t>(y)];
  }

  std::vector<Change> Backward(int d) {
    std::vector<Change> changes;
    int x = Size(a_), y = Size(b_);
    for (; d > 0; --d) {
      std::vector<int>& reach = trace_[static_cast<size_t>(d)];
      const int k = x - y;
      const int from_k = Comes(reach, d, k) ? k + 1 : k - 1;
      const int from_x = At(reach, from_k), from_y = from_x - from_k;
      // The edit leads to (to_x, to_y), equal lines from there to (x, y).
      const int to_x = from_k < k ? from_x + 1 : from_x, to_y = to_x - k;
      Prepend(changes, {static_cast<size_t>(from_x), static_cast<size_t>(to_x),
                        static_cast<size_t>(from_y), static_cast<size_t>(to_y)});
      x = from_x, y = from_y;
    }
    std::reverse(changes.begin(), changes.end());
    return changes;
  }

  static void Prepend(std::vector<Change>& changes, const Change& edit) {
    if (!changes.empty() && changes.back().a == edit.a_end && changes.back().b == edit.b_end) {
      changes.back().a = edit.a, changes.back().b = edit.b;
    } else {
      changes.push_back(edit);
    }
  }

  const LineSpan a_, b_;
  std::vector<std::vector<int>> trace_;
};

std::vector<Change> FindChanges(LineSpan a, LineSpan b) {
  const size_t shorter = std::min(a.size(), b.size());
  size_t head = 0, tail = 0;
  while (head < shorter && a[head] == b[head]) ++head;
  while (tail < shorter - head && a[a.size() - 1 - tail] == b[b.size() - 1 - tail]) ++tail;
  const LineSpan a_middle = a.subspan(head, a.size() - head - tail);
  const LineSpan b_middle = b.subspan(head, b.size() - head - tail);
  if (a_middle.empty() && b_middle.empty()) return {};
  auto changes = ShortestEdit(a_middle, b_middle).Find();
  if (!changes) changes = {{0, a_middle.size(), 0, b_middle.size()}};
  for (Change& change : *changes) {
    change.a += head, change.a_end += head, change.b += head, change.b_end += head;
  }
  return *changes;
}

// Terminals obey control characters, and a recording may be anybody's.
std::string Visible(std::string_view text) {
  std::string visible;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const bool c1 =
        byte == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0;
    if (byte >= ' ' && byte != 0x7F && !c1) {
      visible += text[i];
    } else if (byte == '\t') {
      visible += "\\t";
    } else if (byte == '\r') {
      visible += "\\r";
    } else {
      const int code = c1 ? static_cast<unsigned char>(text[++i]) : byte;
      visible += fmt::format("\\x{:02x}", code);
    }
  }
  return visible;
}

// Of a long line the part around its first difference from `other`.
std::string ShowLine(std::string_view line, std::string_view other) {
  size_t from = 0;
  if (line.size() > kShownLineBytes && !other.empty()) {
    const auto [mine, theirs] = std::mismatch(line.begin(), line.end(), other.begin(), other.end());
    const auto equal = static_cast<size_t>(mine - line.begin());
    if (equal > kShownLineBytes / 2) from = equal - kBytesBeforeFirstDifference;
    while (from > 0 && llm::ContinuesCharacter(line[from])) --from;
  }
  return (from > 0 ? "\u2026" : "") + Visible(Shorten(line.substr(from), kShownLineBytes));
}

std::string ShowLine(const Line& line, std::string_view other) {
  if (line.number > 0) return ShowLine(line.text, other);
  return fmt::format("[message {}: {}]", line.message + 1, ShowLine(line.text, other));
}

class DiffText {
 public:
  DiffText(const ChatRequest& recorded, const ChatRequest& asked)
      : a_(AllLines(recorded)), b_(AllLines(asked)) {}

  void AppendTo(std::string& text) const {
    const std::vector<Change> changes = FindChanges(a_, b_);
    for (size_t i = 0; i < changes.size();) {
      size_t end = i + 1;
      while (end < changes.size() && changes[end].a - changes[end - 1].a_end <= 2 * kContextLines) {
        ++end;
      }
      const std::string place = Place(std::span(changes).subspan(i, end - i));
      if (text.size() + place.size() + kShownLineBytes > kMaxDiffBytes) {
        text += fmt::format("  ... {} more {}\n", changes.size() - i,
                            changes.size() - i == 1 ? "difference" : "differences");
        return;
      }
      text += place;
      i = end;
    }
  }

 private:
  std::string Place(std::span<const Change> changes) const {
    const Change& first = changes.front();
    const bool in_asked = first.b < first.b_end;
    const Line& at = in_asked ? b_[first.b] : a_[first.a];
    std::string text = fmt::format("  message {}", at.message + 1);
    if (at.number > 0) text += fmt::format(", line {}", at.number);
    text += in_asked ? ":\n" : " of the recorded one:\n";
    AppendContext(first.b - std::min(first.b, kContextLines), first.b, text);
    for (size_t i = 0; i < changes.size(); ++i) {
      const Change& change = changes[i];
      AppendSide('-', std::span(a_).subspan(change.a, change.a_end - change.a),
                 std::span(b_).subspan(change.b, change.b_end - change.b), text);
      AppendSide('+', std::span(b_).subspan(change.b, change.b_end - change.b),
                 std::span(a_).subspan(change.a, change.a_end - change.a), text);
      const size_t after = i + 1 < changes.size()
                               ? changes[i + 1].b
                               : std::min(b_.size(), change.b_end + kContextLines);
      AppendContext(change.b_end, after, text);
    }
    return Shortened(std::move(text));
  }

  void AppendContext(size_t from, size_t to, std::string& text) const {
    for (size_t i = from; i < to; ++i) text += fmt::format("      {}\n", ShowLine(b_[i], {}));
  }

  static void AppendSide(char sign, LineSpan lines, LineSpan others, std::string& text) {
    const size_t shown = std::min(lines.size(), kLinesOfASide);
    for (size_t i = 0; i < shown; ++i) {
      const std::string_view other = i < others.size() ? others[i].text : std::string_view();
      text += fmt::format("    {} {}\n", sign, ShowLine(lines[i], other));
    }
    if (shown == lines.size()) return;
    const size_t more = lines.size() - shown;
    text += fmt::format("    {} ... {} more {}\n", sign, more, more == 1 ? "line" : "lines");
  }

  // The first place is always shown, be it shortened.
  static std::string Shortened(std::string place) {
    constexpr size_t kMaxPlaceBytes = kMaxDiffBytes / 2;
    if (place.size() <= kMaxPlaceBytes) return place;
    place.resize(place.rfind('\n', kMaxPlaceBytes) + 1);
    return place + "      ...\n";
  }

  const std::vector<Line> a_, b_;
};

std::string Quoted(std::string_view text) {
  return Visible(Shorten(DumpJson(Json(std::string(text))), 100));
}

void AppendField(std::string_view name, const std::string& recorded, const std::string& asked,
                 std::string& text) {
  text += fmt::format("  {}: {} recorded, {} asked\n", name, recorded, asked);
}

template <class Number>
void AppendNumber(std::string_view name, Number recorded, Number asked, std::string& text) {
  if (recorded == asked) return;
  AppendField(name, fmt::format("{}", recorded), fmt::format("{}", asked), text);
}

std::string SeedWords(const ChatRequest& request) {
  if (request.seed) return fmt::format("{}", *request.seed);
  return request.temperature > 0 ? "none" : "none counts";
}

std::string StopWords(const ChatRequest& request) {
  return Visible(Shorten(DumpJson(Json(request.stop)), 100));
}

}  // namespace

std::string DescribeDifference(const CountedRequest& recorded, const CountedRequest& asked) {
  const ChatRequest &a = recorded.request, &b = asked.request;
  std::string text;
  if (recorded.variant != asked.variant) {
    AppendField("variant", Quoted(recorded.variant), Quoted(asked.variant), text);
  }
  if (a.model != b.model) AppendField("model", Quoted(a.model), Quoted(b.model), text);
  AppendNumber("temperature", a.temperature, b.temperature, text);
  AppendNumber("top_p", a.top_p, b.top_p, text);
  AppendNumber("max_tokens", a.max_tokens, b.max_tokens, text);
  if (a.stop != b.stop) AppendField("stop", StopWords(a), StopWords(b), text);
  if (a.seed != b.seed) AppendField("seed", SeedWords(a), SeedWords(b), text);
  if (recorded.occurrence > 0 && asked.occurrence > 0) {
    AppendNumber("call without a seed, number", recorded.occurrence, asked.occurrence, text);
  }
  DiffText(a, b).AppendTo(text);
  return text;
}

}  // namespace kw::recording
