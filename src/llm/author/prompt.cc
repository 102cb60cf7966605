#include "prompt.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <iterator>

#include "kw/base/text.h"

namespace kw::author {
namespace {

bool Holds(std::string_view text, std::initializer_list<std::string_view> any) {
  return std::any_of(any.begin(), any.end(), [&](std::string_view word) {
    return text.find(word) != std::string_view::npos;
  });
}

bool LooksLikeSource(std::string_view text) {
  return Holds(text, {"__global__", "<<<"}) ||
         (Holds(text, {"extern \"C\""}) && text.find('{') != std::string_view::npos);
}

std::optional<Part> PartOf(std::string_view heading) {
  const std::string words = ToLower(heading);
  if (Holds(words, {"lesson", "memor", "rule", "taught", "learn", "experience", "advice", "hint",
                    "guideline", "insight", "strateg", "tips", "recommend", "knowledge"})) {
    return Part::kAdvice;
  }
  if (Holds(words, {"attempt", "feedback", "verdict", "previous", "earlier", "last", "kernel",
                    "improve", "result", "error", "execution", "analysis", "report"})) {
    return Part::kFeedback;
  }
  if (Holds(words, {"task", "answer", "format", "output", "input", "device", "requirement",
                    "interface", "contract", "signature", "problem", "operation", "reference",
                    "constraint", "hardware", "instruction", "specification"})) {
    return Part::kTask;
  }
  return std::nullopt;
}

// The level of a Markdown heading (1..6), or 7 for a line that is bold or ends in ':' by itself,
// or 0.
int HeadingLevel(std::string_view line) {
  size_t level = 0;
  while (level < line.size() && line[level] == '#') ++level;
  if (level >= 1 && level <= 6 && level < line.size() && line[level] == ' ') {
    return static_cast<int>(level);
  }
  if (line.size() > 4 && line.substr(0, 2) == "**" &&
      (line.substr(line.size() - 2) == "**" || line.substr(line.size() - 3) == "**:")) {
    return 7;
  }
  if (line.size() > 3 && line.size() < 60 && line.back() == ':' && PartOf(line) &&
      std::isupper(static_cast<unsigned char>(line[0]))) {
    return 7;
  }
  return 0;
}

// The length of a fence of backticks or tildes at the line's start, or 0.
size_t FenceLength(std::string_view line) {
  if (line.empty() || (line[0] != '`' && line[0] != '~')) return 0;
  size_t length = 0;
  while (length < line.size() && line[length] == line[0]) ++length;
  return length >= 3 ? length : 0;
}

bool LooksLikeCodeLine(std::string_view line) {
  if (line.empty()) return false;
  const char last = line.back();
  if (line.substr(0, 10) == "extern \"C\"") return true;
  return last == '{' || (last == ';' && line.find('(') != std::string_view::npos &&
                         line.find(". ") == std::string_view::npos);
}

class SectionReader {
 public:
  std::vector<Section> Read(const std::vector<ChatMessage>& messages) {
    for (const ChatMessage& message : messages) {
      if (message.role == "assistant") continue;
      parents_.assign(8, std::nullopt);
      Begin("", 0);
      if (message.role == "system") sections_.back().part = Part::kTask;
      ReadText(message.content);
    }
    return std::move(sections_);
  }

 private:
  void Begin(std::string_view heading, int level) {
    Section section;
    section.heading = std::string(heading);
    std::optional<Part> part;
    // A heading below one that says what it is about belongs to it.
    for (int above = 1; above < level && !part; ++above)
      part = parents_[static_cast<size_t>(above)];
    if (!part && level > 0) part = PartOf(heading);
    if (level > 0) {
      for (size_t l = static_cast<size_t>(level); l < parents_.size(); ++l) {
        parents_[l] = std::nullopt;
      }
      parents_[static_cast<size_t>(level)] = part;
    }
    section.part = part.value_or(Part::kAdvice);
    sections_.push_back(std::move(section));
  }

  void ReadText(std::string_view text) {
    const std::vector<std::string_view> lines = Lines(text);
    for (size_t i = 0; i < lines.size(); ++i) {
      const std::string_view line = Trim(lines[i]);
      if (const size_t fence = FenceLength(line); fence > 0) {
        Section::Block block;
        block.language = ToLower(Trim(line.substr(fence)));
        block.at = sections_.back().prose.size();
        for (++i; i < lines.size(); ++i) {
          const std::string_view inner = Trim(lines[i]);
          if (FenceLength(inner) >= fence && inner[0] == line[0] &&
              Trim(inner.substr(FenceLength(inner))).empty()) {
            break;
          }
          block.text.append(lines[i]);
          block.text += '\n';
        }
        sections_.back().blocks.push_back(std::move(block));
        continue;
      }
      if (const int level = HeadingLevel(line); level > 0) {
        std::string_view heading = line;
        while (!heading.empty() && (heading[0] == '#' || heading[0] == '*' || heading[0] == ' ')) {
          heading.remove_prefix(1);
        }
        Begin(heading, level);
        // A heading of advice is advice too.
        sections_.back().prose = std::string(heading) + ".\n";
        continue;
      }
      if (LooksLikeCodeLine(line)) continue;
      Section& section = sections_.back();
      section.prose.append(line);
      section.prose += '\n';
    }
  }

  std::vector<Section> sections_;
  std::vector<std::optional<Part>> parents_;
};

std::optional<double> NumberAfter(std::string_view text, std::string_view word) {
  size_t at = text.find(word);
  if (at == std::string_view::npos) return std::nullopt;
  const size_t end = std::min(text.size(), at + word.size() + 24);
  for (at += word.size(); at < end; ++at) {
    if (std::isdigit(static_cast<unsigned char>(text[at]))) {
      return std::strtod(std::string(text.substr(at, 24)).c_str(), nullptr);
    }
  }
  return std::nullopt;
}

// "2.5x", "2.5 times", "2.5 ×": how often something is contained. Not "16x16".
std::optional<double> Multiple(std::string_view words, size_t* end) {
  auto digit = [&](size_t i) {
    return i < words.size() && std::isdigit(static_cast<unsigned char>(words[i])) != 0;
  };
  for (size_t at = 0; at < words.size(); ++at) {
    if (!digit(at)) continue;
    const size_t begin = at;
    while (digit(at) || (at < words.size() && words[at] == '.' && digit(at + 1))) ++at;
    size_t unit = at;
    while (unit < words.size() && words[unit] == ' ') ++unit;
    for (std::string_view sign : {"times", "×", "x"}) {
      if (words.substr(unit, sign.size()) != sign) continue;
      *end = unit + sign.size();
      const size_t next = words.find_first_not_of(' ', *end);
      const bool goes_on =
          *end < words.size() && std::isalpha(static_cast<unsigned char>(words[*end])) != 0;
      if (goes_on || (next != std::string_view::npos && digit(next))) break;
      return std::strtod(std::string(words.substr(begin, at - begin)).c_str(), nullptr);
    }
  }
  return std::nullopt;
}

// "speedup: 2.5", "speed-up of 2.5".
std::optional<double> NamedSpeedup(std::string_view line) {
  for (std::string_view name : {"speedup", "speed-up", "speed up"}) {
    const size_t at = line.find(name);
    if (at == std::string_view::npos) continue;
    std::string_view rest = line.substr(at + name.size());
    rest.remove_prefix(std::min(rest.size(), rest.find_first_not_of(" :=~")));
    if (rest.substr(0, 3) == "of ") rest.remove_prefix(3);
    if (!rest.empty() && std::isdigit(static_cast<unsigned char>(rest[0])) != 0) {
      return std::strtod(std::string(rest.substr(0, 24)).c_str(), nullptr);
    }
  }
  return std::nullopt;
}

// "speedup 2.50 over the baseline", "a 2.5x speed-up", "2.5 times as fast", "4x slower than it".
// `words` are in lower case.
std::optional<double> ReadSpeedup(std::string_view words) {
  for (std::string_view line : Lines(words)) {
    if (!Holds(line, {"speedup", "speed-up", "speed up", "fast", "slow", "baseline"})) continue;
    if (const auto named = NamedSpeedup(line)) return named;
    size_t end = 0;
    if (const auto multiple = Multiple(line, &end); multiple && *multiple > 0) {
      const bool slower = Holds(line.substr(end, 12), {"slow"});
      return slower ? 1 / *multiple : *multiple;
    }
    if (const auto after = NumberAfter(line, "speedup")) return after;
  }
  return std::nullopt;
}

void ReadVerdict(ShownAttempt& attempt) {
  const std::string words = ToLower(attempt.feedback);
  attempt.failed = Holds(words, {"incorrect", "error", "malformed", "rejected", "timeout", "failed",
                                 "wrong", "mismatch", "hazard", "not compile", "no kernel could"});
  attempt.passed = !attempt.failed && Holds(words, {"passed", "correct", "success"});
  // A status in capitals is the verdict, whatever else is said.
  if (attempt.feedback.find("PASSED") != std::string::npos) {
    attempt.passed = true;
    attempt.failed = false;
  }
  attempt.speedup = ReadSpeedup(words);
}

bool HasVerdict(const std::string& text) {
  ShownAttempt probe;
  probe.feedback = text;
  ReadVerdict(probe);
  return probe.passed || probe.failed;
}

// The kernels of a section with what is said of each, and `extra`, its blocks that are no kernel.
std::vector<ShownAttempt> KernelsIn(const Section& section, std::string* extra) {
  std::vector<ShownAttempt> kernels;
  // What stands before each kernel and after the last, below the heading.
  std::vector<std::string> between(1);
  size_t from = section.heading.empty() ? 0 : section.heading.size() + 2;
  for (const Section::Block& block : section.blocks) {
    between.back() += section.prose.substr(from, block.at - from);
    from = block.at;
    if (LooksLikeSource(block.text) && block.language != "python" && block.language != "json") {
      kernels.push_back({.title = section.heading, .source = block.text});
      between.emplace_back();
    } else if (section.part == Part::kFeedback && block.language != "python" &&
               block.text.find("extern \"C\"") == std::string::npos) {
      *extra += block.text;
      between.back() += block.text;
    }
  }
  between.back() += section.prose.substr(from);
  // Several kernels under one heading have a verdict each: before the source, or else after it.
  const bool each = kernels.size() > 1 && std::any_of(between.begin(), between.end(), HasVerdict);
  const size_t after = HasVerdict(between.back()) && !HasVerdict(between[0]) ? 1 : 0;
  for (size_t i = 0; i < kernels.size(); ++i) {
    const std::string& own = between[i + after];
    if (!each) {
      kernels[i].feedback = section.prose + *extra;
    } else {
      kernels[i].feedback = HasVerdict(own) ? own : section.heading + ".\n" + own;
    }
  }
  return kernels;
}

std::vector<ShownAttempt> FindAttempts(const std::vector<Section>& sections) {
  std::vector<ShownAttempt> attempts;
  for (const Section& section : sections) {
    std::string extra;
    std::vector<ShownAttempt> kernels = KernelsIn(section, &extra);
    std::move(kernels.begin(), kernels.end(), std::back_inserter(attempts));
    if (!kernels.empty() || section.part != Part::kFeedback) continue;
    const std::string text = section.prose + extra;
    if (!HasVerdict(text)) continue;
    // A verdict without a kernel: of the one before it when that has none, else of an answer that
    // held no kernel.
    if (!attempts.empty() && !attempts.back().source.empty()) {
      ShownAttempt before = attempts.back();
      ReadVerdict(before);
      if (!before.passed && !before.failed) {
        attempts.back().feedback += text;
        continue;
      }
    }
    attempts.push_back({.title = section.heading, .feedback = text});
  }
  for (ShownAttempt& attempt : attempts) ReadVerdict(attempt);
  return attempts;
}

Ask WhatIsAsked(const Prompt& prompt) {
  const std::string& text = prompt.lower;
  const bool json = Holds(text, {"json array", "json list", "array of json", "as json", "a json"});
  if (Holds(text, {"[[yes]]"}) && Holds(text, {"[[no]]"})) return Ask::kJudge;
  if (json) {
    if (Holds(text, {"memory item", "\"title\"", "memories"})) return Ask::kItems;
    if (Holds(text, {"merge", "duplicate", "consolidate", "deduplicate"})) return Ask::kMerge;
    if (Holds(text, {"rule"})) return Ask::kRules;
  }
  if (text.find("void run") != std::string::npos &&
      Holds(text, {"answer in prose", "in prose", "comparative analysis"})) {
    return Ask::kAnalysis;
  }
  const bool writes = Holds(
      text, {"write", "implement", "improve", "optimi", "produce", "generate", "repair", "fix"});
  if (text.find("void run") != std::string::npos && writes &&
      !(Holds(text, {"compare the", "comparison of", "analyse", "analyze"}) &&
        prompt.attempts.size() >= 2 && !Holds(text, {"fence", "code block", "```cuda\n{"}))) {
    return Ask::kKernel;
  }
  if (!prompt.attempts.empty()) return Ask::kAnalysis;
  return text.find("kernel") != std::string::npos && writes ? Ask::kKernel : Ask::kOther;
}

}  // namespace

std::string Prompt::ProseOf(Part part) const {
  std::string prose;
  for (const Section& section : sections) {
    if (section.part == part) prose += section.prose + ".\n";
  }
  return prose;
}

Prompt ReadPrompt(const std::vector<ChatMessage>& messages) {
  Prompt prompt;
  for (const ChatMessage& message : messages) {
    if (message.role != "assistant") prompt.text += message.content + "\n";
  }
  prompt.lower = ToLower(prompt.text);
  prompt.sections = SectionReader().Read(messages);
  prompt.attempts = FindAttempts(prompt.sections);
  prompt.ask = WhatIsAsked(prompt);
  for (std::string_view word : {"at most ", "no more than ", "up to "}) {
    const size_t json = prompt.lower.find("json");
    const size_t from = json == std::string::npos ? 0 : json;
    std::optional<double> number;
    if (const size_t at = prompt.lower.find(word, from > 40 ? from - 40 : 0);
        at != std::string::npos) {
      number = NumberAfter(std::string_view(prompt.lower).substr(at, word.size() + 4), word);
    }
    if (number && *number >= 1 && *number < 1000) {
      prompt.at_most = static_cast<int>(*number);
      break;
    }
  }
  return prompt;
}

}  // namespace kw::author
