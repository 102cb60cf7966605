// What an endpoint keeps of what a run asks of it: kwright doctor --model.
#pragma once

#include <string>
#include <vector>

#include "kw/base/error.h"
#include "kw/llm.h"

namespace kw::cli {

// One line of the report. `state`: ok | fallback | missing.
struct Finding {
  std::string part, state, detail;
};

// What ListModels said.
Finding Listing(const Result<std::vector<ListedModel>>& listed);

struct ModelQuestion {
  std::string model, base_url, api, table;
};
// Asks the model for a few tokens, three times at temperature 0 with different seeds.
void CheckModelAnswers(const ModelQuestion& question, const std::string& home,
                       std::vector<Finding>& findings);

}  // namespace kw::cli
