// What models cost: data/models/prices.toml.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "kw/base.h"

namespace kw::llm {

class Prices {
 public:
  // kParse, kInvalid: the file does not follow its format.
  static Result<Prices> Parse(std::string_view toml, const std::string& where);
  // No file ("") has no prices.
  static Result<Prices> Load(const std::string& file);

  // In US dollars; 0 for a model that the table does not know. A name is looked up as it is, then
  // without the provider before its last '/', then without a date or "latest" at its end.
  double Cost(std::string_view model, int64_t prompt_tokens, int64_t completion_tokens) const;
  size_t size() const { return models_.size(); }

 private:
  struct Price {
    double input = 0, output = 0;  // US dollars per million tokens
  };
  std::map<std::string, Price, std::less<>> models_;
};

}  // namespace kw::llm
