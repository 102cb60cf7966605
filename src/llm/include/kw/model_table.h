// Model names as people know them, and what they stand for: providers, addresses, keys, prices.
//
//   KW_ASSIGN(ModelTable table, ModelTable::Load({home + "/data/models/models.toml"}));
//   KW_ASSIGN(ModelAddress at, table.Resolve("gemini/gemini-2.5-flash", ""));
//
// docs/formats/models.md describes the file.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "kw/llm.h"

namespace kw {

class ObjectReader;

// Where a model is asked, and how.
struct ModelAddress {
  std::string provider;  // "" where a base URL was given, and its name is of no provider
  std::string model;     // as the endpoint knows it
  std::string base_url;
  ApiKind api = ApiKind::kOpenAi;
  std::vector<std::string> key_variables;  // of the environment; the first that is set is the key
  bool max_completion_tokens = false, fixed_temperature = false;
  int64_t context_tokens = 0;  // 0: not known
};

class ModelTable {
 public:
  // Later files replace what earlier ones say of the same provider or model. None: an empty table.
  // kParse, kInvalid: a file does not follow its format; says where.
  [[nodiscard]] static Result<ModelTable> Load(const std::vector<std::string>& files);
  [[nodiscard]] Result<void> Add(std::string_view toml, const std::string& where);

  // `name` is "provider/model", or what an endpoint at `base_url` calls it. `variable` gives the
  // environment. kInvalid where nothing says which endpoint is meant: it says what to write.
  using Variable = std::string (*)(const std::string& name);
  [[nodiscard]] Result<ModelAddress> Resolve(const std::string& name, const std::string& base_url,
                                             Variable variable) const;

  // In US dollars; 0 for a model that the table does not know. A name is looked up as it is, then
  // without the provider before its last '/', then without a date or "latest" at its end.
  double Cost(std::string_view model, const TokenUsage& usage) const;
  bool HasPrice(std::string_view model) const { return Find(model) != nullptr; }
  size_t models() const { return models_.size(); }

 private:
  struct Provider {
    ApiKind api = ApiKind::kOpenAi;
    std::string base_url;
    std::vector<std::string> base_url_variables, key_variables;
    bool at_own_url = false;
  };
  struct Model {
    std::string provider;
    double input = 0, output = 0, cached = 0;  // US dollars per million tokens
    int64_t context_tokens = 0;
    bool max_completion_tokens = false, fixed_temperature = false;
  };
  Result<void> AddProvider(ObjectReader& reader);
  Result<void> AddModel(ObjectReader& reader);
  const Model* Find(std::string_view name) const;

  std::map<std::string, Provider, std::less<>> providers_;
  std::map<std::string, Model, std::less<>> models_;
};

}  // namespace kw
