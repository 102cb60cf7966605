// Memory items, analyses, rules, merges and judgements.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <set>

#include "answers.h"
#include "inspect.h"
#include "kw/base/json.h"
#include "kw/base/text.h"

namespace kw::author {
namespace {

template <class T>
const T& OneOf(const std::vector<T>& list, Random& random) {
  return list[random.Below(list.size())];
}

std::string Fill(std::string text, std::string_view operation) {
  for (size_t at = text.find("{op}"); at != std::string::npos; at = text.find("{op}")) {
    text.replace(at, 4, operation);
  }
  return text;
}

// Concepts worth a lesson, most useful first, at most `most`.
std::vector<Concept> WorthSaying(const Writing& writing, const Findings& found, size_t most) {
  std::vector<Concept> said = found.mistakes;
  std::vector<Concept> safe = found.safe;
  // The mistakes that are made most often come to mind first.
  std::vector<std::pair<double, Concept>> ranked;
  for (Concept c : safe) {
    const double rate = writing.lexicon.rate(AsMistake(c), found.family);
    ranked.emplace_back(-std::log(1 - writing.random.Uniform() * 0.999) / std::max(rate, 0.01), c);
  }
  std::sort(ranked.begin(), ranked.end());
  size_t wanted_safe = said.empty() ? std::max<size_t>(1, most / 2) : 1;
  std::vector<Concept> pieces = found.pieces;
  // What would have been faster: one of the two best ideas, sometimes with another.
  std::vector<Concept> ideas = found.faster;
  for (const double chance : {pieces.empty() ? 1.0 : 0.5, pieces.empty() ? 0.5 : 0.0}) {
    if (ideas.empty() || !writing.random.Chance(chance)) continue;
    const size_t pick = writing.random.Below(std::min<size_t>(2, ideas.size()));
    pieces.insert(pieces.begin(), ideas[pick]);
    ideas.erase(ideas.begin() + static_cast<std::ptrdiff_t>(pick));
  }
  if (!pieces.empty() && writing.random.Chance(0.5)) {
    std::swap(pieces[0], pieces[writing.random.Below(pieces.size())]);
  }
  for (const auto& [rank, c] : ranked) {
    if (wanted_safe-- == 0) break;
    said.push_back(c);
  }
  said.insert(said.end(), pieces.begin(), pieces.end());
  std::vector<Concept> once;
  for (Concept c : said) {
    const bool textual =
        !writing.lexicon.text(c).items.empty() || !writing.lexicon.text(c).rules.empty();
    if (textual && std::find(once.begin(), once.end(), c) == once.end()) once.push_back(c);
  }
  if (once.size() > most) once.resize(most);
  return once;
}

std::string Normal(std::string_view text) {
  std::string words;
  for (const std::string& word : Words(text)) {
    if (std::isalnum(static_cast<unsigned char>(word[0])) != 0 || word[0] == '_') {
      words += Stem(word) + ' ';
    }
  }
  return words;
}

// The concept that a rule is about: by its wording when it is the author's own, else by its words.
Concept AboutWhat(const Lexicon& lexicon, std::string_view rule) {
  const std::string normal = Normal(rule);
  for (Concept c = 0; c < kConcepts; ++c) {
    for (const std::string& known : lexicon.text(c).rules) {
      if (Normal(known) == normal) return c;
    }
  }
  const Mentions mentions = lexicon.Read(rule, false);
  Concept best = -1;
  for (Concept c = 0; c < kConcepts; ++c) {
    if (!mentions.any(c)) continue;
    if (best < 0 || (IsMistake(c) == IsMistake(best) && mentions.all(c) > mentions.all(best))) {
      best = c;
    }
  }
  return best;
}

bool StartsNumbered(std::string_view line, int* number, std::string_view* text) {
  size_t i = 0;
  while (i < line.size() && std::isdigit(static_cast<unsigned char>(line[i])) != 0) ++i;
  if (i == 0 || i > 4 || i >= line.size() || (line[i] != '.' && line[i] != ')')) return false;
  *number = std::stoi(std::string(line.substr(0, i)));
  *text = Trim(line.substr(i + 1));
  return !text->empty();
}

struct ListedRule {
  int number;
  std::string text;
};

std::vector<ListedRule> ListedRules(const Prompt& prompt) {
  std::vector<ListedRule> numbered, bulleted;
  for (const Section& section : prompt.sections) {
    if (section.part == Part::kTask) continue;
    for (std::string_view line : Lines(section.prose)) {
      int number = 0;
      std::string_view text;
      if (StartsNumbered(Trim(line), &number, &text)) {
        numbered.push_back({number, std::string(text)});
      } else if (line.size() > 2 && (line[0] == '-' || line[0] == '*') && line[1] == ' ') {
        bulleted.push_back(
            {static_cast<int>(bulleted.size()) + 1, std::string(Trim(line.substr(2)))});
      }
    }
    for (const Section::Block& block : section.blocks) {
      if (auto json = ParseJson(block.text, "rules"); json && json->is_array()) {
        for (const Json& entry : *json) {
          if (entry.is_string()) {
            bulleted.push_back({static_cast<int>(bulleted.size()) + 1, entry.get<std::string>()});
          }
        }
      }
    }
  }
  return numbered.empty() ? bulleted : numbered;
}

// The rule that a judge is asked about.
std::string JudgedRule(const Prompt& prompt) {
  for (const Section& section : prompt.sections) {
    const std::string heading = ToLower(section.heading);
    if (heading.find("rule") == std::string::npos || heading.find("answer") != std::string::npos) {
      continue;
    }
    std::string_view prose = section.prose;
    // The first line is the heading itself.
    const size_t line = prose.find('\n');
    prose = line == std::string_view::npos ? "" : Trim(prose.substr(line));
    if (!prose.empty()) return std::string(prose);
  }
  for (std::string_view line : Lines(prompt.text)) {
    const size_t at = ToLower(line).find("rule:");
    if (at != std::string::npos) return std::string(Trim(line.substr(at + 5)));
  }
  return prompt.ProseOf(Part::kAdvice);
}

bool Satisfies(const Lexicon& lexicon, std::string_view rule, std::string_view source) {
  const Inspection seen = Inspect(source);
  if (seen.empty) return true;
  const Concept about = AboutWhat(lexicon, rule);
  if (about < 0) return true;
  if (IsMistake(about)) return !seen.design.has(AsMistake(about));
  const Piece piece = AsPiece(about);
  // A rule for another family of kernels does not apply.
  if (lexicon.weight(piece, seen.family) <= 0) return true;
  if (piece == Piece::kVector2 && seen.design.has(Piece::kVector4)) return true;
  if (SlotOf(piece) == Slot::kReduce && !seen.has_reduction &&
      !seen.design.has(Piece::kThreadPerRow)) {
    return true;
  }
  if (SlotOf(piece) == Slot::kMath && !seen.seen[static_cast<size_t>(Piece::kFastMath)] &&
      !seen.seen[static_cast<size_t>(Piece::kPreciseMath)]) {
    return true;
  }
  if (piece == Piece::kTile32) {
    return seen.design.has(Piece::kTile32) || seen.design.has(Piece::kRegisterTile);
  }
  if (piece == Piece::kTile16) return !seen.design.has(Piece::kNaive);
  return seen.design.has(piece);
}

}  // namespace

std::string AnswerItems(const Writing& writing) {
  const auto most = static_cast<size_t>(writing.prompt.at_most.value_or(3));
  const Findings found = ReadAttempts(writing);
  Json items = Json::array();
  auto add = [&](const ItemText& item) {
    items.push_back({{"title", Fill(item.title, found.operation)},
                     {"description", Fill(item.description, found.operation)},
                     {"content", Fill(item.content, found.operation)}});
  };
  for (Concept c : WorthSaying(writing, found, most)) {
    const std::vector<ItemText>& texts = writing.lexicon.text(c).items;
    if (texts.empty()) continue;
    const bool generic = writing.random.Chance(writing.lexicon.effects().generic_item);
    add(OneOf(generic ? writing.lexicon.generic_items() : texts, writing.random));
  }
  return DumpJsonPretty(items) + "\n";
}

std::string AnswerAnalysis(const Writing& writing) {
  const Findings found = ReadAttempts(writing);
  std::string text;
  for (Concept c : found.mistakes) {
    const std::string& finding = writing.lexicon.text(c).finding;
    if (!finding.empty()) text += finding + "\n\n";
  }
  size_t said = 0;
  for (Concept c : found.pieces) {
    const std::string& finding = writing.lexicon.text(c).finding;
    if (finding.empty() || said == 3) continue;
    text += fmt::format("{}{}\n\n", said++ == 0 ? "The best kernel is fast for what it does. " : "",
                        finding);
  }
  if (found.mistakes.empty() && !found.safe.empty()) {
    const Concept c = OneOf(found.safe, writing.random);
    if (!writing.lexicon.text(c).rules.empty()) {
      text += "The best kernel is correct, which the others share: " +
              OneOf(writing.lexicon.text(c).rules, writing.random) + "\n\n";
    }
  }
  if (text.empty()) {
    text = "The kernels differ in little that the verdicts would explain; " +
           ToLower(OneOf(writing.lexicon.generic_rules(), writing.random)) + "\n";
  }
  return text;
}

std::string AnswerRules(const Writing& writing) {
  const auto most = static_cast<size_t>(writing.prompt.at_most.value_or(3));
  std::string analysis;
  for (const Section& section : writing.prompt.sections) {
    if (section.part != Part::kTask) analysis += section.prose + ".\n";
    for (const Section::Block& block : section.blocks) {
      if (block.language.empty() || block.language == "text") analysis += block.text + ".\n";
    }
  }
  const Mentions mentions = writing.lexicon.Read(analysis, false);
  std::vector<std::pair<double, Concept>> ranked;
  for (Concept c = 0; c < kConcepts; ++c) {
    const double met = IsMistake(c) ? mentions.all(c) : mentions.positive[static_cast<size_t>(c)];
    if (met <= 0 || writing.lexicon.text(c).rules.empty()) continue;
    if (!IsMistake(c) && writing.lexicon.speed(AsPiece(c)) <= 0) continue;
    ranked.emplace_back(-met - (IsMistake(c) ? 0.5 : 0.0) - writing.random.Uniform(), c);
  }
  std::sort(ranked.begin(), ranked.end());
  Json rules = Json::array();
  for (const auto& [rank, c] : ranked) {
    if (rules.size() >= most) break;
    const bool generic = writing.random.Chance(writing.lexicon.effects().generic_item);
    rules.push_back(OneOf(generic ? writing.lexicon.generic_rules() : writing.lexicon.text(c).rules,
                          writing.random));
  }
  return DumpJsonPretty(rules) + "\n";
}

std::string AnswerMerge(const Writing& writing) {
  const auto most = static_cast<size_t>(writing.prompt.at_most.value_or(25));
  struct Merged {
    std::string text;
    std::vector<int> from;
    bool specific;
  };
  std::vector<Merged> merged;
  std::vector<std::pair<std::string, size_t>> places;  // of a wording or a concept
  for (const ListedRule& rule : ListedRules(writing.prompt)) {
    const Concept about = AboutWhat(writing.lexicon, rule.text);
    const std::string key = about >= 0 ? fmt::format("#{}", about) : Normal(rule.text);
    const auto place =
        std::find_if(places.begin(), places.end(), [&](const auto& p) { return p.first == key; });
    if (place != places.end()) {
      merged[place->second].from.push_back(rule.number);
      continue;
    }
    places.emplace_back(key, merged.size());
    merged.push_back({rule.text, {rule.number}, about >= 0});
  }
  // The weakest go first: those that say nothing of the source, then the last.
  while (merged.size() > most) {
    auto weakest = std::find_if(merged.rbegin(), merged.rend(),
                                [](const Merged& rule) { return !rule.specific; });
    merged.erase(weakest == merged.rend() ? std::prev(merged.end()) : std::prev(weakest.base()));
  }
  const bool objects = writing.prompt.lower.find("\"from\"") != std::string::npos;
  Json answer = Json::array();
  for (const Merged& rule : merged) {
    if (objects) {
      answer.push_back({{"rule", rule.text}, {"from", rule.from}});
    } else {
      answer.push_back(rule.text);
    }
  }
  return DumpJsonPretty(answer) + "\n";
}

std::string AnswerJudge(const Writing& writing) {
  const Effects& effects = writing.lexicon.effects();
  if (writing.random.Chance(effects.ambiguous_judge)) {
    return "It depends on how strictly the rule is read; parts of the kernel follow it.\n";
  }
  std::string source;
  for (const ShownAttempt& attempt : writing.prompt.attempts) source += attempt.source;
  bool yes = Satisfies(writing.lexicon, JudgedRule(writing.prompt), source);
  if (writing.random.Chance(effects.misjudge)) yes = !yes;
  return yes ? "The source follows the rule, or the rule does not apply to it.\n\n[[Yes]]\n"
             : "The source does not do what the rule asks for.\n\n[[No]]\n";
}

}  // namespace kw::author
