// prompt: what a request shows and asks for, read from its words alone.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "design.h"
#include "kw/llm.h"

namespace kw::author {

enum class Ask {
  kKernel,    // write or improve a kernel
  kItems,     // memory items from one attempt or several
  kAnalysis,  // compare kernels in prose
  kRules,     // rules from an analysis
  kMerge,     // merge a list of rules
  kJudge,     // does a kernel follow a rule?
  kOther,
};

// What a stretch of prose is about, by the headings above it.
enum class Part {
  kTask,      // the task, the contract, the form of the answer
  kAdvice,    // lessons, rules, and whatever stands under no heading
  kFeedback,  // earlier attempts and their verdicts
};

struct Section {
  std::string heading;
  Part part = Part::kAdvice;
  std::string prose;  // without code
  struct Block {
    std::string language, text;
    size_t at = 0;  // of the prose, as much stands before it
  };
  std::vector<Block> blocks;
};

// An attempt that the prompt shows.
struct ShownAttempt {
  std::string title;
  std::string source;                   // "" when none is shown
  std::string feedback;                 // verdict and what else stands beside it
  bool passed = false, failed = false;  // neither: nothing is said
  std::optional<double> speedup;        // over a baseline: 2 is twice as fast
};

struct Prompt {
  Ask ask = Ask::kOther;
  std::vector<Section> sections;
  std::string text;   // all of it
  std::string lower;  // ... in lower case
  std::vector<ShownAttempt> attempts;
  std::optional<int> at_most;  // "at most N"

  // The prose of one part.
  std::string ProseOf(Part part) const;
};

Prompt ReadPrompt(const std::vector<ChatMessage>& messages);

// The operation that is asked for; kUnknown with the parameters when it is none that the author
// knows. A prototype is looked for in all of the text; without one there are no parameters.
OpSpec ReadOperation(const Prompt& prompt);

// The parameters of a prototype: "(const float* x, float* y, int64_t n, cudaStream_t stream)".
std::vector<Parameter> ParseParameters(std::string_view list);

}  // namespace kw::author
