// data/models/simulated_author.toml: what is wrong in it is named.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kw/base/file.h"
#include "llm/author_prompts.h"

namespace kw {
namespace {

using testing::HasSubstr;

std::string ErrorOfChanged(const std::string& from, const std::string& to) {
  std::string text = ReadFile(author_test::EffectsFile()).value();
  const size_t at = text.find(from);
  if (at == std::string::npos) return "the file does not hold '" + from + "'";
  text.replace(at, from.size(), to);
  auto folder = ScratchDirectory::Make("effects");
  const std::string file = folder->path() + "/effects.toml";
  if (!WriteFileAtomic(file, text)) return "cannot write";
  auto author = MakeSimulatedAuthor(file);
  return author ? "" : author.error().ToString();
}

TEST(SimulatedAuthorEffects, TakesTheFileAsItIs) {
  EXPECT_EQ(ErrorOfChanged("[effects]", "[effects]"), "");
}

TEST(SimulatedAuthorEffects, NamesAnUnknownKey) {
  EXPECT_THAT(ErrorOfChanged("care_cap =", "care_cup ="), HasSubstr("care_cap"));
}

TEST(SimulatedAuthorEffects, NamesAnUnknownMistake) {
  EXPECT_THAT(ErrorOfChanged("[mistakes.barrier]", "[mistakes.barriers]"), HasSubstr("barrier"));
}

TEST(SimulatedAuthorEffects, RefusesARateThatIsNoProbability) {
  EXPECT_THAT(ErrorOfChanged("rate = { rows = 0.17", "rate = { rows = 1.7"), HasSubstr("1.7"));
}

TEST(SimulatedAuthorEffects, RefusesAnEmptyWordInAPattern) {
  EXPECT_THAT(ErrorOfChanged("\"off_by_one\"", "\"off__one\""), HasSubstr("off__one"));
}

TEST(SimulatedAuthorEffects, RefusesAnotherVersion) {
  EXPECT_THAT(ErrorOfChanged("version = 1", "version = 2"), HasSubstr("version 2"));
}

}  // namespace
}  // namespace kw
