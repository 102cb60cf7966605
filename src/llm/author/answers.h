// answers: one function a kind of prompt. Each is a pure function of what it is given.
#pragma once

#include <string>

#include "kw/base/random.h"
#include "lexicon.h"
#include "policy.h"
#include "prompt.h"

namespace kw::author {

struct Writing {
  const Lexicon& lexicon;
  const Prompt& prompt;
  double temperature;
  Random& random;
};

std::string AnswerKernel(const Writing& writing);
std::string AnswerItems(const Writing& writing);     // a JSON array of title, description, content
std::string AnswerAnalysis(const Writing& writing);  // prose
std::string AnswerRules(const Writing& writing);     // a JSON array of strings
std::string AnswerMerge(const Writing& writing);     // ... or of {"rule", "from"}, as asked
std::string AnswerJudge(const Writing& writing);     // [[Yes]] or [[No]]
std::string AnswerOther(const Writing& writing);

// What a reader of the attempts finds: mistakes of those that failed, pieces of the good ones.
struct Findings {
  std::vector<Concept> mistakes;  // most certain first
  std::vector<Concept> pieces;    // that the better kernels have, fastest first
  std::vector<Concept> faster;    // pieces that would be faster than what the best kernel has
  std::vector<Concept> safe;      // mistakes that a correct kernel could have made and did not
  Family family = Family::kElementwise;
  std::string operation;  // "softmax", or "an elementwise operation"
};
Findings ReadAttempts(const Writing& writing);

}  // namespace kw::author
