// What a reader of attempts finds in them.
#include <algorithm>

#include "answers.h"
#include "inspect.h"

namespace kw::author {
namespace {

bool Better(const ShownAttempt& a, const ShownAttempt& b) {
  if (a.passed != b.passed) return a.passed;
  return a.passed && a.speedup.value_or(0) > b.speedup.value_or(0);
}

// What to advise instead of a slow piece.
std::vector<Piece> FasterThan(Piece piece, Family family) {
  switch (piece) {
    case Piece::kThreadPerRow:
    case Piece::kWarpPerRow:
      return {Piece::kBlockPerRow};
    case Piece::kSharedTree:
      return {Piece::kWarpShuffle};
    case Piece::kScalar:
      return family == Family::kMatmul ? std::vector<Piece>{} : std::vector<Piece>{Piece::kVector4};
    case Piece::kNaive:
    case Piece::kTile16:
      return {Piece::kTile32, Piece::kRegisterTile};
    case Piece::kPlainPointers:
      return {Piece::kRestrictPointers};
    case Piece::kSeparatePasses:
      return {Piece::kOnline};
    default:
      return {};
  }
}

class Finder {
 public:
  explicit Finder(const Writing& writing) : writing_(writing), lexicon_(writing.lexicon) {
    const OpSpec spec = ReadOperation(writing.prompt);
    op_ = spec.op;
    found_.family = FamilyOf(op_);
    found_.operation = op_ == Op::kUnknown ? "an elementwise operation" : std::string(OpName(op_));
  }

  Findings Find() {
    const ShownAttempt* best = nullptr;
    const ShownAttempt* worst = nullptr;
    for (const ShownAttempt& attempt : writing_.prompt.attempts) {
      if (attempt.failed) ReadFailure(attempt);
      if (!best || Better(attempt, *best)) best = &attempt;
      if (!worst || Better(*worst, attempt)) worst = &attempt;
    }
    if (best && best->passed) ReadSuccess(*best, worst);
    std::stable_sort(found_.faster.begin(), found_.faster.end(), [&](Concept a, Concept b) {
      return lexicon_.speed(AsPiece(a)) > lexicon_.speed(AsPiece(b));
    });
    Unique(found_.mistakes);
    Unique(found_.pieces);
    Unique(found_.faster);
    return std::move(found_);
  }

 private:
  void Unique(std::vector<Concept>& list) const {
    std::vector<Concept> once;
    for (Concept c : list) {
      if (std::find(once.begin(), once.end(), c) == once.end()) once.push_back(c);
    }
    list = std::move(once);
  }

  bool CanMatter(Mistake mistake) const {
    if (lexicon_.rate(mistake, found_.family) <= 0) return false;
    if (mistake == Mistake::kIdentity) return op_ == Op::kSoftmax;
    if (mistake == Mistake::kEpsilon) return op_ == Op::kRmsNorm || op_ == Op::kLayerNorm;
    return true;
  }

  void ReadFailure(const ShownAttempt& attempt) {
    const Effects& effects = lexicon_.effects();
    const Inspection seen = Inspect(attempt.source);
    const Mentions named = lexicon_.Read(attempt.feedback, true);
    std::vector<Concept> likely, possible;
    for (Concept c = 0; c < kMistakes; ++c) {
      const bool is_named = named.any(c);
      if (!seen.empty && seen.design.has(AsMistake(c)) && CanMatter(AsMistake(c))) {
        const double chance = is_named ? effects.see_named : effects.see_unnamed;
        if (writing_.random.Chance(chance)) likely.push_back(c);
      } else if (is_named && CanMatter(AsMistake(c))) {
        possible.push_back(c);
      }
    }
    // Where the source shows nothing, the symptoms alone are taken at their word.
    if (likely.empty() && !possible.empty()) {
      likely.push_back(possible[writing_.random.Below(possible.size())]);
    }
    found_.mistakes.insert(found_.mistakes.end(), likely.begin(), likely.end());
  }

  void ReadSuccess(const ShownAttempt& best, const ShownAttempt* worst) {
    const Inspection seen = Inspect(best.source);
    const Inspection other = worst && worst != &best ? Inspect(worst->source) : Inspection{};
    std::vector<std::pair<double, Concept>> pieces;
    const bool fast = best.speedup.value_or(1.0) >= 1.0;
    for (int i = 0; i < kPieces; ++i) {
      const auto piece = static_cast<Piece>(i);
      if (!seen.seen[static_cast<size_t>(i)] || lexicon_.weight(piece, found_.family) <= 0)
        continue;
      const bool shared = !other.empty && other.seen[static_cast<size_t>(i)];
      if (fast && !shared && lexicon_.speed(piece) > 0) {
        pieces.emplace_back(-lexicon_.speed(piece), ConceptOf(piece));
      }
      for (Piece faster : FasterThan(piece, found_.family)) {
        if (lexicon_.weight(faster, found_.family) <= 0) continue;
        if (faster == Piece::kOnline && op_ != Op::kSoftmax) continue;
        found_.faster.push_back(ConceptOf(faster));
      }
    }
    std::sort(pieces.begin(), pieces.end());
    for (const auto& [speed, piece] : pieces) found_.pieces.push_back(piece);
    for (Concept c = 0; c < kMistakes; ++c) {
      if (!CanMatter(AsMistake(c)) || seen.design.has(AsMistake(c))) continue;
      if (AsMistake(c) == Mistake::kHalfAccumulate &&
          best.source.find("__half") == std::string::npos) {
        continue;
      }
      if (AsMistake(c) == Mistake::kBarrier &&
          best.source.find("__shared__") == std::string::npos) {
        continue;
      }
      found_.safe.push_back(c);
    }
  }

  const Writing& writing_;
  const Lexicon& lexicon_;
  Op op_ = Op::kUnknown;
  Findings found_;
};

}  // namespace

Findings ReadAttempts(const Writing& writing) { return Finder(writing).Find(); }

}  // namespace kw::author
