// What a replay says of a request that was never recorded.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "response_cache_fixture.h"
#include "src/llm/recording_file.h"
#include "src/llm/request_diff.h"
#include "src/llm/request_sketch.h"

namespace kw {
namespace {

using recording::CountedRequest;
using recording::DescribeDifference;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

using CacheMissTest = ResponseCacheFixture;

CountedRequest Counted(const std::string& prompt) { return {Ask(prompt), "", 0}; }

std::string Numbered(int from, int to) {
  std::string lines;
  for (int i = from; i <= to; ++i) lines += "line " + std::to_string(i) + "\n";
  return lines;
}

TEST(RequestDiff, NamesEachFieldThatDiffers) {
  CountedRequest a = Counted("x"), b = Counted("x");
  EXPECT_EQ(DescribeDifference(a, b), "");
  a.variant = "guard:3x12";
  b.request.model = "other";
  b.request.temperature = 1;
  b.request.top_p = 0.5;
  b.request.max_tokens = 100;
  b.request.stop = {"\n\n"};
  b.request.seed = 42;
  EXPECT_EQ(DescribeDifference(a, b),
            "  variant: \"guard:3x12\" recorded, \"\" asked\n"
            "  model: \"m\" recorded, \"other\" asked\n"
            "  temperature: 0.7 recorded, 1 asked\n"
            "  top_p: 1 recorded, 0.5 asked\n"
            "  max_tokens: 8192 recorded, 100 asked\n"
            "  stop: [] recorded, [\"\\n\\n\"] asked\n"
            "  seed: none recorded, 42 asked\n");
}

TEST(RequestDiff, ShowsAChangedLineWithItsNeighbours) {
  const CountedRequest a = Counted(Numbered(1, 5) + "old\n" + Numbered(7, 12));
  const CountedRequest b = Counted(Numbered(1, 5) + "new\n" + Numbered(7, 12));
  EXPECT_EQ(DescribeDifference(a, b),
            "  message 1, line 6:\n"
            "      line 4\n"
            "      line 5\n"
            "    - old\n"
            "    + new\n"
            "      line 7\n"
            "      line 8\n");
}

TEST(RequestDiff, ShowsPlacesFarFromEachOtherApart) {
  const CountedRequest a = Counted("one\n" + Numbered(2, 20) + "last");
  const CountedRequest b = Counted(Numbered(2, 20) + "last\nand more");
  EXPECT_EQ(DescribeDifference(a, b),
            "  message 1, line 1 of the recorded one:\n"
            "      [message 1: user]\n"
            "    - one\n"
            "      line 2\n"
            "      line 3\n"
            "  message 1, line 21:\n"
            "      line 20\n"
            "      last\n"
            "    + and more\n");
}

TEST(RequestDiff, FindsAMessageThatWasAdded) {
  CountedRequest a = Counted("same\nlines"), b = a;
  b.request.messages.insert(b.request.messages.begin(), {"system", "be brief"});
  EXPECT_EQ(DescribeDifference(a, b),
            "  message 1:\n"
            "    + [message 1: system]\n"
            "    + be brief\n"
            "      [message 2: user]\n"
            "      same\n");
  b = a;
  b.request.messages[0].role = "assistant";
  EXPECT_THAT(DescribeDifference(a, b), HasSubstr("- [message 1: user]\n"
                                                  "    + [message 1: assistant]\n"));
}

TEST(RequestDiff, ShowsOfALongLineThePartThatDiffers) {
  const std::string head(50'000, 'a');
  const std::string text = DescribeDifference(Counted(head + "\xC3\xA9"
                                                             "1"),
                                              Counted(head + "\xC3\xA9"
                                                             "2"));
  EXPECT_THAT(text, AllOf(HasSubstr("\xC3\xA9"
                                    "1\n"),
                          HasSubstr("\xC3\xA9"
                                    "2\n")));
  EXPECT_LT(text.size(), 300U);
}

TEST(RequestDiff, MakesControlCharactersVisible) {
  const std::string text = DescribeDifference(Counted("a\r"), Counted("a\x1b[2J\x7f\xC2\x9B\t"));
  EXPECT_THAT(text, HasSubstr("- a\\r\n"));
  EXPECT_THAT(text, HasSubstr("+ a\\x1b[2J\\x7f\\x9b\\t\n"));
}

TEST(RequestDiff, StaysSmallAndValidWhateverDiffers) {
  std::string euros, other;
  for (int i = 0; i < 3000; ++i) {
    euros += std::string(i % 7, 'e') + "\xE2\x82\xAC\xE2\x82\xAC" + std::to_string(i) + "\n";
    other += std::string(i % 5, 'o') + "\xF0\x9F\x98\x80" + std::to_string(i) + "\n";
    if (i % 10 == 0) euros += "shared\n", other += "shared\n";
  }
  for (const auto& [a, b] : {std::pair(euros, other), std::pair(euros, std::string()),
                             std::pair(std::string(100'000, '\x01'), euros),
                             std::pair(std::string(300'000, '\n'), other)}) {
    const std::string text = DescribeDifference(Counted(a), Counted(b));
    EXPECT_LE(text.size(), recording::kMaxDiffBytes);
    EXPECT_FALSE(text.empty());
    EXPECT_EQ(ToValidUtf8(text), text);
  }
}

TEST(RequestDiff, CountsWhatItLeavesOut) {
  std::string a, b;
  for (int i = 0; i < 100; ++i) {
    a += Numbered(1, 6) + "old " + std::to_string(i) + "\n";
    b += Numbered(1, 6) + "new " + std::to_string(i) + "\n";
  }
  const std::string text = DescribeDifference(Counted(a), Counted(b));
  EXPECT_THAT(text, testing::ContainsRegex("  \\.\\.\\. [0-9]+ more differences\n"));
}

TEST_F(CacheMissTest, ShowsTheNearestRequest) {
  {
    const auto model = Recorder(Counting());
    for (const char* task : {"softmax", "gelu", "layernorm"}) {
      ChatRequest request = Ask("Write a kernel.\nThe task is " + std::string(task) + ".\nGo.");
      request.seed = 1;
      model->Complete(request).value();
    }
  }
  ChatRequest request = Ask("Write a kernel.\nThe task is gelu.\nGo.");
  request.seed = 2;
  const auto answer = Replayer()->Complete(request);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(answer.error().message, HasSubstr(file()));
  EXPECT_THAT(answer.error().message, HasSubstr("The nearest of 3 entries"));
  EXPECT_THAT(answer.error().message, HasSubstr("differs:\n  seed: 1 recorded, 2 asked"));
  EXPECT_THAT(answer.error().message, Not(HasSubstr("message 1")));
}

TEST_F(CacheMissTest, PrefersTheSameModelAmongEqualMessages) {
  {
    const auto model = Recorder(Counting());
    for (const char* name : {"a", "m", "b"}) {
      ChatRequest request = Ask("same");
      request.model = name;
      request.seed = 1;
      if (request.model != "m") request.max_tokens = 5;
      model->Complete(request).value();
    }
  }
  ChatRequest request = Ask("same");
  request.seed = 2;
  request.max_tokens = 5;
  const auto answer = Replayer()->Complete(request);
  EXPECT_THAT(answer.error().message, HasSubstr("max_tokens: 8192 recorded, 5 asked"));
  EXPECT_THAT(answer.error().message, Not(HasSubstr("  model:")));
}

TEST_F(CacheMissTest, SaysThatARecordingIsEmptyOrMissing) {
  EXPECT_EQ(ResponseCache::Open(file(), CacheMode::kReplay).error().code, ErrorCode::kNotFound);
  Open(CacheMode::kRecord);
  const auto answer = Replayer()->Complete(Ask("a"));
  EXPECT_EQ(answer.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(answer.error().message, HasSubstr("holds no answers at all"));
}

TEST_F(CacheMissTest, FindsTheNearestOfTenThousand) {
  constexpr int kEntries = 10'000;
  const auto prompt = [](int i) {
    return Numbered(1, 200) + "attempt " + std::to_string(i) + "\n" + Numbered(i, i + 50);
  };
  {
    auto file_open =
        recording::RecordingFile::Open(file(), recording::RecordingFile::Access::kWrite).value();
    const std::string answer = recording::Pack(recording::EncodeAnswer(Says("x")));
    for (int i = 0; i < kEntries; ++i) {
      const CountedRequest counted = Counted(prompt(i));
      const std::string text = recording::CanonicalRequest(counted.request, "", 1).value();
      recording::StoredRow row;
      row.key = ContentHash(text);
      row.sketch = recording::SketchOf({counted.request, "", 1});
      row.request = recording::Pack(text);
      row.answer = answer;
      ASSERT_TRUE(file_open->Insert(row, false).value());
    }
  }
  const auto model = Replayer();
  ChatRequest request = Ask(prompt(7654) + "one line more\n");
  const auto answer = model->Complete(request);
  EXPECT_THAT(answer.error().message, HasSubstr("The nearest of 10000 entries"));
  EXPECT_THAT(answer.error().message, HasSubstr("    + one line more\n"));
  EXPECT_THAT(answer.error().message, Not(HasSubstr("    - line")));
}

}  // namespace
}  // namespace kw
