// JSON and TOML as one kind of value, and a reader that refuses what it does not know.
// Include it in .cc files only: between rooms go native types, never raw JSON.
//
//   KW_ASSIGN(Json json, ParseToml(text, "task.toml"));
//   ObjectReader reader(json, "task.toml");
//   KW_ASSIGN(double range, reader.Optional<double>("range", 1.0));
//   KW_TRY(reader.RejectUnknown());        // "task.toml: unknown key 'rnage' (did you mean
//   'range'?)"
#pragma once

#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "kw/base/error.h"

namespace kw {

// Objects keep the order of the text, so that files travel through unchanged.
using Json = nlohmann::ordered_json;

// `where` names the text in errors (a file name). Depth is limited to 100, NaN is refused.
[[nodiscard]] Result<Json> ParseJson(std::string_view text, std::string_view where);
// TOML 1.0; dates become strings.
[[nodiscard]] Result<Json> ParseToml(std::string_view text, std::string_view where);
// Compact, one line, invalid UTF-8 replaced.
std::string DumpJson(const Json& json);
std::string DumpJsonPretty(const Json& json);

// Reads the keys of one object; each error names the path ("task.toml: inputs.x.range").
class ObjectReader {
 public:
  ObjectReader(const Json& json, std::string where) : json_(json), where_(std::move(where)) {}

  bool Has(const std::string& key) const { return json_.is_object() && json_.contains(key); }
  // The member as it is, or nullptr. Counts as known.
  const Json* Find(const std::string& key);
  // T: bool, int64_t, double (an integer is taken), std::string, std::vector of these.
  template <class T>
  [[nodiscard]] Result<T> Required(const std::string& key);
  template <class T>
  [[nodiscard]] Result<T> Optional(const std::string& key, T otherwise);
  // Fails at the first key that was never asked for, naming the nearest that was.
  [[nodiscard]] Result<void> RejectUnknown() const;
  const std::string& where() const { return where_; }

 private:
  template <class T>
  Result<T> Convert(const Json& value, const std::string& key) const;

  const Json& json_;
  std::string where_;
  std::set<std::string> asked_;
};

extern template Result<bool> ObjectReader::Required<bool>(const std::string&);
extern template Result<int64_t> ObjectReader::Required<int64_t>(const std::string&);
extern template Result<double> ObjectReader::Required<double>(const std::string&);
extern template Result<std::string> ObjectReader::Required<std::string>(const std::string&);
extern template Result<std::vector<int64_t>> ObjectReader::Required<std::vector<int64_t>>(
    const std::string&);
extern template Result<std::vector<double>> ObjectReader::Required<std::vector<double>>(
    const std::string&);
extern template Result<std::vector<std::string>> ObjectReader::Required<std::vector<std::string>>(
    const std::string&);
extern template Result<bool> ObjectReader::Optional<bool>(const std::string&, bool);
extern template Result<int64_t> ObjectReader::Optional<int64_t>(const std::string&, int64_t);
extern template Result<double> ObjectReader::Optional<double>(const std::string&, double);
extern template Result<std::string> ObjectReader::Optional<std::string>(const std::string&,
                                                                        std::string);
extern template Result<std::vector<int64_t>> ObjectReader::Optional<std::vector<int64_t>>(
    const std::string&, std::vector<int64_t>);
extern template Result<std::vector<double>> ObjectReader::Optional<std::vector<double>>(
    const std::string&, std::vector<double>);
extern template Result<std::vector<std::string>> ObjectReader::Optional<std::vector<std::string>>(
    const std::string&, std::vector<std::string>);

}  // namespace kw
