// Chunks of streamed chat completions.
#include <fmt/format.h>
#include <simdjson.h>

#include "kw/base.h"
#include "openai_wire.h"
#include "sse.h"
#include "utf8_joiner.h"
#include "wire_json.h"

namespace kw::llm {
namespace {

namespace dom = simdjson::dom;

class OpenAiStream : public StreamReader {
 public:
  Result<Piece> Read(std::string_view, std::string_view data) override {
    if (data == "[DONE]") {
      facts_.ended = true;
      return Piece{};
    }
    Piece piece;
    if (ReadPlain(data, piece)) return piece;
    return ReadAny(data);
  }

 private:
  // Chunks that hold text and nothing else of interest, as nearly all do. False for others, of
  // which nothing was noted.
  bool ReadPlain(std::string_view data, Piece& piece);
  static bool ReadChoices(dom::element choices, Piece& piece);
  static bool ReadDelta(dom::element delta, Piece& piece);
  Result<Piece> ReadAny(std::string_view data);

  std::string content_, reasoning_;  // of ReadAny
};

bool OpenAiStream::ReadPlain(std::string_view data, Piece& piece) {
  dom::object chunk;
  if (ParsePlainEvent(data).get(chunk)) return false;
  Piece read;
  std::string_view model;
  bool has_choices = false;
  for (const auto& [key, value] : chunk) {
    if (key == "choices") {
      if (!ReadChoices(value, read)) return false;
      has_choices = true;
    } else if (key == "model") {
      if (value.get(model)) return false;
    } else if ((key == "usage" || key == "error") && !value.is_null()) {
      return false;
    }
  }
  if (!has_choices) return false;
  if (facts_.model.empty()) facts_.model = model;
  piece = read;
  return true;
}

bool OpenAiStream::ReadChoices(dom::element choices, Piece& piece) {
  dom::array list;
  if (choices.get(list) || list.size() != 1) return false;
  dom::object choice;
  if (list.at(0).get(choice)) return false;
  for (const auto& [key, value] : choice) {
    if (key == "delta") {
      if (!ReadDelta(value, piece)) return false;
    } else if (key == "index") {
      int64_t index = 0;
      if (value.get(index) || index != 0) return false;
    } else if ((key == "finish_reason" || key == "message") && !value.is_null()) {
      return false;
    }
  }
  return true;
}

bool OpenAiStream::ReadDelta(dom::element delta, Piece& piece) {
  dom::object parts;
  if (delta.get(parts)) return false;
  for (const auto& [key, value] : parts) {
    const bool is_content = key == "content";
    if (!is_content && key != "reasoning_content" && key != "reasoning") continue;
    if (value.is_null()) continue;
    if (value.get(is_content ? piece.content : piece.reasoning)) return false;
  }
  return true;
}

Result<StreamReader::Piece> OpenAiStream::ReadAny(std::string_view data) {
  bool marked = false;
  KW_ASSIGN(const Json chunk, ParseEvent(data, &marked));
  const Json* choices = Member(chunk, "choices");
  if (const Json* error = Member(chunk, "error"); error != nullptr && choices == nullptr) {
    facts_.error_status = StatusOfError(*error);
    facts_.error = ErrorWords(data);
    return Piece{};
  }
  if (!chunk.is_object() || (choices == nullptr && Member(chunk, "usage") == nullptr)) {
    return Fail(ErrorCode::kParse, "a chunk of the stream is no chat completion's; it begins: " +
                                       Shorten(DumpJson(chunk), kShownBytes));
  }
  if (facts_.model.empty()) facts_.model = StringMember(chunk, "model");
  if (const Json* usage = Member(chunk, "usage"))
    facts_.has_usage |= ReadUsage(*usage, facts_.usage);
  content_.clear();
  reasoning_.clear();
  if (choices == nullptr || !choices->is_array()) return Piece{};
  for (const Json& choice : *choices) {
    if (CountMember(&choice, "index") != 0) continue;
    const std::string reason = StringMember(choice, "finish_reason");
    if (!reason.empty()) facts_.finish_reason = reason;
    // Servers that take no notice of "stream" may still write events, with the whole message.
    const Json* delta = Member(choice, "delta");
    if (delta == nullptr) delta = Member(choice, "message");
    if (delta != nullptr) ReadTexts(*delta, content_, reasoning_);
  }
  if (marked) {
    content_ = RestoreBrokenBytes(content_);
    reasoning_ = RestoreBrokenBytes(reasoning_);
  }
  return Piece{content_, reasoning_};
}

}  // namespace

std::unique_ptr<StreamReader> NewOpenAiStream() { return std::make_unique<OpenAiStream>(); }

}  // namespace kw::llm
