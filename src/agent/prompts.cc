#include "prompts.h"

#include <fmt/format.h>

#include <kainjow/mustache.hpp>
#include <set>

#include "kw/base/file.h"
#include "kw/base/hash.h"
#include "kw/base/text.h"

namespace kw {
namespace {

namespace km = kainjow::mustache;

constexpr std::string_view kSuffix = ".mustache";
constexpr int kMaxPartials = 100;  // in one rendering: a partial that includes itself ends here

// Looks names up as the library does, and remembers those that are not there.
class WatchedContext : public km::context<std::string> {
 public:
  WatchedContext(const km::data* values, const std::map<std::string, std::string>& templates)
      : context(values), templates_(templates) {}

  const km::data* get(const std::string& name) const override {
    const km::data* found = context::get(name);
    if (found == nullptr) missing_.insert(name);
    return found;
  }

  const km::data* get_partial(const std::string& name) const override {
    auto found = templates_.find(name);
    if (found == templates_.end() || ++partials_ > kMaxPartials) {
      missing_.insert("> " + name);
      return nullptr;
    }
    return &partial_texts_.try_emplace(name, km::data(found->second)).first->second;
  }

  const std::set<std::string>& missing() const { return missing_; }

 private:
  const std::map<std::string, std::string>& templates_;
  mutable std::map<std::string, km::data> partial_texts_;
  mutable std::set<std::string> missing_;
  mutable int partials_ = 0;
};

std::string AsItIs(const std::string& text) { return text; }

// Collects the pieces of a rendering. A section that is left out leaves its empty line behind:
// of several empty lines of a template one is kept. Values pass through unchanged, since the
// library gives a line with its values as one piece.
class Output {
 public:
  Output& operator<<(const std::string& piece) {
    if (piece != "\n") {
      line_ += piece;
      return *this;
    }
    if (!line_.empty() || !last_was_empty_) text_ += line_ + '\n';
    last_was_empty_ = line_.empty();
    line_.clear();
    return *this;
  }
  std::string Take() {
    text_ += line_;
    text_.resize(text_.find_last_not_of('\n') + 1);
    return std::move(text_) + '\n';
  }

 private:
  std::string text_, line_;
  bool last_was_empty_ = true;
};

// "head" of a template that begins with "{{> head}}"; "" of others.
std::string LeadingPartial(std::string_view text) {
  constexpr std::string_view kOpen = "{{>", kClose = "}}";
  const size_t end = text.find(kClose);
  if (!text.starts_with(kOpen) || end == std::string_view::npos) return "";
  return std::string(Trim(text.substr(kOpen.size(), end - kOpen.size())));
}

km::data Convert(const std::string& text) { return km::data(text); }
km::data Convert(bool flag) {
  return km::data(flag ? km::data::type::bool_true : km::data::type::bool_false);
}

}  // namespace

PromptValues& PromptValues::Text(const std::string& name, std::string text) {
  values_["has_" + name] = !text.empty();
  values_[name] = std::move(text);
  return *this;
}

PromptValues& PromptValues::Flag(const std::string& name, bool value) {
  values_[name] = value;
  return *this;
}

PromptValues& PromptValues::List(const std::string& name, std::vector<PromptValues> items) {
  values_["has_" + name] = !items.empty();
  values_[name] = std::move(items);
  return *this;
}

Result<PromptSet> PromptSet::Load(const std::string& folder) {
  KW_ASSIGN(std::vector<std::string> names, ListDirectory(folder));
  PromptSet set;
  Hasher hasher;
  for (const std::string& name : names) {
    if (!name.ends_with(kSuffix)) continue;
    KW_ASSIGN(std::string text, ReadFile(folder + "/" + name, 1 << 20));
    hasher.Add(name).Add(text);
    // A partial stands on a line of its own, whose end is already in the template around it.
    std::string body(text.substr(0, text.find_last_not_of('\n') + 1));
    try {
      km::mustache parsed(body);
      if (!parsed.is_valid()) {
        return Fail(ErrorCode::kParse,
                    fmt::format("{}/{}: {}", folder, name, parsed.error_message()));
      }
    } catch (const std::exception& error) {
      return Fail(ErrorCode::kParse, fmt::format("{}/{}: {}", folder, name, error.what()));
    }
    set.templates_[name.substr(0, name.size() - kSuffix.size())] = std::move(body);
  }
  if (set.templates_.empty()) {
    return Fail(ErrorCode::kNotFound, fmt::format("{} holds no *.mustache templates", folder));
  }
  set.hash_ = hasher.Hex();
  return set;
}

Result<std::string> PromptSet::Render(const std::string& name, const PromptValues& values) const {
  struct Converter {
    static km::data Object(const PromptValues& values) {
      km::data object(km::data::type::object);
      for (const auto& [key, value] : values.values_) {
        if (const auto* items = std::get_if<std::vector<PromptValues>>(&value)) {
          km::data list(km::data::type::list);
          for (const PromptValues& item : *items) list.push_back(Object(item));
          object.set(key, list);
        } else if (const auto* text = std::get_if<std::string>(&value)) {
          object.set(key, Convert(*text));
        } else {
          object.set(key, Convert(std::get<bool>(value)));
        }
      }
      return object;
    }
  };
  auto found = templates_.find(name);
  if (found == templates_.end()) {
    std::vector<std::string> known;
    for (const auto& [known_name, text] : templates_) known.push_back(known_name);
    return Fail(ErrorCode::kNotFound, UnknownName("prompt", name, known));
  }
  try {
    km::mustache parsed(found->second);
    parsed.set_custom_escape(AsItIs);
    km::data object = Converter::Object(values);
    WatchedContext context(&object, templates_);
    Output out;
    parsed.render(context, out);
    if (!parsed.is_valid()) {
      return Fail(ErrorCode::kParse, fmt::format("prompt '{}': {}", name, parsed.error_message()));
    }
    if (!context.missing().empty()) {
      return Fail(ErrorCode::kInvalid,
                  fmt::format("prompt '{}' asks for '{}', which it is not given", name,
                              *context.missing().begin()));
    }
    return out.Take();
  } catch (const std::exception& error) {
    return Fail(ErrorCode::kInternal, fmt::format("prompt '{}': {}", name, error.what()));
  }
}

Result<ChatMessage> PromptSet::Message(const std::string& name, const PromptValues& values) const {
  ChatMessage message{"user", ""};
  KW_ASSIGN(message.content, Render(name, values));
  const std::string head = LeadingPartial(templates_.at(name));
  if (head.empty()) return message;
  KW_ASSIGN(const std::string stable, Render(head, values));
  message.stable_bytes = message.content.starts_with(stable) ? stable.size() : 0;
  return message;
}

}  // namespace kw
