// What a prompt advises, in free wording, moves the odds of what the author writes. Shares are over
// fixed seeds, so that they never vary.
#include <gtest/gtest.h>

#include "llm/author_prompts.h"
#include "src/llm/author/inspect.h"

namespace kw {
namespace {

using author::Design;
using author::Inspect;
using author::Mistake;
using author::Piece;
using author_test::AllTasks;
using author_test::Author;
using author_test::KernelPrompt;
using author_test::Share;
using author_test::SourceIn;
using author_test::TaskNamed;

constexpr int kSeeds = 150;

// The share of answers that have a mistake, or a piece.
template <class What>
double ShareWith(What what, const std::string& prompt) {
  auto author = Author();
  return Share(*author, prompt, kSeeds, [&](const std::string& answer) {
    return Inspect(SourceIn(answer)).design.has(what);
  });
}

double CleanShare(const std::string& prompt) {
  auto author = Author();
  return Share(*author, prompt, kSeeds, [&](const std::string& answer) {
    const std::string source = SourceIn(answer);
    return !source.empty() && Inspect(source).design.mistakes.none();
  });
}

struct Warning {
  const char* task;
  Mistake mistake;
  const char* words;
};

class WarningTest : public testing::TestWithParam<Warning> {};

TEST_P(WarningTest, LowersTheMistakeThatItNames) {
  const Warning& warning = GetParam();
  const author_test::TaskText task = TaskNamed(warning.task);
  const double before = ShareWith(warning.mistake, KernelPrompt(task));
  const double after = ShareWith(warning.mistake, KernelPrompt(task, warning.words));
  EXPECT_GT(before, 0.03);
  EXPECT_LT(after, before / 3) << warning.words;
}

INSTANTIATE_TEST_SUITE_P(
    FreeWording, WarningTest,
    testing::Values(
        Warning{"softmax", Mistake::kTailGuard, "Remember to check idx < n before loading."},
        Warning{"rmsnorm", Mistake::kTailGuard, "Guard the tail."},
        Warning{"gelu", Mistake::kTailGuard,
                "An earlier kernel read out of bounds at columns >= 1000."},
        Warning{"matmul", Mistake::kTailGuard, "Mask the loads at the edges of a tile."},
        Warning{"gelu", Mistake::kDivides, "Never assume that n is a multiple of the block."},
        Warning{"softmax", Mistake::kIdentity, "Begin the running maximum at minus infinity."},
        Warning{"softmax", Mistake::kIdentity, "m should start as -INFINITY."},
        Warning{"softmax", Mistake::kBarrier, "Put __syncthreads() between the steps."},
        Warning{"matmul", Mistake::kBarrier,
                "There was a race on shared memory; synchronise the threads."},
        Warning{"gelu", Mistake::kScaling,
                "Do not forget the factor of one half: the final scaling matters."},
        Warning{"rmsnorm", Mistake::kEpsilon, "Epsilon belongs under the square root."},
        Warning{"row_sum", Mistake::kOffByOne,
                "Make sure that the last element is included in each loop."},
        Warning{"leaky_relu", Mistake::kStream,
                "Launch everything on the stream that you are given."},
        Warning{"leaky_relu", Mistake::kNoEntry,
                "The function must be extern \"C\" and called run."},
        Warning{"leaky_relu", Mistake::kMissingBrace, "Check that every brace is closed."}));

struct Tip {
  const char* task;
  Piece piece;
  const char* words;
};

class TipTest : public testing::TestWithParam<Tip> {};

TEST_P(TipTest, RaisesThePieceThatItAdvises) {
  const Tip& tip = GetParam();
  const author_test::TaskText task = TaskNamed(tip.task);
  const double before = ShareWith(tip.piece, KernelPrompt(task));
  const double after = ShareWith(tip.piece, KernelPrompt(task, tip.words));
  EXPECT_GT(after, before + 0.2) << tip.words;
}

INSTANTIATE_TEST_SUITE_P(
    FreeWording, TipTest,
    testing::Values(
        Tip{"softmax", Piece::kWarpShuffle, "Use warp shuffles instead of shared memory trees."},
        Tip{"row_sum", Piece::kVector4, "Vectorise the loads with float4."},
        Tip{"gelu", Piece::kVector4, "128-bit accesses are fastest here."},
        Tip{"softmax", Piece::kWarpPerRow, "Assign one warp to each row."},
        Tip{"softmax", Piece::kOnline, "An online softmax needs one pass less."},
        Tip{"matmul", Piece::kRegisterTile, "Let each thread keep a register tile of outputs."},
        Tip{"matmul", Piece::kTile32, "Stage tiles of 32 by 32 in shared memory."},
        Tip{"gelu", Piece::kGridStride, "A grid-stride loop scales to any size."},
        Tip{"softmax", Piece::kFastMath, "Prefer the fast intrinsic __expf."}));

TEST(AuthorAdvice, AdviceAgainstAPieceLowersIt) {
  const author_test::TaskText task = TaskNamed("softmax");
  EXPECT_LT(ShareWith(Piece::kThreadPerRow,
                      KernelPrompt(
                          task, "Avoid giving a row to each thread: one thread per row is slow.")),
            0.5 * ShareWith(Piece::kThreadPerRow, KernelPrompt(task)));
}

TEST(AuthorAdvice, ProseThatAdvisesNothingChangesLittle) {
  for (const char* name : {"softmax", "gelu", "matmul"}) {
    const author_test::TaskText task = TaskNamed(name);
    EXPECT_NEAR(CleanShare(KernelPrompt(task)),
                CleanShare(KernelPrompt(task, "Write clearly and name things well.")), 0.15)
        << name;
  }
}

TEST(AuthorAdvice, WordsOfTheContractAreNoAdvice) {
  // KernelPrompt's interface section speaks of the stream, braces and races.
  EXPECT_GT(ShareWith(Mistake::kBarrier, KernelPrompt(TaskNamed("softmax"))), 0.05);
}

TEST(AuthorAdvice, ThreeRelevantLessonsLiftTheShareOfCleanKernels) {
  const std::string lessons =
      "## Guard the tail\nCheck that the index is inside before every load and store.\n"
      "## Barriers\nPut __syncthreads() between writing and reading shared memory.\n"
      "## Loops\nDo not assume that sizes are a multiple of the block; include the last element.\n";
  for (const author_test::TaskText& task : AllTasks()) {
    const double without = CleanShare(KernelPrompt(task));
    const double with = CleanShare(KernelPrompt(task, lessons));
    EXPECT_GT(without, 0.30) << task.name;
    EXPECT_LT(without, 0.55) << task.name;
    EXPECT_GT(with, 0.68) << task.name;
    EXPECT_LT(with, 0.97) << task.name;
  }
}

TEST(AuthorAdvice, LessonsForOtherOperationsDoNotChangeTheOperation) {
  auto author = Author();
  const std::string prompt = KernelPrompt(
      TaskNamed("gelu"), "In softmax, start the maximum at -INFINITY. A matmul wants tiles.");
  EXPECT_EQ(Share(*author, prompt, 50,
                  [](const std::string& answer) {
                    return answer.find("gelu_kernel") != std::string::npos;
                  }),
            1.0);
}

}  // namespace
}  // namespace kw
