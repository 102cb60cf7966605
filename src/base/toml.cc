// TOML to JSON values; the one file that knows toml++.
#define TOML_EXCEPTIONS 0
// Its assertions would end the program on hostile text; what it returns is an error all the same.
#define TOML_ASSERT(expr) static_cast<void>(0)
#include <toml++/toml.h>

#include <sstream>
#include <string>

#include "kw/base/json.h"

namespace kw {
namespace {

Json Convert(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::table: {
      Json object = Json::object();
      for (const auto& [key, value] : *node.as_table()) {
        object[std::string(key.str())] = Convert(value);
      }
      return object;
    }
    case toml::node_type::array: {
      Json array = Json::array();
      for (const toml::node& element : *node.as_array()) array.push_back(Convert(element));
      return array;
    }
    case toml::node_type::string:
      return node.as_string()->get();
    case toml::node_type::integer:
      return node.as_integer()->get();
    case toml::node_type::floating_point:
      return node.as_floating_point()->get();
    case toml::node_type::boolean:
      return node.as_boolean()->get();
    default: {
      std::ostringstream text;
      node.visit([&](const auto& value) {
        if constexpr (!toml::is_table<decltype(value)> && !toml::is_array<decltype(value)>) {
          text << value.get();
        }
      });
      return text.str();
    }
  }
}

}  // namespace

Result<Json> ParseToml(std::string_view text, std::string_view where) {
  const toml::parse_result parsed = toml::parse(text);
  if (!parsed) {
    const toml::source_position at = parsed.error().source().begin;
    return Fail(ErrorCode::kParse, std::string(where) + ":" + std::to_string(at.line) + ": " +
                                       std::string(parsed.error().description()));
  }
  return Convert(parsed.table());
}

}  // namespace kw
