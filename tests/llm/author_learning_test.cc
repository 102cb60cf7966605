// The prompts of the learners: items, analyses, rules, merges and judgements, in free wording.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kw/base/json.h"
#include "llm/author_prompts.h"
#include "src/llm/author/code.h"
#include "src/llm/author/lexicon.h"
#include "src/llm/author/prompt.h"

namespace kw {
namespace {

using author::Design;
using author::Mistake;
using author::Piece;
using author_test::Ask;
using author_test::Author;
using author_test::KernelPrompt;
using author_test::Share;
using author_test::TaskNamed;
using testing::HasSubstr;
using testing::Not;

std::string Kernel(const std::string& task, const Design& design) {
  const author::Prompt prompt = author::ReadPrompt({{"user", KernelPrompt(TaskNamed(task))}});
  return WriteKernel(author::ReadOperation(prompt), design);
}

Design With(std::initializer_list<Piece> pieces, std::initializer_list<Mistake> mistakes = {}) {
  Design design;
  for (Piece piece : pieces) design.Set(piece);
  for (Mistake mistake : mistakes) design.Set(mistake);
  return design;
}

std::string Attempt(const std::string& title, const std::string& verdict,
                    const std::string& source) {
  return "# " + title + "\nVerdict: " + verdict + "\n\n```cuda\n" + source + "```\n\n";
}

std::string ItemsPrompt(const std::string& attempts, int most) {
  return fmt::format(
      "Here is what happened with a CUDA kernel.\n\n# The task: softmax\nSoftmax of each row.\n"
      "```cuda\nextern \"C\" void run(const float* x, float* y, int64_t rows, int64_t cols, "
      "cudaStream_t stream);\n```\n{}# Answer\nA JSON array of at most {} memory items: "
      "[{{\"title\": ..., \"description\": ..., \"content\": ...}}]\n",
      attempts, most);
}

Json Parsed(const std::string& answer) {
  auto json = ParseJson(answer, "answer");
  return json ? *json : Json();
}

std::string Contents(const Json& items) {
  std::string all;
  for (const Json& item : items)
    all += item["title"].get<std::string>() + ". " + item["content"].get<std::string>() + "\n";
  return all;
}

bool Mentions(const std::string& text, author::Concept c) {
  static const author::Lexicon lexicon = *author::Lexicon::Load(author_test::EffectsFile());
  return lexicon.Read(text, false).any(c);
}

TEST(AuthorItems, NamesTheMistakeOfAFailure) {
  const std::string prompt = ItemsPrompt(
      Attempt("The kernel", "REJECTED at stage oracle: a race in shared memory was found",
              Kernel("softmax", With({}, {Mistake::kBarrier}))),
      3);
  auto author = Author();
  EXPECT_GT(Share(*author, prompt, 100,
                  [](const std::string& answer) {
                    const Json items = Parsed(answer);
                    return items.is_array() && !items.empty() &&
                           Mentions(Contents(items), ConceptOf(Mistake::kBarrier));
                  }),
            0.75);
}

TEST(AuthorItems, KeepsToTheFormAndTheCount) {
  auto author = Author();
  const std::string attempts =
      Attempt("First", "INCORRECT_NUMERICAL: only the last columns are wrong",
              Kernel("softmax", With({}, {Mistake::kTailGuard}))) +
      Attempt("Second", "PASSED, speedup 1.80 over the baseline",
              Kernel("softmax", With({Piece::kWarpShuffle, Piece::kVector4})));
  for (int most : {1, 3, 5}) {
    for (uint64_t seed = 0; seed < 40; ++seed) {
      const Json items = Parsed(Ask(*author, ItemsPrompt(attempts, most), seed).content);
      ASSERT_TRUE(items.is_array());
      EXPECT_LE(items.size(), static_cast<size_t>(most));
      EXPECT_GE(items.size(), 1u);
      for (const Json& item : items) {
        EXPECT_EQ(item.size(), 3u);
        EXPECT_FALSE(item["title"].get<std::string>().empty());
        EXPECT_THAT(item["description"].get<std::string>(), Not(HasSubstr("{")));
      }
    }
  }
}

TEST(AuthorItems, SaysWhatMadeASuccessFast) {
  const std::string prompt = ItemsPrompt(
      Attempt("The kernel", "PASSED, speedup 2.10 over the baseline",
              Kernel("softmax", With({Piece::kBlockPerRow, Piece::kWarpShuffle, Piece::kVector4}))),
      3);
  auto author = Author();
  EXPECT_GT(Share(*author, prompt, 100,
                  [](const std::string& answer) {
                    const std::string text = Contents(Parsed(answer));
                    return Mentions(text, ConceptOf(Piece::kWarpShuffle)) ||
                           Mentions(text, ConceptOf(Piece::kVector4)) ||
                           Mentions(text, ConceptOf(Piece::kBlockPerRow));
                  }),
            0.6);
}

TEST(AuthorItems, ASlowSuccessTeachesTheFasterPiece) {
  const std::string prompt =
      ItemsPrompt(Attempt("The kernel", "PASSED, speedup 0.20 over the baseline",
                          Kernel("softmax", With({Piece::kThreadPerRow, Piece::kSerial}))),
                  3);
  auto author = Author();
  EXPECT_GT(Share(*author, prompt, 100,
                  [](const std::string& answer) {
                    const std::string text = Contents(Parsed(answer));
                    return Mentions(text, ConceptOf(Piece::kBlockPerRow)) ||
                           Mentions(text, ConceptOf(Piece::kWarpPerRow)) ||
                           Mentions(text, ConceptOf(Piece::kWarpShuffle)) ||
                           Mentions(text, ConceptOf(Piece::kVector4));
                  }),
            0.6);
}

TEST(AuthorItems, ReadsAFailureWithoutASource) {
  const std::string prompt = ItemsPrompt(
      "# The kernel\nVerdict: MALFORMED at stage extract\nThe code fence is never closed.\n", 3);
  auto author = Author();
  EXPECT_GT(Share(*author, prompt, 60,
                  [](const std::string& answer) {
                    return Mentions(Contents(Parsed(answer)), ConceptOf(Mistake::kUnclosedFence));
                  }),
            0.5);
}

TEST(AuthorRules, AnalysisNamesWhatSetsTheKernelsApart) {
  const std::string prompt =
      "Compare these kernels, the best first, in prose.\n\nextern \"C\" void run(const float* x, "
      "float* y, int64_t rows, int64_t cols, cudaStream_t stream)\n# The task: "
      "softmax\nSoftmax.\n" +
      Attempt("Best", "PASSED, speedup 1.60",
              Kernel("softmax", With({Piece::kBlockPerRow, Piece::kWarpShuffle}))) +
      Attempt("Worst", "INCORRECT_NUMERICAL",
              Kernel("softmax", With({Piece::kBlockPerRow}, {Mistake::kScaling})));
  auto author = Author();
  int scaling = 0;
  for (uint64_t seed = 0; seed < 40; ++seed) {
    const std::string answer = Ask(*author, prompt, seed).content;
    EXPECT_THAT(answer, HasSubstr("shuffle"));
    scaling += Mentions(answer, ConceptOf(Mistake::kScaling)) ? 1 : 0;
  }
  EXPECT_GT(scaling, 20);
}

TEST(AuthorRules, TurnsAnAnalysisIntoStrings) {
  const std::string prompt =
      "Below is an analysis. Turn it into rules.\n\n# The analysis\nThe worse kernel reads out of "
      "bounds since nothing guards the tail. The best one reduces with warp shuffles.\n\n"
      "# What to answer\nA JSON array of at most 3 strings.\n";
  auto author = Author();
  int guard = 0, shuffle = 0;
  for (uint64_t seed = 0; seed < 40; ++seed) {
    const Json rules = Parsed(Ask(*author, prompt, seed).content);
    ASSERT_TRUE(rules.is_array());
    ASSERT_LE(rules.size(), 3u);
    std::string all;
    for (const Json& rule : rules) all += rule.get<std::string>() + "\n";
    guard += Mentions(all, ConceptOf(Mistake::kTailGuard)) ? 1 : 0;
    shuffle += Mentions(all, ConceptOf(Piece::kWarpShuffle)) ? 1 : 0;
  }
  EXPECT_GT(guard, 25);
  EXPECT_GT(shuffle, 25);
}

constexpr const char* kRuleList =
    "Merge the rules below.\n\n# The rules\n\n"
    "1. Start the maximum at -INFINITY.\n"
    "2. Every load is behind a bounds check.\n"
    "3. The maximum is initialised with negative infinity.\n"
    "4. The kernel is written clearly.\n"
    "5. Guard the tail before each access.\n\n# What to answer\n";

TEST(AuthorRules, MergesRulesThatSayTheSame) {
  auto author = Author();
  const Json merged =
      Parsed(Ask(*author, std::string(kRuleList) +
                              "A JSON array of at most 25 objects: [{\"rule\": \"...\", "
                              "\"from\": [1, 4]}]\n")
                 .content);
  ASSERT_EQ(merged.size(), 3u);
  EXPECT_EQ(merged[0]["rule"], "Start the maximum at -INFINITY.");
  EXPECT_EQ(merged[0]["from"], Json({1, 3}));
  EXPECT_EQ(merged[1]["from"], Json({2, 5}));
  EXPECT_EQ(merged[2]["from"], Json({4}));
}

TEST(AuthorRules, MergesToStringsAndLeavesOutTheWeakest) {
  auto author = Author();
  const Json merged =
      Parsed(Ask(*author, std::string(kRuleList) + "A JSON array of at most 2 strings.\n").content);
  ASSERT_EQ(merged.size(), 2u);
  EXPECT_EQ(merged[0], "Start the maximum at -INFINITY.");
  EXPECT_EQ(merged[1], "Every load is behind a bounds check.");
}

std::string JudgePrompt(const std::string& rule, const std::string& source) {
  return "Does the kernel follow the rule? Answer [[Yes]] or [[No]].\n\n# The rule\n\n" + rule +
         "\n\n# The kernel\n\n```cuda\n" + source + "```\n";
}

struct Case {
  const char* rule;
  const char* task;
  Design design;
  bool follows;
};

TEST(AuthorJudge, LooksAtTheSource) {
  const Case cases[] = {
      {"A maximum starts at -INFINITY, never at 0.", "softmax", With({}), true},
      {"A maximum starts at -INFINITY, never at 0.", "softmax", With({}, {Mistake::kIdentity}),
       false},
      {"Reductions use warp shuffles.", "softmax", With({Piece::kWarpShuffle}), true},
      {"Reductions use warp shuffles.", "softmax", With({Piece::kSharedTree}), false},
      {"Reductions use warp shuffles.", "gelu", With({Piece::kThreadPerElement}), true},
      {"Loads are vectorised with float4.", "gelu", With({Piece::kThreadPerElement}), false},
      {"Loads are vectorised with float4.", "gelu",
       With({Piece::kThreadPerElement, Piece::kVector4}), true},
      {"Every load stands behind a bounds check.", "gelu",
       With({Piece::kThreadPerElement}, {Mistake::kTailGuard}), false},
      {"Kernels are launched on the given stream.", "softmax", With({}, {Mistake::kStream}), false},
      {"Kernels are launched on the given stream.", "softmax", With({}), true},
      {"Names are well chosen.", "softmax", With({}), true},
  };
  auto author = Author();
  for (const Case& c : cases) {
    const std::string prompt = JudgePrompt(c.rule, Kernel(c.task, c.design));
    const double yes = Share(*author, prompt, 60, [](const std::string& answer) {
      return answer.find("[[Yes]]") != std::string::npos;
    });
    if (c.follows) {
      EXPECT_GT(yes, 0.85) << c.rule << " " << c.task;
    } else {
      EXPECT_LT(yes, 0.15) << c.rule << " " << c.task;
    }
  }
}

TEST(AuthorJudge, IsAmbiguousNowAndThenAndNeverSaysBoth) {
  auto author = Author();
  const std::string prompt = JudgePrompt("Names are well chosen.", Kernel("softmax", With({})));
  int neither = 0;
  for (uint64_t seed = 0; seed < 400; ++seed) {
    const std::string answer = Ask(*author, prompt, seed).content;
    const bool yes = answer.find("[[Yes]]") != std::string::npos;
    const bool no = answer.find("[[No]]") != std::string::npos;
    EXPECT_FALSE(yes && no);
    neither += !yes && !no ? 1 : 0;
  }
  EXPECT_GE(neither, 1);
  EXPECT_LE(neither, 30);
}

}  // namespace
}  // namespace kw
