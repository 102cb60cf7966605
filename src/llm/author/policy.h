// policy: which kernel is written: the base habits, moved by what the prompt says.
#pragma once

#include <cstdint>

#include "kw/base/random.h"
#include "lexicon.h"
#include "prompt.h"

namespace kw::author {

// What moves the choices.
struct Advice {
  Mentions lessons;   // lessons, rules, and prose under no heading
  Mentions feedback;  // symptoms and words of the attempts that are shown
};
Advice ReadAdvice(const Lexicon& lexicon, const Prompt& prompt);

// Temperature 0 takes the likeliest piece in each slot; mistakes are drawn at any temperature,
// since a language model makes them when greedy, too.
Design ChooseDesign(const Lexicon& lexicon, const OpSpec& spec, const Prompt& prompt,
                    const Advice& advice, double temperature, Random& random);

// The probability that a fresh kernel has the mistake.
double MistakeRate(const Lexicon& lexicon, Family family, Mistake mistake, const Advice& advice,
                   double temperature);

}  // namespace kw::author
