#include "kw/usage.h"

namespace kw {

std::string_view RoleName(ModelRole role) {
  switch (role) {
    case ModelRole::kAuthor:
      return "author";
    case ModelRole::kExtractor:
      return "extractor";
    case ModelRole::kMerger:
      return "merger";
    case ModelRole::kJudge:
      return "judge";
    case ModelRole::kEmbedder:
      return "embedder";
  }
  return "";
}

Usage& Usage::operator+=(const Usage& other) {
  calls += other.calls;
  prompt_tokens += other.prompt_tokens;
  completion_tokens += other.completion_tokens;
  cached_tokens += other.cached_tokens;
  reasoning_tokens += other.reasoning_tokens;
  estimated_calls += other.estimated_calls;
  cost_usd += other.cost_usd;
  stopped_answers += other.stopped_answers;
  saved_tokens += other.saved_tokens;
  models.insert(other.models.begin(), other.models.end());
  return *this;
}

Usage TotalOf(const UsageByRole& usage) {
  Usage total;
  for (const auto& [role, of_role] : usage) total += of_role;
  return total;
}

}  // namespace kw
