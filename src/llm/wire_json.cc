#include "wire_json.h"

#include <fmt/format.h>

#include "kw/base.h"
#include "utf8_joiner.h"

namespace kw::llm {
namespace {

// On one line, so that it fits into a message.
std::string Flatten(std::string_view text) {
  std::string flat;
  for (char c : text) {
    const bool blank = static_cast<unsigned char>(c) <= ' ';
    if (!blank) flat += c;
    if (blank && !flat.empty() && flat.back() != ' ') flat += ' ';
  }
  if (!flat.empty() && flat.back() == ' ') flat.pop_back();
  return flat;
}

bool IsHexDigit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

// The value of "\uXXXX" at `at`, or -1.
int EscapeAt(std::string_view text, size_t at) {
  if (at + 6 > text.size() || text[at] != '\\' || text[at + 1] != 'u') return -1;
  int value = 0;
  for (size_t i = at + 2; i < at + 6; ++i) {
    if (!IsHexDigit(text[i])) return -1;
    const char c = text[i];
    value = value * 16 + (c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
  }
  return value;
}

// Escapes of half a surrogate pair, which some servers write where a model stopped inside a
// character, are no valid JSON: one broken character must not cost the whole answer.
std::string ReplaceLoneSurrogates(std::string_view text) {
  std::string out;
  size_t at = 0;
  while (at < text.size()) {
    const int value = EscapeAt(text, at);
    if (value < 0xD800 || value > 0xDFFF) {
      const size_t size = value >= 0 ? 6 : text[at] == '\\' ? 2 : 1;
      out += text.substr(at, size);
      at += size;
      continue;
    }
    const int next = EscapeAt(text, at + 6);
    const bool pair = value < 0xDC00 && next >= 0xDC00 && next <= 0xDFFF;
    out += pair ? text.substr(at, 12) : std::string_view("\\ufffd");
    at += pair ? 12 : 6;
  }
  return out;
}

// "invalid_request_error", 400 -> " (invalid_request_error, 400)"
std::string KindAndCode(const Json& error) {
  std::vector<std::string> parts;
  for (const char* key : {"type", "code", "status"}) {
    const Json* member = Member(error, key);
    if (member == nullptr) continue;
    if (member->is_string()) parts.push_back(member->get<std::string>());
    if (member->is_number_integer()) parts.push_back(std::to_string(member->get<int64_t>()));
  }
  return parts.empty() ? "" : " (" + Join(parts, ", ") + ")";
}

std::string WordsOf(const Json& json);

// FastAPI's validation errors: [{"loc": ["body", "max_tokens"], "msg": "..."}].
std::string WordsOfList(const Json& list) {
  std::vector<std::string> words;
  for (const Json& entry : list) {
    std::string where;
    if (const Json* loc = Member(entry, "loc"); loc != nullptr && loc->is_array()) {
      for (const Json& step : *loc) {
        where += where.empty() ? "" : ".";
        where += step.is_string() ? step.get<std::string>() : DumpJson(step);
      }
    }
    const std::string text = WordsOf(entry);
    if (!text.empty()) words.push_back(where.empty() ? text : where + ": " + text);
  }
  return Join(words, "; ");
}

std::string WordsOf(const Json& json) {
  if (json.is_string()) return json.get<std::string>();
  if (json.is_array()) return WordsOfList(json);
  for (const char* key : {"error", "message", "msg", "detail", "title"}) {
    const Json* member = Member(json, key);
    if (member == nullptr) continue;
    const std::string words = WordsOf(*member);
    if (!words.empty()) return member->is_string() ? words + KindAndCode(json) : words;
  }
  return KindAndCode(json);
}

bool LooksLikeHtml(std::string_view text) {
  const std::string head = ToLower(text.substr(0, 200));
  return head.find("<html") != std::string::npos || head.find("<!doctype") != std::string::npos;
}

// The text between the tags; scripts and styles are no text.
std::string TextOfHtml(std::string_view html) {
  std::string text;
  const std::string lower = ToLower(html);
  size_t at = 0;
  while (at < html.size()) {
    if (html[at] != '<') {
      text += html[at++];
      continue;
    }
    for (const char* name : {"script", "style", "head"}) {
      if (lower.compare(at + 1, std::string_view(name).size(), name) != 0) continue;
      if (std::string_view(name) == "head" && lower.compare(at + 1, 6, "header") == 0) continue;
      const size_t end = lower.find(std::string("</") + name, at);
      if (end != std::string::npos) at = end;
    }
    const size_t close = html.find('>', at);
    text += ' ';
    at = close == std::string_view::npos ? html.size() : close + 1;
  }
  return text;
}

}  // namespace

Result<Json> ParseBody(std::string_view body) {
  const std::string valid = ReplaceLoneSurrogates(ToValidUtf8(body));
  auto json = ParseJson(valid, "the answer");
  if (json) return json;
  const std::string shown = Shorten(Flatten(valid), kShownBytes);
  return Fail(ErrorCode::kParse, shown.empty()
                                     ? std::string("the answer is empty")
                                     : fmt::format("the answer is no JSON; it begins: {}", shown));
}

Result<Json> ParseEvent(std::string_view data, bool* marked) {
  *marked = !IsValidUtf8(data);
  return *marked ? ParseBody(MarkBrokenBytes(data)) : ParseBody(data);
}

simdjson::simdjson_result<simdjson::dom::element> ParsePlainEvent(std::string_view data) {
  thread_local simdjson::dom::parser parser;
  return parser.parse(data.data(), data.size(), /*realloc_if_needed=*/false);
}

const Json* Member(const Json& json, const char* key) {
  if (!json.is_object()) return nullptr;
  const auto found = json.find(key);
  return found == json.end() || found->is_null() ? nullptr : &*found;
}

std::string StringMember(const Json& json, const char* key) {
  const Json* member = Member(json, key);
  return member != nullptr && member->is_string() ? member->get<std::string>() : "";
}

// Absent or odd counts are 0: usage is a courtesy of the endpoint.
int64_t CountMember(const Json* usage, const char* key) {
  const Json* count = usage == nullptr ? nullptr : Member(*usage, key);
  if (count == nullptr || !count->is_number()) return 0;
  const double value = count->get<double>();
  return value > 0 && value < 1e15 ? static_cast<int64_t>(value) : 0;
}

std::string ErrorWords(std::string_view body) {
  const std::string valid = ToValidUtf8(body);
  std::string words;
  if (auto json = ParseBody(valid); json && !json->is_number()) words = WordsOf(*json);
  if (words.empty()) words = LooksLikeHtml(valid) ? TextOfHtml(valid) : valid;
  return Flatten(words);
}

}  // namespace kw::llm
