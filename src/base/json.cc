#include "kw/base/json.h"

#include <cmath>

#include "kw/base/text.h"

namespace kw {
namespace {

constexpr int kMaxDepth = 100;

// The kind of a value in words, for errors.
std::string KindOf(const Json& value) {
  if (value.is_number_integer()) return "an integer";
  if (value.is_number()) return "a number";
  if (value.is_string()) return "a string";
  if (value.is_boolean()) return "a boolean";
  if (value.is_array()) return "an array";
  if (value.is_null()) return "null";
  return "an object";
}

template <class T>
struct Kind;
template <>
struct Kind<bool> {
  static constexpr std::string_view kName = "a boolean";
  static bool Take(const Json& value, bool& to) {
    if (!value.is_boolean()) return false;
    to = value.get<bool>();
    return true;
  }
};
template <>
struct Kind<int64_t> {
  static constexpr std::string_view kName = "an integer of at most 64 bits";
  static bool Take(const Json& value, int64_t& to) {
    if (!value.is_number_integer()) return false;
    if (value.is_number_unsigned() && value.get<uint64_t>() > INT64_MAX) return false;
    to = value.get<int64_t>();
    return true;
  }
};
template <>
struct Kind<double> {
  static constexpr std::string_view kName = "a finite number";
  static bool Take(const Json& value, double& to) {
    if (!value.is_number()) return false;
    to = value.get<double>();
    return std::isfinite(to);
  }
};
template <>
struct Kind<std::string> {
  static constexpr std::string_view kName = "a string";
  static bool Take(const Json& value, std::string& to) {
    if (!value.is_string()) return false;
    to = value.get<std::string>();
    return true;
  }
};
template <class T>
struct Kind<std::vector<T>> {
  static constexpr std::string_view kName = "an array";
  static bool Take(const Json& value, std::vector<T>& to) {
    if (!value.is_array()) return false;
    for (const Json& element : value) {
      T taken{};
      if (!Kind<T>::Take(element, taken)) return false;
      to.push_back(std::move(taken));
    }
    return true;
  }
};
template <class T>
std::string KindName() {
  return std::string(Kind<T>::kName);
}
template <>
std::string KindName<std::vector<int64_t>>() {
  return "an array of integers";
}
template <>
std::string KindName<std::vector<double>>() {
  return "an array of finite numbers";
}
template <>
std::string KindName<std::vector<std::string>>() {
  return "an array of strings";
}

}  // namespace

Result<Json> ParseJson(std::string_view text, std::string_view where) {
  bool too_deep = false;
  const Json::parser_callback_t limit_depth = [&](int depth, Json::parse_event_t, Json&) {
    too_deep |= depth > kMaxDepth;
    return !too_deep;
  };
  try {
    Json json = Json::parse(text, limit_depth);
    if (too_deep) {
      return Fail(ErrorCode::kLimit, std::string(where) + ": nested deeper than " +
                                         std::to_string(kMaxDepth) + " levels");
    }
    return json;
  } catch (const nlohmann::json::exception& error) {
    // "[json.exception.parse_error.101] parse error at line 1, column 2: ..." without its number.
    const std::string_view words = error.what();
    const size_t end = words.find("] ");
    return Fail(ErrorCode::kParse,
                std::string(where) + ": no JSON: " +
                    Shorten(ToValidUtf8(end == words.npos ? words : words.substr(end + 2)), 200));
  }
}

std::string DumpJson(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string DumpJsonPretty(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

const Json* ObjectReader::Find(const std::string& key) {
  asked_.insert(key);
  return Has(key) ? &json_.at(key) : nullptr;
}

template <class T>
Result<T> ObjectReader::Convert(const Json& value, const std::string& key) const {
  T taken{};
  if (Kind<T>::Take(value, taken)) return taken;
  return Fail(ErrorCode::kInvalid,
              where_ + ": '" + key + "' must be " + KindName<T>() + ", not " + KindOf(value));
}

template <class T>
Result<T> ObjectReader::Required(const std::string& key) {
  const Json* value = Find(key);
  if (!json_.is_object()) {
    return Fail(ErrorCode::kInvalid, where_ + ": must be an object, not " + KindOf(json_));
  }
  if (value == nullptr) return Fail(ErrorCode::kInvalid, where_ + ": '" + key + "' is missing");
  return Convert<T>(*value, key);
}

template <class T>
Result<T> ObjectReader::Optional(const std::string& key, T otherwise) {
  const Json* value = Find(key);
  if (!json_.is_object()) {
    return Fail(ErrorCode::kInvalid, where_ + ": must be an object, not " + KindOf(json_));
  }
  if (value == nullptr) return otherwise;
  return Convert<T>(*value, key);
}

Result<void> ObjectReader::RejectUnknown() const {
  if (!json_.is_object()) {
    return Fail(ErrorCode::kInvalid, where_ + ": must be an object, not " + KindOf(json_));
  }
  for (const auto& [key, value] : json_.items()) {
    if (!asked_.contains(key)) {
      return Fail(
          ErrorCode::kInvalid,
          where_ + ": " +
              UnknownName("key", key, std::vector<std::string>(asked_.begin(), asked_.end())));
    }
  }
  return {};
}

#define KW_INSTANTIATE(T)                                           \
  template Result<T> ObjectReader::Required<T>(const std::string&); \
  template Result<T> ObjectReader::Optional<T>(const std::string&, T)
KW_INSTANTIATE(bool);
KW_INSTANTIATE(int64_t);
KW_INSTANTIATE(double);
KW_INSTANTIATE(std::string);
KW_INSTANTIATE(std::vector<int64_t>);
KW_INSTANTIATE(std::vector<double>);
KW_INSTANTIATE(std::vector<std::string>);

}  // namespace kw
