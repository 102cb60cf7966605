#include "fence.h"

#include <algorithm>
#include <array>
#include <optional>

#include "kw/base/text.h"

namespace kw::eval {
namespace {

constexpr auto kCudaInfos = std::to_array<std::string_view>(
    {"",         "c",     "c++", "cc",  "cpp", "cu",  "cuda",   "cuda-c", "cuda-c++", "cuda-cpp",
     "cuda_cpp", "cudac", "cuh", "cxx", "h",   "hpp", "kernel", "nvcc",   "cuda/c++", "cuda,c++"});

bool IsInfoWord(std::string_view word) {
  if (word.empty() || word.size() > 40) return false;
  return std::all_of(word.begin(), word.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' ||
           c == '-' || c == '_' || c == '.' || c == '/' || c == ':' || c == '#';
  });
}

std::string_view FirstWord(std::string_view text) {
  return text.substr(0, std::min(text.find_first_of(" \t{,"), text.size()));
}

struct FenceMark {
  char mark = 0;
  size_t length = 0;
  std::string_view rest;  // trimmed
};

// A line that begins with at least three backticks or tildes.
std::optional<FenceMark> ReadMark(std::string_view line) {
  line = Trim(line);
  if (line.size() < 3 || (line[0] != '`' && line[0] != '~')) return std::nullopt;
  size_t length = 0;
  while (length < line.size() && line[length] == line[0]) ++length;
  if (length < 3) return std::nullopt;
  return FenceMark{line[0], length, Trim(line.substr(length))};
}

// "Here it is: ```cuda": a fence after text.
std::optional<FenceMark> ReadTrailingOpening(std::string_view line) {
  const size_t at = line.find("```");
  if (at == std::string_view::npos || line.find('`') != at) return std::nullopt;
  const std::optional<FenceMark> mark = ReadMark(line.substr(at));
  if (!mark || !IsInfoWord(mark->rest)) return std::nullopt;
  return mark;
}

// "}```": a closing fence after code, which is no C++ and no comment either.
bool EndsWithClosing(std::string_view line, const FenceMark& open) {
  if (open.mark != '`') return false;
  line = Trim(line);
  if (!line.ends_with("```") || line.starts_with("*")) return false;
  const size_t text = line.find_last_not_of('`');
  if (text == std::string_view::npos || line.size() - text - 1 < open.length) return false;
  return line.find("//") == std::string_view::npos && line.find("/*") == std::string_view::npos;
}

class FenceFinder {
 public:
  explicit FenceFinder(std::string_view answer) : answer_(answer) {}

  std::vector<Fence> Find() {
    int number = 0;
    for (size_t begin = 0; begin < answer_.size();) {
      const size_t newline = std::min(answer_.find('\n', begin), answer_.size());
      const std::string_view line = answer_.substr(begin, newline - begin);
      ++number;
      if (open_) {
        ReadInside(line, begin, newline, number);
      } else {
        ReadOutside(line, begin, newline, number);
      }
      begin = newline + 1;
    }
    if (open_) Close(answer_.size(), /*closed=*/false);
    return std::move(fences_);
  }

 private:
  void Open(const FenceMark& mark, size_t begin, size_t newline, int number) {
    open_ = mark;
    content_ = std::min(newline + 1, answer_.size());
    fences_.push_back({.info = ToLower(FirstWord(mark.rest)), .begin = begin, .line = number});
  }
  void Close(size_t end, bool closed) {
    fences_.back().text = answer_.substr(content_, std::max(end, content_) - content_);
    fences_.back().closed = closed;
    open_.reset();
  }

  void ReadOutside(std::string_view line, size_t begin, size_t newline, int number) {
    std::optional<FenceMark> mark = ReadMark(line);
    if (mark && mark->mark == '`' && mark->rest.find('`') != std::string_view::npos) return;
    if (!mark) mark = ReadTrailingOpening(line);
    if (mark) Open(*mark, begin, newline, number);
  }

  void ReadInside(std::string_view line, size_t begin, size_t newline, int number) {
    const std::optional<FenceMark> mark = ReadMark(line);
    if (!mark || mark->mark != open_->mark) {
      if (!mark && EndsWithClosing(line, *open_)) {
        Close(begin + line.find_last_not_of("` \t\r") + 1, /*closed=*/true);
      }
      return;
    }
    if (mark->length >= open_->length && mark->rest.empty()) {
      Close(begin, /*closed=*/true);
    } else if (IsInfoWord(FirstWord(mark->rest)) &&
               mark->rest.find(' ') == std::string_view::npos) {
      Close(begin, /*closed=*/false);
      Open(*mark, begin, newline, number);
    } else if (mark->length >= open_->length) {
      Close(begin, /*closed=*/true);  // text behind the closing fence
    }
  }

  std::string_view answer_;
  std::vector<Fence> fences_;
  std::optional<FenceMark> open_;
  size_t content_ = 0;
};

constexpr auto kElements =
    std::to_array<std::string_view>({"file", "cuda_file", "cpp_file", "header_file"});

std::string AttributeName(std::string_view tag) {
  for (const std::string_view key : {"name", "path", "filename"}) {
    size_t at = tag.find(key);
    if (at == std::string_view::npos) continue;
    at = tag.find_first_not_of(" \t", at + key.size());
    if (at == std::string_view::npos || tag[at] != '=') continue;
    at = tag.find_first_not_of(" \t", at + 1);
    if (at == std::string_view::npos || (tag[at] != '"' && tag[at] != '\'')) continue;
    const size_t end = tag.find(tag[at], at + 1);
    if (end == std::string_view::npos) continue;
    return std::string(tag.substr(at + 1, end - at - 1));
  }
  return {};
}

std::string Unescape(std::string_view text) {
  std::string plain;
  plain.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    bool replaced = false;
    for (const auto& [escape, c] : {std::pair<std::string_view, char>{"&lt;", '<'},
                                    {"&gt;", '>'},
                                    {"&amp;", '&'},
                                    {"&quot;", '"'},
                                    {"&apos;", '\''}}) {
      if (text.substr(i, escape.size()) != escape) continue;
      plain += c;
      i += escape.size() - 1;
      replaced = true;
      break;
    }
    if (!replaced) plain += text[i];
  }
  return plain;
}

// What is inside the element: a CDATA section, a fence, or the text itself.
std::string ElementText(std::string_view content) {
  constexpr std::string_view kCdata = "<![CDATA[";
  std::string_view inner = Trim(content);
  if (inner.starts_with(kCdata)) {
    inner.remove_prefix(kCdata.size());
    if (inner.ends_with("]]>")) inner.remove_suffix(3);
    return std::string(inner);
  }
  if (ReadMark(inner.substr(0, inner.find('\n')))) {
    const std::vector<Fence> fences = FindFences(inner);
    if (!fences.empty()) return std::string(fences.front().text);
  }
  const bool escaped =
      inner.find('<') == std::string_view::npos && inner.find("&lt;") != std::string_view::npos;
  return escaped ? Unescape(content) : std::string(content);
}

struct Opening {
  size_t kind = 0;     // index in kElements
  size_t content = 0;  // in the answer
  std::string name;
};

// <file name="..."> at the start of a line; `line` is trimmed, and begins at `begin`.
std::optional<Opening> ReadOpening(std::string_view line, size_t begin) {
  if (!line.starts_with("<")) return std::nullopt;
  const size_t end = line.find('>');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view word = line.substr(1, std::min(line.find_first_of(" \t>"), end) - 1);
  const auto kind = std::find(kElements.begin(), kElements.end(), word);
  if (kind == kElements.end()) return std::nullopt;
  return Opening{.kind = static_cast<size_t>(kind - kElements.begin()),
                 .content = begin + end + 1,
                 .name = AttributeName(line.substr(0, end))};
}

}  // namespace

std::vector<Fence> FindFences(std::string_view answer) { return FenceFinder(answer).Find(); }

bool MayBeCuda(const Fence& fence) {
  return std::find(kCudaInfos.begin(), kCudaInfos.end(), fence.info) != kCudaInfos.end();
}

std::vector<FileElement> FindFileElements(std::string_view answer) {
  std::vector<FileElement> elements;
  int line_number = 1;
  for (size_t begin = 0; begin < answer.size();) {
    const size_t newline = std::min(answer.find('\n', begin), answer.size());
    const std::string_view line = Trim(answer.substr(begin, newline - begin));
    const std::optional<Opening> opening =
        ReadOpening(line, static_cast<size_t>(line.data() - answer.data()));
    if (!opening) {
      begin = newline + 1;
      ++line_number;
      continue;
    }
    const std::string closing = "</" + std::string(kElements[opening->kind]) + ">";
    const size_t end = answer.find(closing, opening->content);
    const bool closed = end != std::string_view::npos;
    const size_t length = (closed ? end : answer.size()) - opening->content;
    elements.push_back({.name = opening->name,
                        .text = ElementText(answer.substr(opening->content, length)),
                        .closed = closed,
                        .line = line_number});
    if (!closed) break;
    const std::string_view passed = answer.substr(begin, end - begin);
    line_number += static_cast<int>(std::count(passed.begin(), passed.end(), '\n'));
    begin = end + closing.size();
  }
  return elements;
}

}  // namespace kw::eval
