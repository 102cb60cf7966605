// Chat completions as OpenAI-compatible endpoints write them: requests out, whole answers in.
#include "openai_wire.h"

#include <fmt/format.h>

#include "kw/base.h"

namespace kw::llm {
namespace {

// Endpoints differ in how wide a seed they take; 31 bits go everywhere, and 1 stays 1.
constexpr uint64_t kSeedBits = 0x7FFFFFFF;

tl::unexpected<Error> NoCompletion(std::string_view why, const Json& json) {
  return Fail(ErrorCode::kParse, fmt::format("the answer is no chat completion: {}; it begins: {}",
                                             why, Shorten(DumpJson(json), kShownBytes)));
}

// A text, or the texts of an array of parts ({"type": "text", "text": ...}; others are no text).
bool ReadContent(const Json& content, std::string& text) {
  if (content.is_string()) {
    text += content.get_ref<const std::string&>();
    return true;
  }
  if (!content.is_array()) return false;
  for (const Json& part : content) {
    if (part.is_string()) text += part.get<std::string>();
    if (StringMember(part, "type") == "text") text += StringMember(part, "text");
  }
  return true;
}

class OpenAi : public Wire {
 public:
  std::string Path() const override { return "/chat/completions"; }

  std::vector<std::string> Headers(const std::string& key) const override {
    if (key.empty()) return {};
    return {"Authorization: Bearer " + key};
  }

  std::string Encode(const ChatRequest& request, bool stream,
                     const WireTraits& traits) const override {
    Json messages = Json::array();
    for (const ChatMessage& message : request.messages) {
      messages.push_back({{"role", message.role}, {"content", message.content}});
    }
    Json body = {{"model", request.model}, {"messages", std::move(messages)}};
    if (!traits.fixed_temperature) body["temperature"] = request.temperature;
    body[traits.max_completion_tokens ? "max_completion_tokens" : "max_tokens"] =
        request.max_tokens;
    // Some endpoints refuse temperature and top_p together.
    if (request.top_p != 1.0) body["top_p"] = request.top_p;
    if (request.seed) body["seed"] = *request.seed & kSeedBits;
    if (!request.stop.empty()) body["stop"] = request.stop;
    if (stream) {
      body["stream"] = true;
      body["stream_options"] = {{"include_usage", true}};
    }
    return DumpJson(body);
  }

  Result<WireAnswer> Parse(std::string_view body) const override {
    KW_ASSIGN(const Json json, ParseBody(body));
    if (!json.is_object()) return NoCompletion("no object", json);
    WireAnswer wire;
    const Json* choices = Member(json, "choices");
    if (const Json* error = Member(json, "error"); error != nullptr && choices == nullptr) {
      wire.error_status = StatusOfError(*error);
      wire.error = ErrorWords(body);
      return wire;
    }
    if (choices == nullptr || !choices->is_array() || choices->empty()) {
      return NoCompletion("no 'choices'", json);
    }
    const Json& choice = choices->front();
    const Json* message = Member(choice, "message");
    if (message == nullptr || !message->is_object()) return NoCompletion("no 'message'", json);
    if (!ReadTexts(*message, wire.answer.content, wire.answer.reasoning)) {
      return NoCompletion("'content' is neither text nor parts", json);
    }
    wire.answer.finish_reason = StringMember(choice, "finish_reason");
    wire.answer.model = StringMember(json, "model");
    const Json* usage = Member(json, "usage");
    wire.has_usage = usage != nullptr && ReadUsage(*usage, wire.answer.usage);
    return wire;
  }

  std::unique_ptr<StreamReader> NewStream() const override { return NewOpenAiStream(); }
};

}  // namespace

const Wire& OpenAiWire() {
  static const OpenAi wire;
  return wire;
}

bool ReadUsage(const Json& usage, TokenUsage& read) {
  if (!usage.is_object()) return false;
  const TokenUsage counted = {
      .prompt = CountMember(&usage, "prompt_tokens"),
      .completion = CountMember(&usage, "completion_tokens"),
      .cached = CountMember(Member(usage, "prompt_tokens_details"), "cached_tokens"),
      .reasoning = CountMember(Member(usage, "completion_tokens_details"), "reasoning_tokens")};
  if (counted.prompt == 0 && counted.completion == 0) return false;
  read = counted;
  return true;
}

bool ReadTexts(const Json& message, std::string& content, std::string& reasoning) {
  for (const char* key : {"reasoning_content", "reasoning"}) {
    const std::string text = StringMember(message, key);
    reasoning += text;
    if (!text.empty()) break;  // some servers write both, alike
  }
  const Json* text = Member(message, "content");
  return text == nullptr || ReadContent(*text, content);
}

int StatusOfError(const Json& error) {
  const int64_t code = CountMember(&error, "code");
  return code >= 400 && code < 600 ? static_cast<int>(code) : 500;
}

Result<std::vector<ListedModel>> ParseModelList(std::string_view body) {
  KW_ASSIGN(const Json json, ParseBody(body));
  const Json* data = json.is_array() ? &json : Member(json, "data");
  if (data == nullptr) data = Member(json, "models");
  if (data == nullptr || !data->is_array()) {
    return Fail(ErrorCode::kParse, "the answer is no list of models; it begins: " +
                                       Shorten(DumpJson(json), kShownBytes));
  }
  std::vector<ListedModel> models;
  for (const Json& entry : *data) {
    ListedModel model;
    model.name = StringMember(entry, "id");
    if (model.name.empty()) model.name = StringMember(entry, "name");
    // vLLM's word, OpenRouter's, Groq's.
    for (const char* key : {"max_model_len", "context_length", "context_window"}) {
      if (model.context_tokens == 0) model.context_tokens = CountMember(&entry, key);
    }
    // llama.cpp's: of a slot.
    if (model.context_tokens == 0) {
      model.context_tokens = CountMember(Member(entry, "meta"), "n_ctx");
    }
    if (!model.name.empty()) models.push_back(std::move(model));
  }
  return models;
}

}  // namespace kw::llm
