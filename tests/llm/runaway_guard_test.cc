// What is a loop, where it is found, and what stays of it.
#include "src/llm/runaway_guard.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "guarded_text.h"

namespace kw::llm {
namespace {

using guard_test::AnyPieces;
using guard_test::EachByte;
using guard_test::EveryCut;
using guard_test::Pieces;
using guard_test::Show;
using guard_test::Times;
using guard_test::TokenLike;
using guard_test::Watch;
using guard_test::Watched;
using guard_test::Whole;
using testing::HasSubstr;

constexpr std::string_view kBegin = "Here is the kernel:\n\n";

// Units of which each begins where an instance begins, so that what stays is known exactly.
const std::vector<std::string> kUnits = {
    "x = y;\n",
    "__syncthreads();\n",
    "The kernel is a function.\n",
    "    sum += shared[threadIdx.x];\n",
    "#include <cuda_runtime.h>\n",
    "- Use shared memory.\n- Use registers.\n",
    "int main() { return 0; }  // the program ends here, always.\n",
    "```cpp\n```\n",
    "```cuda\n```\n\n",
    "\xE7\xBA\xBF\xE7\xA8\x8B\xE5\x9D\x97\n",
};

TEST(RunawayGuard, FindsTwelveRepeatsAndNotEleven) {
  for (const std::string& unit : kUnits) {
    for (const bool as_tokens : {false, true}) {
      const auto watch = [&](int64_t repeats) {
        const std::string text = std::string(kBegin) + Times(unit, repeats) + "The end";
        return Watch(as_tokens ? TokenLike(text) : EachByte(text));
      };
      EXPECT_FALSE(watch(11).loop) << unit;
      const Watched watched = watch(12);
      ASSERT_TRUE(watched.loop) << unit;
      EXPECT_EQ(watched.loop->repeats, 12) << unit;
    }
  }
}

TEST(RunawayGuard, StopsAtOnce) {
  for (const std::string& unit : kUnits) {
    const std::string text = std::string(kBegin) + Times(unit, 200);
    const Watched watched = Watch(TokenLike(text));
    ASSERT_TRUE(watched.loop) << unit;
    EXPECT_LE(watched.fed, kBegin.size() + 12 * unit.size() + 16) << unit;
  }
}

TEST(RunawayGuard, KeepsThreeInstancesAndCountsTheRest) {
  for (const std::string& unit : kUnits) {
    const std::string text = std::string(kBegin) + Times(unit, 20);
    const Watched watched = Watch(EachByte(text));
    ASSERT_TRUE(watched.loop) << unit;
    EXPECT_EQ(watched.loop->unit, unit);
    EXPECT_EQ(watched.loop->kept_bytes, kBegin.size() + 3 * unit.size()) << unit;
    EXPECT_EQ(watched.loop->dropped_bytes,
              static_cast<int64_t>(watched.fed - watched.loop->kept_bytes));
  }
}

TEST(RunawayGuard, CountsAllOfThePieceInWhichTheLoopIsFound) {
  const std::string text = std::string(kBegin) + Times("again ", 50);
  const Watched watched = Watch(Whole(text));
  ASSERT_TRUE(watched.loop);
  EXPECT_EQ(watched.loop->kept_bytes + static_cast<size_t>(watched.loop->dropped_bytes),
            text.size());
}

TEST(RunawayGuard, FindsSingleTokens) {
  for (const std::string unit : {" the", "\n", "\n\n", " \n", "\t\n", "\r\n", "ha", " x", "`",
                                 "</s>", "|x", "\xE8\xB0\xA2", "foo,", " = i"}) {
    Pieces pieces = {kBegin, "and so on"};
    pieces.insert(pieces.end(), 24, unit);
    const Watched watched = Watch(pieces);
    ASSERT_TRUE(watched.loop) << unit;
    EXPECT_LE(watched.fed, kBegin.size() + 9 + 14 * unit.size() + 8) << unit;
  }
}

// As small models end: a line or half of one, said 15 to 96 times.
TEST(RunawayGuard, FindsWhatSmallModelsSayAgainAndAgain) {
  const std::vector<std::string> words = {
      " the", " kernel", " a", " of",    " int", " (", ");", "\n",    " =", " 0",   " and",
      ".",    " sum",    ",",  " float", " row", ":",  " +", " idx]", " [", "\n\n", " return"};
  Random random(11);
  int found = 0;
  for (int i = 0; i < 400; ++i) {
    std::string unit = " say";
    const size_t size = 5 + random.Below(34);
    while (unit.size() < size) unit += words[random.Below(words.size())];
    const std::string text =
        std::string(kBegin) + Times(unit, 15 + static_cast<int64_t>(random.Below(82)));
    for (const Pieces& pieces : EveryCut(text, random.Next64())) {
      const Watched watched = Watch(pieces);
      ASSERT_TRUE(watched.loop) << unit;
      ++found;
      EXPECT_EQ(watched.loop->unit.size(), unit.size()) << unit;
      EXPECT_GE(watched.loop->kept_bytes, kBegin.size() + 3 * unit.size() - 2) << unit;
      EXPECT_LE(watched.loop->kept_bytes, kBegin.size() + 4 * unit.size()) << unit;
    }
  }
  EXPECT_EQ(found, 400 * 5);
}

TEST(RunawayGuard, FindsUnitsThatRepeatThemselvesInside) {
  for (const std::string unit :
       {"no no no no no no no yes ", "a b a b a b a b a b a b a b a b a b a c;\n",
        "x; x; x; x; x; x; x; x; x; x; y; x; x; x; x; x; x; z;\n", "ab ab ab abc abc abc\n"}) {
    const std::string text = std::string(kBegin) + Times(unit, 16);
    for (const Pieces& pieces : EveryCut(text, 3)) {
      const Watched watched = Watch(pieces);
      ASSERT_TRUE(watched.loop) << unit;
      EXPECT_EQ(watched.loop->unit.size(), unit.size());
      EXPECT_GE(watched.loop->repeats, 12);
    }
  }
}

TEST(RunawayGuard, CountersThatChangeAreNoLoop) {
  std::string text(kBegin);
  for (int i = 0; i < 500; ++i) text += "case " + std::to_string(i) + ": return table;\n";
  for (const Pieces& pieces : EveryCut(text, 5)) EXPECT_FALSE(Watch(pieces).loop);
}

TEST(RunawayGuard, SaysTheSameHoweverTheTextIsCut) {
  Random random(23);
  const std::string alphabet = "ab (\n;= ";
  int loops = 0;
  for (int i = 0; i < 600; ++i) {
    std::string text;
    for (int part = 0; part < 4; ++part) {
      std::string unit;
      for (uint64_t left = 1 + random.Below(i % 3 == 0 ? 64 : 12); left > 0; --left) {
        unit += alphabet[random.Below(alphabet.size())];
      }
      text += Times(unit, 1 + static_cast<int64_t>(random.Below(16)));
    }
    const std::vector<Pieces> cuts = EveryCut(text, random.Next64());
    const std::optional<FoundLoop> first = Watch(cuts[0]).loop;
    loops += first.has_value();
    for (const Pieces& pieces : cuts) {
      const std::optional<FoundLoop> loop = Watch(pieces).loop;
      ASSERT_EQ(loop.has_value(), first.has_value()) << text;
      if (!loop) continue;
      EXPECT_EQ(loop->unit, first->unit) << text;
      EXPECT_EQ(loop->kept_bytes, first->kept_bytes) << text;
      EXPECT_EQ(loop->repeats, first->repeats) << text;
    }
  }
  EXPECT_GT(loops, 100);
  EXPECT_LT(loops, 500);
}

// The first place at which `repeats` instances of some unit end, by trying all; npos: nowhere.
size_t FirstLoopOf(std::string_view text, size_t repeats) {
  size_t first = std::string_view::npos;
  for (size_t period = 1; period <= 64; ++period) {
    size_t matched = 0;
    for (size_t at = period; at < text.size() && at + 1 < first; ++at) {
      matched = text[at] == text[at - period] ? matched + 1 : 0;
      if (matched == (repeats - 1) * period) first = at + 1;
    }
  }
  return first;
}

TEST(RunawayGuard, FindsWhatTryingAllUnitsFindsAtTheSamePlace) {
  // Units of these hold words, whatever they are.
  const std::vector<std::string> parts = {"gh", "ij ", "kl\n", "rsrsrs", "op op op ", "q_r;"};
  Random random(41);
  int loops = 0;
  for (int i = 0; i < 3000; ++i) {
    const int repeats = i % 3 == 0 ? 3 + static_cast<int>(random.Below(9)) : 12;
    std::string text(kBegin);
    for (int section = 0; section < 4; ++section) {
      std::string unit;
      for (uint64_t left = 1 + random.Below(i % 2 == 0 ? 12 : 4); left > 0; --left) {
        unit += parts[random.Below(parts.size())];
      }
      text += Times(unit, static_cast<int64_t>(random.Below(static_cast<uint64_t>(repeats) + 1)));
    }
    const size_t first = FirstLoopOf(text, static_cast<size_t>(repeats));
    const Watched watched = Watch(EachByte(text), {.repeats = repeats, .kept = 1});
    ASSERT_EQ(watched.loop.has_value(), first != std::string::npos) << repeats << ": " << text;
    if (!watched.loop) continue;
    EXPECT_EQ(watched.fed, first) << repeats << ": " << text;
    ++loops;
  }
  EXPECT_GT(loops, 500);
  EXPECT_LT(loops, 2500);
}

TEST(RunawayGuard, FindsLongUnitsOfFewTokens) {
  const Pieces unit = {" the",        " synchronization", " of",           " multiprocessors",
                       " guarantees", " characteristics", " architecture", ".\n"};
  Pieces pieces = {kBegin};
  for (int i = 0; i < 30; ++i) pieces.insert(pieces.end(), unit.begin(), unit.end());
  const Watched watched = Watch(pieces);
  ASSERT_TRUE(watched.loop);
  std::string text;
  for (const std::string_view token : unit) text += token;
  EXPECT_GT(text.size(), 64u);
  EXPECT_EQ(watched.loop->unit, text);
  EXPECT_EQ(watched.loop->repeats, 12);
  EXPECT_EQ(watched.loop->kept_bytes, kBegin.size() + 3 * text.size());
  EXPECT_EQ(watched.fed, kBegin.size() + 12 * text.size());
  // Where the pieces are no tokens, 64 characters are the most.
  const std::string whole = std::string(kBegin) + Times(text, 30);
  EXPECT_FALSE(Watch(Whole(whole)).loop);
}

TEST(RunawayGuard, CountsCharactersNotBytes) {
  // 40 characters of three bytes each.
  std::string unit;
  for (char i = 0; i < 40; ++i) unit += "\xE5\xA4" + std::string(1, static_cast<char>(0x80 + i));
  const std::string text = "x" + Times(unit, 14);
  for (const Pieces& pieces : EveryCut(text, 9)) {
    const Watched watched = Watch(pieces);
    ASSERT_TRUE(watched.loop);
    EXPECT_EQ(watched.loop->unit, unit);
    EXPECT_EQ(watched.loop->kept_bytes, 1 + 3 * unit.size());
  }
}

TEST(RunawayGuard, TakesBytesThatAreNoText) {
  Random random(31);
  for (int i = 0; i < 50; ++i) {
    std::string unit =
        "\xFF"
        "a";
    for (uint64_t left = random.Below(30); left > 0; --left) {
      unit += static_cast<char>(random.Next32());
    }
    const std::string text = "begin " + Times(unit, 40);
    for (const Pieces& pieces : EveryCut(text, random.Next64())) {
      const Watched watched = Watch(pieces);
      ASSERT_TRUE(watched.loop);
      EXPECT_LE(watched.loop->kept_bytes, 6 + 4 * unit.size());
    }
  }
}

TEST(RunawayGuard, SaysALoopOnce) {
  RunawayGuard guard{RunawayConfig{}};
  int loops = 0;
  std::string text;
  for (int i = 0; i < 100; ++i) loops += guard.Read(text += "again and ").has_value();
  EXPECT_EQ(loops, 1);
  EXPECT_FALSE(guard.Read(text += Times("and more\n", 100)));
}

TEST(RunawayGuard, SaysNothingWhenSwitchedOff) {
  EXPECT_FALSE(Watch(Whole(Times("again\n", 1000)), {.enabled = false}).loop);
}

TEST(RunawayGuard, TakesItsNumbersFromTheConfig) {
  const std::string text = std::string(kBegin) + Times("say it\n", 30);
  const RunawayConfig config = {.unit_tokens = 1, .unit_characters = 7, .repeats = 20, .kept = 1};
  const Watched watched = Watch(EachByte(text), config);
  ASSERT_TRUE(watched.loop);
  EXPECT_EQ(watched.loop->repeats, 20);
  EXPECT_EQ(watched.loop->kept_bytes, kBegin.size() + 7);
  EXPECT_FALSE(Watch(EachByte(text), {.unit_tokens = 6, .unit_characters = 6}).loop);
  EXPECT_EQ(Watch(EachByte(text), {.repeats = 3, .kept = 0}).loop->kept_bytes, kBegin.size());
  EXPECT_EQ(Watch(EachByte(text), {.repeats = 3, .kept = 2}).loop->repeats, 3);
}

TEST(RunawayGuard, RefusesNumbersOutOfRange) {
  EXPECT_TRUE(CheckRunawayConfig({}));
  const auto message = [](const RunawayConfig& config) {
    const Result<void> checked = CheckRunawayConfig(config);
    return checked ? std::string() : checked.error().message;
  };
  EXPECT_THAT(message({.unit_tokens = 9}), HasSubstr("unit_tokens is 9; it may be 1 to 8"));
  EXPECT_THAT(message({.unit_characters = 0}), HasSubstr("unit_characters is 0"));
  EXPECT_THAT(message({.repeats = 2, .kept = 1}), HasSubstr("repeats is 2"));
  EXPECT_THAT(message({.kept = 12}), HasSubstr("kept is 12; it may be 0 to 11"));
}

}  // namespace
}  // namespace kw::llm
