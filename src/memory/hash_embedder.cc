// The built-in embedder. A text becomes a bag of features:
//   w  words, without stop words; the parts of camel-case identifiers count as words too
//   b  pairs of adjacent words
//   c  character n-grams (3 to 5) of "<word>", so that launch, launches and launching are near
// Feature f that occurs n times adds  sign(f) * weight(kind) * sqrt(n)  to component hash(f) mod D
// (feature hashing: Weinberger et al., ICML 2009), and the sum is scaled to unit length.
//
// Only +, *, / and sqrt on doubles, in a fixed order: IEEE 754 rounds them alike everywhere.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "kw/base.h"
#include "kw/memory.h"
#include "words.h"

namespace kw {
namespace {

using memory::IsStopWord;
using memory::SplitCamelCase;
using memory::SplitWords;

struct Feature {
  uint64_t hash;
  double weight;
};

constexpr double kWordWeight = 1.0;
constexpr double kPairWeight = 0.4;
constexpr double kNgramWeight = 0.3;
constexpr size_t kLongestWord = 64;  // of a longer one the head speaks for the whole

// FNV-1a with a final mix: its low bits alone are too regular for short inputs.
uint64_t HashFeature(char kind, std::string_view a, std::string_view b = {}) {
  uint64_t h = 0xcbf29ce484222325;
  const auto add = [&h](char c) { h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3; };
  add(kind);
  for (char c : a) add(c);
  add('\0');
  for (char c : b) add(c);
  h = (h ^ (h >> 33)) * 0xff51afd7ed558ccd;
  h = (h ^ (h >> 33)) * 0xc4ceb9fe1a85ec53;
  return h ^ (h >> 33);
}

// Where each character of a UTF-8 text begins, and its end.
std::vector<size_t> CharacterStarts(std::string_view text) {
  std::vector<size_t> starts;
  for (size_t i = 0; i < text.size(); ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xC0) != 0x80) starts.push_back(i);
  }
  starts.push_back(text.size());
  return starts;
}

void AddNgrams(const std::string& word, std::vector<Feature>& features) {
  const std::string marked = "<" + word + ">";
  const std::vector<size_t> starts = CharacterStarts(marked);
  const size_t characters = starts.size() - 1;
  for (size_t n = 3; n <= 5; ++n) {
    for (size_t i = 0; i + n <= characters; ++i) {
      const auto gram = std::string_view(marked).substr(starts[i], starts[i + n] - starts[i]);
      features.push_back({HashFeature('c', gram), kNgramWeight});
    }
  }
}

std::vector<Feature> Features(std::string_view text) {
  std::vector<Feature> features;
  std::string previous;
  for (std::string_view raw : SplitWords(text)) {
    raw = raw.substr(0, kLongestWord);
    const std::string word = ToLower(raw);
    if (IsStopWord(word)) continue;
    features.push_back({HashFeature('w', word), kWordWeight});
    AddNgrams(word, features);
    const std::vector<std::string_view> parts = SplitCamelCase(raw);
    if (parts.size() > 1) {
      for (std::string_view part : parts) {
        features.push_back({HashFeature('w', ToLower(part)), kWordWeight});
      }
    }
    if (!previous.empty()) features.push_back({HashFeature('b', previous, word), kPairWeight});
    previous = word;
  }
  // A text without a word still needs a vector of unit length.
  if (features.empty()) features.push_back({HashFeature('e', ""), 1.0});
  return features;
}

class HashEmbedder : public Embedder {
 public:
  explicit HashEmbedder(int dimension) : dimension_(dimension) {}

  std::string name() const override { return fmt::format("hash-ngrams-v1-{}", dimension_); }
  int dimension() const override { return dimension_; }

  Result<std::vector<std::vector<float>>> Embed(const std::vector<std::string>& texts) override {
    std::vector<std::vector<float>> vectors;
    vectors.reserve(texts.size());
    for (const std::string& text : texts) vectors.push_back(EmbedOne(text));
    return vectors;
  }

 private:
  std::vector<float> EmbedOne(std::string_view text) const {
    std::vector<Feature> features = Features(text);
    std::sort(features.begin(), features.end(),
              [](const Feature& a, const Feature& b) { return a.hash < b.hash; });
    std::vector<double> sum(static_cast<size_t>(dimension_), 0.0);
    for (size_t i = 0; i < features.size();) {
      size_t end = i;
      while (end < features.size() && features[end].hash == features[i].hash) ++end;
      const double value = features[i].weight * std::sqrt(static_cast<double>(end - i));
      const bool negative = (features[i].hash >> 63) != 0;
      sum[features[i].hash % static_cast<uint64_t>(dimension_)] += negative ? -value : value;
      i = end;
    }
    double square = 0;
    for (double x : sum) square += x * x;
    // Features may cancel in every component; then the first component stands for the text.
    if (square == 0) sum[0] = square = 1;
    std::vector<float> vector(sum.size());
    const double length = std::sqrt(square);
    for (size_t i = 0; i < sum.size(); ++i) vector[i] = static_cast<float>(sum[i] / length);
    return vector;
  }

  int dimension_;
};

}  // namespace

std::unique_ptr<Embedder> MakeHashEmbedder(int dimension) {
  KW_CHECK(dimension > 0, "an embedder needs at least one dimension");
  return std::make_unique<HashEmbedder>(dimension);
}

}  // namespace kw
