// Opens the models that a configuration names.
#pragma once

#include <memory>
#include <string>

#include "kw/agent.h"
#include "kw/model_table.h"

namespace kw::cli {

// The program's table of models, with one of the user's on top: the file that is given, else
// $KWRIGHT_MODELS, else ~/.config/kwright/models.toml where there is one.
Result<std::shared_ptr<const ModelTable>> OpenModelTable(const std::string& home,
                                                         const std::string& file);

// The endpoint of a model: where its name, a base URL and the environment say that it is.
struct NamedModel {
  std::string name, base_url, api, api_key_env;
};
Result<ModelAddress> AddressOf(const NamedModel& named, const ModelTable& table);
Result<HttpModelConfig> EndpointOf(const NamedModel& named, const RunConfig& config,
                                   std::shared_ptr<const ModelTable> table);

struct OpenModels {
  std::unique_ptr<ChatModel> author;
  // None where the author answers.
  std::unique_ptr<ChatModel> extractor, merger, judge;
  std::shared_ptr<ModelEmbedder> embedder;  // none: the built-in one
};
Result<OpenModels> OpenModelsOf(const RunConfig& config, const std::string& home);

// The embedder alone; none where it is the built-in one.
Result<std::shared_ptr<ModelEmbedder>> OpenEmbedderOf(const RunConfig& config,
                                                      const std::string& home);

}  // namespace kw::cli
