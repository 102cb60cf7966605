// lexicon: data/models/simulated_author.toml: how often mistakes are made, what advice does, and
// by which words advice, symptoms and lessons speak of each mistake and piece.
//
// A pattern is a list of groups that must all be met in one clause; a group is a list of
// alternatives. "guard|check tail|edge" is met by "check the edges". In an alternative "a_b" means
// that b comes right after a, and "a~b" that it comes at most four words later. Words are compared
// by their stems.
#pragma once

#include <array>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "design.h"
#include "kw/base/error.h"

namespace kw::author {

// A mistake or a piece, as one range of numbers: mistakes first.
using Concept = int;
inline constexpr int kConcepts = kMistakes + kPieces;
inline Concept ConceptOf(Mistake mistake) { return static_cast<int>(mistake); }
inline Concept ConceptOf(Piece piece) { return kMistakes + static_cast<int>(piece); }
inline bool IsMistake(Concept c) { return c < kMistakes; }
inline Mistake AsMistake(Concept c) { return static_cast<Mistake>(c); }
inline Piece AsPiece(Concept c) { return static_cast<Piece>(c - kMistakes); }

struct ItemText {
  std::string title, description, content;
};

struct ConceptText {
  std::vector<ItemText> items;     // ways to say it as a memory item
  std::vector<std::string> rules;  // ways to say it as a rule about the source text
  std::string finding;             // what an analysis says when it explains a failure or success
};

struct Effects {
  // Log-odds, per mention, saturating: n mentions count as (1 - exp(-n * mention)) / (1 -
  // exp(-mention)).
  double warn = 0;  // advice against a mistake
  double care = 0;  // each other mistake that advice warns of; at most care_cap together
  double care_cap = 0;
  double advise = 0;    // advice for a piece
  double dissuade = 0;  // advice against a piece
  double mention = 0;   // how fast mentions saturate
  double contract = 0;  // weight of what the task's own text says, beside advice at 1
  double heat = 0;      // log-odds of each mistake for a temperature above 0.7, per 1.0
  // Probabilities.
  double repair_named = 0;    // feedback names the mistake
  double repair_unnamed = 0;  // the attempt failed, and nothing names it
  double fresh = 0;           // factor on mistake rates when a kernel is revised
  double explore = 0;         // a correct kernel gets another piece in one slot
  double see_named = 0;       // a reader of a failed kernel finds a mistake that feedback names
  double see_unnamed = 0;     // ... that nothing names
  double generic_item = 0;    // a memory item or rule says something that helps nobody
  double ambiguous_judge = 0;
  double misjudge = 0;
};

// How often each concept was met.
struct Mentions {
  std::array<double, kConcepts> positive{}, negative{};
  void Add(const Mentions& other, double weight);
  bool any(Concept c) const {
    return positive[static_cast<size_t>(c)] > 0 || negative[static_cast<size_t>(c)] > 0;
  }
  double all(Concept c) const {
    return positive[static_cast<size_t>(c)] + negative[static_cast<size_t>(c)];
  }
};

class Lexicon {
 public:
  static Result<Lexicon> Load(const std::string& file);

  const Effects& effects() const { return effects_; }
  double rate(Mistake mistake, Family family) const;
  double weight(Piece piece, Family family) const;  // relative to the other pieces of its slot
  // How much faster a kernel gets by it, as the author believes; 0 is the slowest of its slot.
  double speed(Piece piece) const;
  const ConceptText& text(Concept c) const { return texts_[static_cast<size_t>(c)]; }
  const std::vector<ItemText>& generic_items() const { return generic_items_; }
  const std::vector<std::string>& generic_rules() const { return generic_rules_; }

  // Concepts in prose. With `symptoms`, also what feedback shows when a mistake was made. Advice
  // that a negation governs ("avoid", "instead of", "never") counts as negative.
  Mentions Read(std::string_view prose, bool symptoms) const;

 private:
  struct Step {
    int word;
    bool near;  // up to four words after the one before; else right after it
  };
  using Alternative = std::vector<Step>;
  using Group = std::vector<Alternative>;
  struct Pattern {
    Concept about;
    bool symptom;
    std::vector<Group> groups;
  };
  struct Clause {
    std::vector<int> words;  // numbers of known words, -1 others
    bool negative = false;
  };

  int WordNumber(std::string_view stem);
  Result<void> AddPattern(std::string_view text, Concept about, bool symptom);
  bool Meets(const Pattern& pattern, const std::vector<int>& words,
             const std::vector<char>& present) const;
  std::vector<std::vector<Clause>> Sentences(std::string_view prose) const;

  friend class LexiconReader;
  Effects effects_;
  std::array<std::array<double, 3>, kMistakes> rates_{};
  std::array<std::array<double, 3>, kPieces> weights_{};
  std::array<double, kPieces> speeds_{};
  std::array<ConceptText, kConcepts> texts_;
  std::vector<ItemText> generic_items_;
  std::vector<std::string> generic_rules_;
  std::vector<Pattern> patterns_;
  std::unordered_map<std::string, int> numbers_;
};

// Lower-case words of a text: identifiers are split at '_' (but "__expf" stays whole), "i < n"
// gives "lessthan", "-INFINITY" gives "neginf"; '.', ';', ':', ',' and brackets are words of their
// own.
std::vector<std::string> Words(std::string_view text);
// "guarding", "guards", "guarded" -> "guard".
std::string Stem(std::string_view word);

}  // namespace kw::author
