#include "sse.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "kw/base.h"

namespace kw::llm {
namespace {

using Events = std::vector<std::pair<std::string, std::string>>;

// The events of a stream that comes in pieces of so many bytes.
Events Read(const std::string& stream, size_t piece = 1 << 20, bool finish = true) {
  SseParser parser(1 << 20);
  Events events;
  const auto note = [&](std::string_view event, std::string_view data) {
    events.emplace_back(event, data);
    return true;
  };
  for (size_t at = 0; at < stream.size(); at += piece) {
    EXPECT_TRUE(parser.Feed(std::string_view(stream).substr(at, piece), note));
  }
  if (finish) {
    EXPECT_TRUE(parser.Finish(note));
  }
  return events;
}

TEST(Sse, ReadsDataAndEventNames) {
  EXPECT_EQ(Read("data: {\"a\":1}\n\nevent: ping\ndata: x\n\ndata:y\n\n"),
            (Events{{"", "{\"a\":1}"}, {"ping", "x"}, {"", "y"}}));
}

TEST(Sse, TakesEveryEndOfLine) {
  for (const std::string end : {"\n", "\r\n", "\r"}) {
    EXPECT_EQ(Read("data: a" + end + end + "data: b" + end + "data: c" + end + end),
              (Events{{"", "a"}, {"", "b\nc"}}))
        << end.size();
  }
}

TEST(Sse, IgnoresCommentsOtherFieldsAndEventsWithoutData) {
  EXPECT_EQ(Read(": ping\n\nid: 7\nretry: 10\ndata: a\n\nevent: nothing\n\nunknown\n\n: x\n"),
            (Events{{"", "a"}}));
}

TEST(Sse, TakesOneSpaceAwayAndAByteOrderMark) {
  EXPECT_EQ(Read("\xEF\xBB\xBF"
                 "data:  two\n\ndata\n\n"),
            (Events{{"", " two"}, {"", ""}}));
}

TEST(Sse, AnEventThatNoEmptyLineEndedIsOneAtTheEnd) {
  EXPECT_EQ(Read("data: a\n\ndata: [DONE]"), (Events{{"", "a"}, {"", "[DONE]"}}));
  EXPECT_EQ(Read("data: a\n\ndata: half", 1 << 20, /*finish=*/false), (Events{{"", "a"}}));
}

TEST(Sse, DependsNotOnHowTheStreamIsCut) {
  Random random(5);
  for (int round = 0; round < 300; ++round) {
    std::string stream;
    for (int i = 0; i < 12; ++i) {
      const char* const parts[] = {"data: ", "a", ":", " ", "\n", "\r\n", "\r", "event: e", "\n\n"};
      stream += parts[random.Below(std::size(parts))];
    }
    const Events whole = Read(stream);
    for (size_t piece : {1, 2, 3, 7}) EXPECT_EQ(Read(stream, piece), whole) << stream;
  }
}

TEST(Sse, LeavesBytesToReadBehindTheData) {
  SseParser parser(1 << 20);
  parser.Feed("data: {}\n\n", [](std::string_view, std::string_view data) {
    // Sanitizers would tell.
    volatile char sum = 0;
    for (size_t i = 0; i < SseParser::kPadding; ++i) sum = sum + data.data()[data.size() + i];
    return true;
  });
}

TEST(Sse, StopsWhereItIsToldToAndAtAnEventThatIsTooLarge) {
  SseParser parser(100);
  int seen = 0;
  const auto once = [&seen](std::string_view, std::string_view) { return ++seen > 5; };
  EXPECT_FALSE(parser.Feed("data: a\n\ndata: b\n\n", once));
  EXPECT_EQ(seen, 1);
  EXPECT_FALSE(parser.too_large());

  SseParser small(100);
  const auto any = [](std::string_view, std::string_view) { return true; };
  EXPECT_TRUE(small.Feed("data: " + std::string(80, 'x'), any));
  EXPECT_FALSE(small.Feed(std::string(80, 'x'), any));
  EXPECT_TRUE(small.too_large());
  SseParser lines(100);
  bool goes_on = true;
  for (int i = 0; i < 50 && goes_on; ++i) goes_on = lines.Feed("data: 0123456789\n", any);
  EXPECT_FALSE(goes_on);
  EXPECT_TRUE(lines.too_large());
}

}  // namespace
}  // namespace kw::llm
