#include "policy.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include "inspect.h"

namespace kw::author {
namespace {

constexpr double kUsualTemperature = 0.7;
constexpr Slot kSlotOrder[] = {Slot::kLaunch, Slot::kReduce, Slot::kTiling,
                               Slot::kBlock,  Slot::kWidth,  Slot::kPasses,
                               Slot::kMath,   Slot::kUnroll, Slot::kRestrict};

double Saturate(double mentions, double rate) {
  return (1 - std::exp(-rate * mentions)) / (1 - std::exp(-rate));
}

// What advice adds to the log-weight of a piece.
double PieceShift(const Effects& effects, const Mentions& mentions, Piece piece) {
  const auto c = static_cast<size_t>(ConceptOf(piece));
  return effects.advise * Saturate(mentions.positive[c], effects.mention) -
         effects.dissuade * Saturate(mentions.negative[c], effects.mention);
}

class Chooser {
 public:
  Chooser(const Lexicon& lexicon, const OpSpec& spec, const Advice& advice, double temperature,
          Random& random)
      : lexicon_(lexicon),
        spec_(spec),
        advice_(advice),
        temperature_(temperature),
        random_(random),
        family_(FamilyOf(spec.op)) {}

  Design Fresh() {
    Design design;
    for (Slot slot : kSlotOrder) design.Set(Draw(design, slot));
    AddMistakes(design, 1.0);
    return design;
  }

  // The next version of a kernel that was shown with what became of it.
  Design Revise(const ShownAttempt& shown) {
    const Effects& effects = lexicon_.effects();
    Design design = Inspect(shown.source).design;
    const MistakeSet before = design.mistakes;
    Legalise(spec_, design);
    design.mistakes.reset();
    // Faults of one answer are not carried into the next.
    for (int i = 0; i < kMistakes; ++i) {
      const auto mistake = static_cast<Mistake>(i);
      if (!before[static_cast<size_t>(i)] || !Applies(spec_, design, mistake)) continue;
      const bool named = advice_.feedback.any(i) || advice_.lessons.any(i);
      const double repair = named ? effects.repair_named : effects.repair_unnamed;
      const bool form = mistake == Mistake::kNoEntry || mistake == Mistake::kMissingBrace ||
                        mistake == Mistake::kUnclosedFence;
      if (!random_.Chance(form ? effects.repair_named : repair)) design.Set(mistake);
    }
    if (shown.passed) {
      Explore(design, shown.speedup.value_or(0) > 1);
    } else {
      Follow(design);
    }
    AddMistakes(design, effects.fresh);
    return design;
  }

 private:
  double LogWeight(const Design& design, Piece piece) const {
    const double weight = lexicon_.weight(piece, family_);
    double log_weight = std::log(std::max(weight, 1e-3));
    log_weight += PieceShift(lexicon_.effects(), advice_.lessons, piece);
    log_weight += 0.5 * PieceShift(lexicon_.effects(), advice_.feedback, piece);
    if (SlotOf(piece) == Slot::kLaunch) {
      // Advice for a way to reduce is advice for the launches that allow it.
      Design next = design;
      next.Set(piece);
      double best = 0;
      for (Piece reduce : Options(spec_, next, Slot::kReduce)) {
        best = std::max(best, PieceShift(lexicon_.effects(), advice_.lessons, reduce));
      }
      log_weight += best;
    }
    return log_weight;
  }

  // `lift` adds to each piece's log-weight that times its speed.
  Piece Draw(const Design& design, Slot slot, double lift = 0) {
    const std::vector<Piece> options = Options(spec_, design, slot);
    if (options.size() == 1) return options[0];
    const double sharpness =
        temperature_ > 0 ? kUsualTemperature / std::max(temperature_, 0.05) : 0;
    std::vector<double> weights;
    size_t best = 0;
    double total = 0;
    for (size_t i = 0; i < options.size(); ++i) {
      weights.push_back(LogWeight(design, options[i]) + lift * lexicon_.speed(options[i]));
      if (weights[i] > weights[best]) best = i;
    }
    if (temperature_ <= 0) return options[best];
    const double top = weights[best];
    for (double& weight : weights) total += weight = std::exp((weight - top) * sharpness);
    double at = random_.Uniform() * total;
    for (size_t i = 0; i < options.size(); ++i) {
      if ((at -= weights[i]) < 0) return options[i];
    }
    return options.back();
  }

  // One piece is changed for another that is believed to be faster, so that what made the kernel
  // fast stays, and the next verdict tells what the change was worth. The launch decides how all of
  // the kernel is written: one that beats the baseline keeps it while anything else is left to try,
  // unless lessons advise another.
  void Explore(Design& design, bool beats_baseline) {
    if (!random_.Chance(lexicon_.effects().explore)) return;
    std::vector<std::pair<double, Piece>> ideas;
    std::optional<Piece> rewrite;
    for (Slot slot : kSlotOrder) {
      const Piece piece = Draw(design, slot, 1.0);
      const double gain = lexicon_.speed(piece) - lexicon_.speed(design.at(slot));
      if (gain <= 0) continue;
      const double shift = PieceShift(lexicon_.effects(), advice_.lessons, piece);
      if (slot == Slot::kLaunch && beats_baseline && shift <= 0) {
        rewrite = piece;
      } else {
        ideas.emplace_back(gain * std::exp(shift), piece);
      }
    }
    if (!ideas.empty()) {
      design.Set(OneOf(ideas));
    } else if (rewrite) {
      design.Set(*rewrite);
    }
    Legalise(spec_, design);
  }

  // In proportion to the weights.
  Piece OneOf(const std::vector<std::pair<double, Piece>>& ideas) {
    double total = 0;
    for (const auto& [weight, piece] : ideas) total += weight;
    double at = random_.Uniform() * total;
    for (const auto& [weight, piece] : ideas) {
      if ((at -= weight) < 0) return piece;
    }
    return ideas.back().second;
  }

  // Takes up what lessons advise outright, and leaves the rest as it was.
  void Follow(Design& design) {
    for (Slot slot : kSlotOrder) {
      for (Piece piece : Options(spec_, design, slot)) {
        const auto c = static_cast<size_t>(ConceptOf(piece));
        const double mentions = advice_.lessons.positive[c];
        if (mentions > 0 && random_.Chance(0.3 * lexicon_.effects().explore)) design.Set(piece);
      }
    }
    Legalise(spec_, design);
  }

  void AddMistakes(Design& design, double factor) {
    for (int i = 0; i < kMistakes; ++i) {
      const auto mistake = static_cast<Mistake>(i);
      // Each mistake takes its own draw, so that advice on one leaves the others as they were.
      const double draw = random_.Uniform();
      if (!Applies(spec_, design, mistake)) continue;
      const double rate = MistakeRate(lexicon_, family_, mistake, advice_, temperature_);
      if (draw < rate * factor) design.Set(mistake);
    }
    design.variant = static_cast<int>(random_.Below(2));
  }

  const Lexicon& lexicon_;
  const OpSpec& spec_;
  const Advice& advice_;
  double temperature_;
  Random& random_;
  Family family_;
};

// The attempt to start from: the fastest that passed, else the last that holds a kernel.
const ShownAttempt* ParentOf(const Prompt& prompt) {
  const ShownAttempt* parent = nullptr;
  for (const ShownAttempt& attempt : prompt.attempts) {
    if (attempt.source.empty()) continue;
    const bool keeps =
        parent && parent->passed &&
        (!attempt.passed || attempt.speedup.value_or(0) < parent->speedup.value_or(0));
    if (!keeps) parent = &attempt;
  }
  return parent;
}

}  // namespace

Advice ReadAdvice(const Lexicon& lexicon, const Prompt& prompt) {
  Advice advice;
  advice.lessons = lexicon.Read(prompt.ProseOf(Part::kAdvice), false);
  if (const double weight = lexicon.effects().contract; weight > 0) {
    advice.lessons.Add(lexicon.Read(prompt.ProseOf(Part::kTask), false), weight);
  }
  std::string feedback;
  for (const ShownAttempt& attempt : prompt.attempts) {
    if (!attempt.passed) feedback += attempt.feedback + "\n";
  }
  advice.feedback = lexicon.Read(feedback, true);
  return advice;
}

double MistakeRate(const Lexicon& lexicon, Family family, Mistake mistake, const Advice& advice,
                   double temperature) {
  const double base = lexicon.rate(mistake, family);
  if (base <= 0) return 0;
  const Effects& effects = lexicon.effects();
  const auto own = static_cast<size_t>(ConceptOf(mistake));
  double log_odds = std::log(base / (1 - base)) + effects.heat * (temperature - kUsualTemperature);
  double care = 0;
  for (int i = 0; i < kMistakes; ++i) {
    const double mentions = advice.lessons.all(i) + advice.feedback.all(i);
    if (static_cast<size_t>(i) != own) care += effects.care * std::min(1.0, mentions);
  }
  log_odds -= std::min(care, effects.care_cap);
  log_odds -= effects.warn * Saturate(advice.lessons.all(ConceptOf(mistake)) +
                                          advice.feedback.all(ConceptOf(mistake)),
                                      effects.mention);
  return 1 / (1 + std::exp(-log_odds));
}

Design ChooseDesign(const Lexicon& lexicon, const OpSpec& spec, const Prompt& prompt,
                    const Advice& advice, double temperature, Random& random) {
  Chooser chooser(lexicon, spec, advice, temperature, random);
  const ShownAttempt* parent = ParentOf(prompt);
  if (!parent) return chooser.Fresh();
  // A kernel that says too little of itself is written anew.
  return chooser.Revise(*parent);
}

}  // namespace kw::author
