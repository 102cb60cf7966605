#include "words.h"

#include <algorithm>
#include <array>

namespace kw::memory {
namespace {

bool IsLower(char c) { return c >= 'a' && c <= 'z'; }
bool IsUpper(char c) { return c >= 'A' && c <= 'Z'; }
bool IsWordByte(char c) {
  return IsLower(c) || IsUpper(c) || (c >= '0' && c <= '9') ||
         (static_cast<unsigned char>(c) >= 128);
}

// Sorted, for binary search.
constexpr std::array<std::string_view, 88> kStopWords = {
    "a",     "about", "after",   "all",   "also",  "an",    "and",  "any",   "are",   "as",
    "at",    "be",    "because", "been",  "but",   "by",    "can",  "could", "did",   "do",
    "does",  "each",  "for",     "from",  "had",   "has",   "have", "how",   "i",     "if",
    "in",    "into",  "is",      "it",    "its",   "just",  "like", "make",  "may",   "might",
    "more",  "most",  "much",    "must",  "my",    "no",    "not",  "of",    "on",    "only",
    "or",    "other", "our",     "out",   "over",  "own",   "same", "shall", "so",    "some",
    "such",  "than",  "that",    "the",   "their", "them",  "then", "there", "these", "they",
    "this",  "those", "to",      "under", "very",  "was",   "we",   "were",  "what",  "when",
    "where", "which", "while",   "will",  "with",  "would", "you",  "your"};
static_assert(std::is_sorted(kStopWords.begin(), kStopWords.end()));

}  // namespace

std::vector<std::string_view> SplitWords(std::string_view text) {
  std::vector<std::string_view> words;
  size_t at = 0;
  while (at < text.size()) {
    while (at < text.size() && !IsWordByte(text[at])) ++at;
    const size_t begin = at;
    while (at < text.size() && IsWordByte(text[at])) ++at;
    if (at > begin) words.push_back(text.substr(begin, at - begin));
  }
  return words;
}

std::vector<std::string_view> SplitCamelCase(std::string_view word) {
  std::vector<std::string_view> parts;
  size_t begin = 0;
  for (size_t at = 1; at < word.size(); ++at) {
    if (IsUpper(word[at]) && IsLower(word[at - 1])) {
      parts.push_back(word.substr(begin, at - begin));
      begin = at;
    }
  }
  if (begin < word.size()) parts.push_back(word.substr(begin));
  return parts;
}

bool IsStopWord(std::string_view lower_case_word) {
  return std::binary_search(kStopWords.begin(), kStopWords.end(), lower_case_word);
}

}  // namespace kw::memory
