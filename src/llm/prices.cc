#include "prices.h"

#include <algorithm>
#include <cctype>

#include "kw/base/json.h"

namespace kw::llm {
namespace {

bool IsDigits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// "gpt-4o-2024-08-06", "claude-sonnet-4-20250514", "gemini-1.5-pro-latest" without their ends.
std::string_view WithoutDate(std::string_view name) {
  for (std::string_view end : {"-latest", ":latest", "-preview"}) {
    if (name.size() > end.size() && name.substr(name.size() - end.size()) == end) {
      return name.substr(0, name.size() - end.size());
    }
  }
  const auto part = [&name](size_t from_end, size_t size) {
    return name.size() >= from_end ? name.substr(name.size() - from_end, size) : "";
  };
  if (part(11, 1) == "-" && IsDigits(part(10, 4)) && part(6, 1) == "-" && IsDigits(part(5, 2)) &&
      part(3, 1) == "-" && IsDigits(part(2, 2))) {
    return name.substr(0, name.size() - 11);
  }
  if (part(9, 1) == "-" && IsDigits(part(8, 8))) return name.substr(0, name.size() - 9);
  return name;
}

}  // namespace

Result<Prices> Prices::Parse(std::string_view toml, const std::string& where) {
  KW_ASSIGN(const Json json, ParseToml(toml, where));
  ObjectReader file(json, where);
  KW_ASSIGN(const int64_t version, file.Required<int64_t>("version"));
  if (version != 1) {
    return Fail(ErrorCode::kInvalid, where + ": version " + std::to_string(version) +
                                         " of the price table is not known; this program reads 1");
  }
  const Json* models = file.Find("model");
  KW_TRY(file.RejectUnknown());
  Prices prices;
  if (models == nullptr) return prices;
  if (!models->is_array()) {
    return Fail(ErrorCode::kInvalid, where + ": write each model as a table [[model]]");
  }
  for (const Json& model : *models) {
    ObjectReader reader(model, where + ": model");
    KW_ASSIGN(const std::string name, reader.Required<std::string>("name"));
    Price price;
    KW_ASSIGN(price.input, reader.Required<double>("input"));
    KW_ASSIGN(price.output, reader.Required<double>("output"));
    KW_TRY(reader.Required<std::string>("as_of"));
    KW_TRY(reader.RejectUnknown());
    if (!(price.input >= 0) || !(price.output >= 0)) {
      return Fail(ErrorCode::kInvalid, where + ": " + name + ": a price below 0");
    }
    if (!prices.models_.emplace(name, price).second) {
      return Fail(ErrorCode::kInvalid, where + ": " + name + " is there twice");
    }
  }
  return prices;
}

Result<Prices> Prices::Load(const std::string& file) {
  if (file.empty()) return Prices();
  KW_ASSIGN(const std::string text, ReadFile(file));
  return Parse(text, file);
}

double Prices::Cost(std::string_view model, int64_t prompt_tokens,
                    int64_t completion_tokens) const {
  const std::string_view bare = model.substr(model.rfind('/') + 1);
  for (std::string_view name : {model, WithoutDate(model), bare, WithoutDate(bare)}) {
    const auto found = models_.find(name);
    if (found == models_.end()) continue;
    return (static_cast<double>(prompt_tokens) * found->second.input +
            static_cast<double>(completion_tokens) * found->second.output) /
           1e6;
  }
  return 0;
}

}  // namespace kw::llm
