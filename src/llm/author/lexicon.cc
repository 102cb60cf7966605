#include "lexicon.h"

#include <algorithm>
#include <cmath>

#include "kw/base/text.h"

namespace kw::author {
namespace {

constexpr int kNear = 4;

bool IsOneOf(std::string_view word, std::initializer_list<std::string_view> list) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

bool EndsSentence(std::string_view word) { return word == "."; }

bool EndsClause(std::string_view word) {
  return IsOneOf(word, {",", ";", ":", "(", ")", "but", "because", "since", "while", "which"});
}

bool Negates(std::string_view word) {
  return IsOneOf(
      word, {"avoid", "not", "never", "don", "without", "rather", "than", "no", "slow", "slower",
             "slowest", "wasteful", "inefficient", "replace", "drop", "neither", "nor"});
}

// A verb that takes up the advice again: "avoid X and use Y".
bool Advises(std::string_view word) {
  return IsOneOf(word, {"use", "prefer", "choose", "with", "by", "switch", "do", "keep", "load"});
}

}  // namespace

void Mentions::Add(const Mentions& other, double weight) {
  for (size_t c = 0; c < kConcepts; ++c) {
    positive[c] += weight * other.positive[c];
    negative[c] += weight * other.negative[c];
  }
}

double Lexicon::rate(Mistake mistake, Family family) const {
  return rates_[static_cast<size_t>(mistake)][static_cast<size_t>(family)];
}
double Lexicon::weight(Piece piece, Family family) const {
  return weights_[static_cast<size_t>(piece)][static_cast<size_t>(family)];
}
double Lexicon::speed(Piece piece) const { return speeds_[static_cast<size_t>(piece)]; }

int Lexicon::WordNumber(std::string_view stem) {
  return numbers_.emplace(std::string(stem), static_cast<int>(numbers_.size())).first->second;
}

Result<void> Lexicon::AddPattern(std::string_view text, Concept about, bool symptom) {
  Pattern pattern{about, symptom, {}};
  for (std::string_view group_text : Split(text, ' ')) {
    Group group;
    for (std::string_view alternative_text : Split(group_text, '|')) {
      Alternative alternative;
      size_t begin = 0;
      bool near = false;
      // "__expf" is one word; "a_b" and "a~b" are two.
      for (size_t i = 0; i <= alternative_text.size(); ++i) {
        const char c = i < alternative_text.size() ? alternative_text[i] : '_';
        const bool whole = alternative_text.substr(0, 2) == "__" && i < alternative_text.size();
        if (whole || (c != '_' && c != '~')) continue;
        const std::string_view word = alternative_text.substr(begin, i - begin);
        if (word.empty()) {
          return Fail(ErrorCode::kParse, "pattern '" + std::string(text) + "' has an empty word");
        }
        alternative.push_back({WordNumber(Stem(ToLower(word))), near});
        near = c == '~';
        begin = i + 1;
      }
      group.push_back(std::move(alternative));
    }
    pattern.groups.push_back(std::move(group));
  }
  patterns_.push_back(std::move(pattern));
  return {};
}

std::vector<std::vector<Lexicon::Clause>> Lexicon::Sentences(std::string_view prose) const {
  std::vector<std::vector<Clause>> sentences(1);
  std::vector<Clause>* sentence = &sentences.back();
  sentence->emplace_back();
  std::string previous;
  auto clause = [&](bool negative) {
    if (!sentence->back().words.empty()) sentence->emplace_back();
    sentence->back().negative = negative;
  };
  for (const std::string& word : Words(prose)) {
    if (word == "a" || word == "an" || word == "the") continue;
    if (EndsSentence(word)) {
      if (!sentence->back().words.empty() || sentence->size() > 1) {
        sentences.emplace_back();
        sentence = &sentences.back();
        sentence->emplace_back();
      }
    } else if (EndsClause(word)) {
      clause(false);
    } else if (IsOneOf(word, {"slow", "slower", "slowest", "wasteful", "inefficient"})) {
      // Says it of what came before.
      if (previous != "not") sentence->back().negative = true;
    } else if (Negates(word) || (word == "of" && previous == "instead")) {
      clause(true);
    } else if (Advises(word) && !Negates(previous) && previous != "to" && previous != "must" &&
               sentence->back().negative) {
      clause(false);
    }
    const auto known = numbers_.find(Stem(word));
    sentence->back().words.push_back(known == numbers_.end() ? -1 : known->second);
    previous = word;
  }
  return sentences;
}

bool Lexicon::Meets(const Pattern& pattern, const std::vector<int>& words,
                    const std::vector<char>& present) const {
  auto follows = [&](const Alternative& alternative) {
    for (size_t start = 0; start < words.size(); ++start) {
      if (words[start] != alternative[0].word) continue;
      size_t at = start;
      bool met = true;
      for (size_t s = 1; s < alternative.size() && met; ++s) {
        const size_t reach = alternative[s].near ? kNear : 1;
        met = false;
        for (size_t d = 1; d <= reach && at + d < words.size() && !met; ++d) {
          if (words[at + d] == alternative[s].word) {
            at += d;
            met = true;
          }
        }
      }
      if (met) return true;
    }
    return false;
  };
  for (const Group& group : pattern.groups) {
    const bool met = std::any_of(group.begin(), group.end(), [&](const Alternative& alternative) {
      for (const Step& step : alternative) {
        if (!present[static_cast<size_t>(step.word)]) return false;
      }
      return alternative.size() == 1 || follows(alternative);
    });
    if (!met) return false;
  }
  return true;
}

Mentions Lexicon::Read(std::string_view prose, bool symptoms) const {
  Mentions mentions;
  std::vector<char> all(numbers_.size()), part(numbers_.size());
  for (const std::vector<Clause>& sentence : Sentences(prose)) {
    std::vector<int> words;
    std::fill(all.begin(), all.end(), 0);
    for (const Clause& clause : sentence) {
      for (int word : clause.words) {
        words.push_back(word);
        if (word >= 0) all[static_cast<size_t>(word)] = 1;
      }
    }
    // One polarity after the other: the words that a negation governs, and the others.
    std::array<std::vector<int>, 2> by_sign;
    std::array<std::vector<char>, 2> present_by_sign;
    for (size_t sign = 0; sign < 2; ++sign) {
      std::fill(part.begin(), part.end(), 0);
      for (const Clause& clause : sentence) {
        if (clause.negative != (sign == 1)) continue;
        for (int word : clause.words) {
          by_sign[sign].push_back(word);
          if (word >= 0) part[static_cast<size_t>(word)] = 1;
        }
        by_sign[sign].push_back(-1);
      }
      present_by_sign[sign] = part;
    }
    std::array<bool, kConcepts> plus{}, minus{};
    for (const Pattern& pattern : patterns_) {
      if (pattern.symptom && !symptoms) continue;
      const auto about = static_cast<size_t>(pattern.about);
      if (IsMistake(pattern.about)) {
        // A mistake is spoken of to warn of it, whichever way round it is said.
        if (!plus[about] && Meets(pattern, words, all)) plus[about] = true;
      } else {
        if (!plus[about] && Meets(pattern, by_sign[0], present_by_sign[0])) plus[about] = true;
        if (!minus[about] && Meets(pattern, by_sign[1], present_by_sign[1])) minus[about] = true;
      }
    }
    for (size_t c = 0; c < kConcepts; ++c) {
      mentions.positive[c] += plus[c] ? 1 : 0;
      mentions.negative[c] += minus[c] ? 1 : 0;
    }
  }
  return mentions;
}

}  // namespace kw::author
