// What the calls of a run used, by who asked.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>

namespace kw {

// Whom a question goes to.
enum class ModelRole { kAuthor, kExtractor, kMerger, kJudge, kEmbedder };
inline constexpr int kModelRoles = 5;
// "author", "extractor", "merger", "judge", "embedder".
std::string_view RoleName(ModelRole role);

struct Usage {
  int64_t calls = 0;
  int64_t prompt_tokens = 0, completion_tokens = 0;
  int64_t cached_tokens = 0;     // of the prompts: from the provider's cache
  int64_t reasoning_tokens = 0;  // of the completions
  int64_t estimated_calls = 0;   // whose tokens the endpoint did not count
  double cost_usd = 0;
  int64_t stopped_answers = 0;   // by the runaway guard
  int64_t saved_tokens = 0;      // that these would have been allowed still
  std::set<std::string> models;  // that answered, as their endpoints name them

  int64_t tokens() const { return prompt_tokens + completion_tokens; }
  Usage& operator+=(const Usage& other);
};

// Roles without a call are left out.
using UsageByRole = std::map<ModelRole, Usage>;
Usage TotalOf(const UsageByRole& usage);

}  // namespace kw
