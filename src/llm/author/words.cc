// Words and their stems.
#include <cctype>

#include "kw/base/text.h"
#include "lexicon.h"

namespace kw::author {
namespace {

bool IsWordChar(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

bool EndsWith(std::string_view word, std::string_view end) {
  return word.size() >= end.size() && word.substr(word.size() - end.size()) == end;
}

// Removes `end` when at least `keep` characters stay.
bool Strip(std::string& word, std::string_view end, size_t keep) {
  if (!EndsWith(word, end) || word.size() < end.size() + keep) return false;
  word.resize(word.size() - end.size());
  return true;
}

void AddWord(std::vector<std::string>& words, std::string_view raw) {
  const std::string word = ToLower(raw);
  if (word.substr(0, 2) == "__") {
    words.push_back(word);
    return;
  }
  for (std::string_view part : Split(word, '_')) {
    if (!part.empty()) words.emplace_back(part);
  }
}

// The minus of "-INFINITY", but not a hyphen.
bool IsMinus(std::string_view text, size_t at) {
  return text[at] == '-' && (at == 0 || !IsWordChar(text[at - 1])) && at + 1 < text.size() &&
         IsWordChar(text[at + 1]);
}

bool IsLowest(std::string_view raw) {
  const std::string word = ToLower(raw);
  return word.substr(0, 3) == "inf" || word == "flt_max" || word.substr(0, 10) == "cudart_inf" ||
         word == "huge_valf";
}

}  // namespace

std::vector<std::string> Words(std::string_view text) {
  std::vector<std::string> words;
  words.reserve(text.size() / 5);
  for (size_t i = 0; i < text.size();) {
    const char c = text[i];
    if (IsWordChar(c)) {
      size_t end = i;
      while (end < text.size() && IsWordChar(text[end])) ++end;
      AddWord(words, text.substr(i, end - i));
      i = end;
      continue;
    }
    if (IsMinus(text, i)) {
      size_t end = i + 1;
      while (end < text.size() && IsWordChar(text[end])) ++end;
      if (IsLowest(text.substr(i + 1, end - i - 1))) {
        words.emplace_back("neginf");
        i = end;
        continue;
      }
    }
    if ((c == '<' || c == '>') && i > 0 && (i + 1 >= text.size() || text[i + 1] != c) &&
        text[i - 1] != c && text[i - 1] != '-') {
      words.emplace_back("lessthan");
    } else if (c == '{' || c == '}') {
      words.emplace_back("brace");
    } else if (c == '.' || c == ';' || c == ':' || c == ',' || c == '(' || c == ')' || c == '!' ||
               c == '?' || c == '\n') {
      // A point inside a number or name ends no sentence.
      const bool inside = c == '.' && i + 1 < text.size() && IsWordChar(text[i + 1]);
      if (!inside) words.emplace_back(1, c == '\n' || c == '!' || c == '?' ? '.' : c);
    }
    ++i;
  }
  return words;
}

std::string Stem(std::string_view from) {
  std::string word(from);
  if (word.size() < 4 || word.substr(0, 2) == "__") {
    if (word.size() > 4 && word.back() == 's') word.pop_back();
    return word;
  }
  if (EndsWith(word, "ies")) {
    word.resize(word.size() - 3);
    word += 'y';
  } else if (EndsWith(word, "s") && !EndsWith(word, "ss") && !EndsWith(word, "us")) {
    word.pop_back();
  }
  for (std::string_view end :
       {"isation", "ization", "ising", "izing", "ised", "ized", "ise", "ize"}) {
    if (Strip(word, end, 4)) return word;
  }
  bool verb = Strip(word, "ing", 3);
  verb = verb || (!EndsWith(word, "eed") && Strip(word, "ed", 3));
  if (verb && word.size() > 3 && word[word.size() - 1] == word[word.size() - 2] &&
      word.back() != 'l' && word.back() != 's') {
    word.pop_back();
  }
  if (!verb && !Strip(word, "ation", 5)) Strip(word, "ly", 4);
  // accumulate, accumulator, accumulated, accumulation.
  if (!Strip(word, "ator", 5)) Strip(word, "e", 3);
  Strip(word, "at", 5);
  return word;
}

}  // namespace kw::author
