// Fences that open and close while a text comes.
#include "src/llm/fence_watch.h"

#include <gtest/gtest.h>

#include <string>

#include "guarded_text.h"

namespace kw::llm {
namespace {

struct Seen {
  int64_t closed = 0;
  bool open = false;
  bool closed_by_end = false;

  bool operator==(const Seen&) const = default;
};

Seen See(std::string_view text) {
  FenceWatch fences;
  fences.Feed(text);
  Seen seen;
  seen.closed_by_end = fences.Finish();
  seen.closed = fences.closed_count();
  seen.open = fences.open();
  return seen;
}

const Seen kNone = {};
const Seen kOpen = {.open = true};
const Seen kClosed = {.closed = 1};
const Seen kClosedByEnd = {.closed = 1, .closed_by_end = true};

TEST(FenceWatch, SaysWhenAFenceClosesAndOnlyThen) {
  FenceWatch fences;
  EXPECT_FALSE(fences.Feed("Here it is:\n"));
  EXPECT_FALSE(fences.open());
  EXPECT_FALSE(fences.Feed("```cu"));
  EXPECT_FALSE(fences.Feed("da\n"));
  EXPECT_TRUE(fences.open());
  EXPECT_FALSE(fences.Feed("int x;\n`"));
  EXPECT_FALSE(fences.Feed("``"));
  EXPECT_TRUE(fences.open()) << "it may still become ```cuda";
  EXPECT_TRUE(fences.Feed("\nIt is"));
  EXPECT_FALSE(fences.open());
  EXPECT_FALSE(fences.Feed(" fast.\n"));
  EXPECT_FALSE(fences.Finish());
  EXPECT_EQ(fences.closed_count(), 1);
}

TEST(FenceWatch, SaysItForEachPieceInWhichOneCloses) {
  FenceWatch fences;
  EXPECT_TRUE(fences.Feed("```\na\n```\n```\nb\n```\n"));
  EXPECT_EQ(fences.closed_count(), 2);
  EXPECT_FALSE(fences.Feed("c"));
}

TEST(FenceWatch, EndOfTheStreamEndsTheLastLine) {
  EXPECT_EQ(See("```\nx\n```"), kClosedByEnd);
  EXPECT_EQ(See("```\nx\n```\n"), kClosed);
  EXPECT_EQ(See("```\nx\n``"), kOpen);
  EXPECT_EQ(See("```cuda"), kOpen);
  EXPECT_EQ(See(""), kNone);
}

TEST(FenceWatch, FencesOfCommonMark) {
  EXPECT_EQ(See("``\nx\n``\n"), kNone) << "two marks are none";
  EXPECT_EQ(See("~~~\nx\n~~~\n"), kClosed);
  EXPECT_EQ(See("~~~\nx\n```\n"), kOpen) << "other marks do not close";
  EXPECT_EQ(See("```\nx\n~~~\n"), kOpen);
  EXPECT_EQ(See("````\nx\n```\n"), kOpen) << "a shorter one does not close";
  EXPECT_EQ(See("```\nx\n``````\n"), kClosed) << "a longer one does";
  EXPECT_EQ(See("``` a ` b\nx\n"), kNone) << "no backticks in the info of backticks";
  EXPECT_EQ(See("~~~ a ` b\nx\n~~~\n"), kClosed) << "but in that of tildes";
  EXPECT_EQ(See("```cuda title=\"x\"\nx\n```\n"), kClosed);
  EXPECT_EQ(See("```\r\nx\r\n```  \t\r\n"), kClosed);
  EXPECT_EQ(See("````\n```\nx\n```\n````\n"), kClosed) << "a shorter fence inside is text";
}

TEST(FenceWatch, FencesAsModelsWriteThem) {
  EXPECT_EQ(See("          ```cuda\n  x\n        ```\n"), kClosed) << "any indentation";
  EXPECT_EQ(See("Here it is: ```cuda\nx\n```\n"), kClosed) << "behind text";
  EXPECT_EQ(See("Use `a` or ```cuda\nx\n```\n"), kOpen) << "behind code in the line it is none";
  EXPECT_EQ(See("```cuda\nint x;\n}```\n"), kClosed) << "behind code";
  EXPECT_EQ(See("```cuda\n// ends with ```\n"), kOpen) << "not behind a comment";
  EXPECT_EQ(See("```cuda\n * ends with ```\n"), kOpen);
  EXPECT_EQ(See("```cuda\nx\n```cuda\ny\n```\n"), kClosed) << "the first was never closed";
  EXPECT_EQ(See("```cuda\nx\n``` and so on\n"), kClosed) << "text behind it";
  EXPECT_EQ(See("````cuda\nx\n```cpp\ny\n```\n"), kClosed) << "the new one is shorter";
}

TEST(FenceWatch, LongLinesAreReadToTheirEnd) {
  const std::string line(100'000, 'x');
  EXPECT_EQ(See("```\n" + line + "}```\n"), kClosed);
  EXPECT_EQ(See("```\n" + line + "//" + line + "```\n"), kOpen);
  EXPECT_EQ(See("``` " + line + "\nx\n```\n"), kClosed);
  EXPECT_EQ(See(line + "```cuda\nx\n```\n"), kClosed);
  EXPECT_EQ(See("```" + std::string(41, 'c') + "\n```" + std::string(41, 'c') + "\n"), kClosed)
      << "a word of more than 40 letters is no info word";
}

TEST(FenceWatch, SaysTheSameHoweverTheTextIsCut) {
  const std::string text =
      "Look: ```cuda\nint x;  // ``\n```\n~~~\n ``` \n~~~~\n````md\n```\n````\n``` x\n a```";
  const Seen whole = See(text);
  EXPECT_EQ(whole, (Seen{.closed = 4, .closed_by_end = true}));
  for (uint64_t seed = 0; seed < 200; ++seed) {
    FenceWatch fences;
    int64_t said = 0;
    for (const std::string_view piece : guard_test::AnyPieces(text, seed, 1 + seed % 12)) {
      const int64_t before = fences.closed_count();
      const bool closed = fences.Feed(piece);
      EXPECT_EQ(closed, fences.closed_count() > before);
      said += fences.closed_count() - before;
    }
    said += fences.Finish();
    EXPECT_EQ(said, whole.closed);
    EXPECT_EQ(fences.open(), whole.open);
  }
}

}  // namespace
}  // namespace kw::llm
