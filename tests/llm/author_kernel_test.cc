// Which kernels the author writes, and how it improves on one that is shown.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "llm/author_prompts.h"
#include "src/llm/author/code.h"
#include "src/llm/author/inspect.h"
#include "src/llm/author/prompt.h"

namespace kw {
namespace {

using author::Applies;
using author::Design;
using author::Inspect;
using author::Mistake;
using author::OpSpec;
using author::Options;
using author::Piece;
using author::Slot;
using author_test::AllTasks;
using author_test::Ask;
using author_test::Author;
using author_test::KernelPrompt;
using author_test::Share;
using author_test::SourceIn;
using author_test::TaskNamed;
using testing::HasSubstr;
using testing::Not;

OpSpec SpecOf(const std::string& prompt) {
  return author::ReadOperation(author::ReadPrompt({{"user", prompt}}));
}

std::vector<Design> CleanDesigns(const OpSpec& spec) {
  std::vector<Design> designs = {Design{}};
  for (Slot slot : {Slot::kLaunch, Slot::kReduce, Slot::kTiling, Slot::kBlock, Slot::kWidth,
                    Slot::kPasses, Slot::kMath, Slot::kUnroll, Slot::kRestrict}) {
    std::vector<Design> next;
    for (const Design& design : designs) {
      for (Piece piece : Options(spec, design, slot)) {
        next.push_back(design);
        next.back().Set(piece);
      }
    }
    designs = std::move(next);
  }
  for (Design& design : designs) Legalise(spec, design);
  return designs;
}

TEST(AuthorKernels, KeepsThePrototypeAndItsNames) {
  auto author = Author();
  std::string prompt = KernelPrompt(TaskNamed("rmsnorm"));
  for (const auto& [from, to] : {std::pair<std::string, std::string>{"weight,", "gamma_,"},
                                 {"int64_t rows", "int64_t batch"}}) {
    const size_t at = prompt.rfind(from);
    prompt.replace(at, from.size(), to);
  }
  const double kept = Share(*author, prompt, 60, [](const std::string& answer) {
    return answer.find("const float* gamma_, float* y, int64_t batch, int64_t cols") !=
               std::string::npos &&
           answer.find("(x, gamma_, y, batch, cols") != std::string::npos;
  });
  EXPECT_GT(kept, 0.8);
}

TEST(AuthorKernels, FindsTheOperationInOtherTemplates) {
  const OpSpec spec = SpecOf(
      "Write a fast kernel that multiplies two matrices: matrix multiplication in half precision, "
      "out = lhs @ rhs. Use this signature:\n\nextern \"C\" void run(const __half* lhs, const "
      "__half* rhs, __half* out, int64_t M, int64_t N, int64_t K, cudaStream_t s)\n");
  EXPECT_EQ(spec.op, author::Op::kMatmul);
  EXPECT_EQ(spec.m, "M");
  EXPECT_EQ(spec.k, "K");
  EXPECT_EQ(spec.inputs[0].element, author::Element::kHalf);
}

TEST(AuthorKernels, TakesEpsilonFromTheReference) {
  EXPECT_EQ(SpecOf(KernelPrompt(TaskNamed("rmsnorm"))).epsilon, "1e-6f");
  EXPECT_EQ(SpecOf(KernelPrompt(TaskNamed("layernorm"))).epsilon, "1e-5f");
}

TEST(AuthorKernels, SaysSoWhenItDoesNotKnowTheOperation) {
  auto author = Author();
  const std::string prompt =
      "Implement a CUDA kernel for top-k sampling.\n```cuda\nextern \"C\" void run(const float* "
      "probs, int32_t* picked, int64_t rows, int64_t vocab, cudaStream_t stream);\n```\n";
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const std::string answer = Ask(*author, prompt, seed).content;
    EXPECT_THAT(answer, HasSubstr("not sure"));
    EXPECT_THAT(answer, HasSubstr("__global__"));
  }
}

TEST(AuthorKernels, ReadsBackEveryPieceThatItWrites) {
  for (const author_test::TaskText& task : AllTasks()) {
    const OpSpec spec = SpecOf(KernelPrompt(task));
    const std::vector<Design> designs = CleanDesigns(spec);
    for (size_t i = 0; i < designs.size(); i += 5) {
      const author::Inspection seen = Inspect(WriteKernel(spec, designs[i]));
      EXPECT_TRUE(seen.design.mistakes.none()) << task.name << " " << i;
      for (int s = 0; s < author::kSlots; ++s) {
        const auto slot = static_cast<Slot>(s);
        if (Options(spec, designs[i], slot).size() < 2) continue;
        EXPECT_EQ(PieceName(seen.design.at(slot)), PieceName(designs[i].at(slot)))
            << task.name << " " << i;
      }
    }
  }
}

TEST(AuthorKernels, ReadsBackEveryMistakeThatItWrites) {
  std::set<Mistake> met;
  std::vector<std::string> prompts;
  for (const author_test::TaskText& task : AllTasks()) {
    prompts.push_back(KernelPrompt(task));
    if (task.name != "softmax" && task.name != "matmul") continue;
    std::string half = prompts.back();
    for (size_t at = half.rfind("```cuda"); (at = half.find("float*", at)) != std::string::npos;) {
      half.replace(at, 6, "__half*");
    }
    prompts.push_back(half);
  }
  for (const std::string& prompt : prompts) {
    const OpSpec spec = SpecOf(prompt);
    const std::vector<Design> designs = CleanDesigns(spec);
    for (size_t i = 0; i < designs.size(); i += 7) {
      for (int m = 0; m < author::kMistakes; ++m) {
        const auto mistake = static_cast<Mistake>(m);
        if (mistake == Mistake::kUnclosedFence || !Applies(spec, designs[i], mistake)) continue;
        Design design = designs[i];
        design.Set(mistake);
        design.variant = static_cast<int>(i % 2);
        EXPECT_TRUE(Inspect(WriteKernel(spec, design)).design.has(mistake))
            << OpName(spec.op) << " " << MistakeName(mistake) << " " << i;
        met.insert(mistake);
      }
    }
  }
  EXPECT_EQ(met.size(), static_cast<size_t>(author::kMistakes) - 1);
}

TEST(AuthorKernels, MakesEveryMistakeItselfSooner_OrLater) {
  auto author = Author();
  std::set<Mistake> made;
  for (const char* name : {"softmax", "rmsnorm"}) {
    std::string prompt = KernelPrompt(TaskNamed(name));
    for (size_t at = prompt.rfind("```cuda");
         (at = prompt.find("float*", at)) != std::string::npos;) {
      prompt.replace(at, 6, "__half*");
    }
    for (uint64_t seed = 0; seed < 400; ++seed) {
      const std::string source = SourceIn(Ask(*author, prompt, seed).content);
      if (source.empty()) {
        made.insert(Mistake::kUnclosedFence);
        continue;
      }
      const Design design = Inspect(source).design;
      for (int m = 0; m < author::kMistakes; ++m) {
        if (design.mistakes[static_cast<size_t>(m)]) made.insert(static_cast<Mistake>(m));
      }
    }
  }
  EXPECT_EQ(made.size(), static_cast<size_t>(author::kMistakes));
}

std::string Previous(const OpSpec& spec, const Design& design, const std::string& feedback) {
  return feedback + "\n```cuda\n" + WriteKernel(spec, design) + "```\n";
}

TEST(AuthorRevision, RepairsWhatFeedbackNamesAndKeepsTheRest) {
  const author_test::TaskText task = TaskNamed("softmax");
  const OpSpec spec = SpecOf(KernelPrompt(task));
  Design design;
  design.Set(Piece::kWarpPerRow);
  design.Set(Piece::kWarpShuffle);
  design.Set(Piece::kVector4);
  design.Set(Mistake::kTailGuard);
  const std::string prompt = KernelPrompt(
      task, "",
      Previous(spec, design, "Verdict: RUNTIME_ERROR. A thread read 4 bytes out of bounds of x."));
  auto author = Author();
  const double repaired = Share(*author, prompt, 200, [](const std::string& answer) {
    return !Inspect(SourceIn(answer)).design.has(Mistake::kTailGuard);
  });
  const double kept = Share(*author, prompt, 200, [](const std::string& answer) {
    const std::string source = SourceIn(answer);
    const Design next = Inspect(source).design;
    return source.empty() || (next.has(Piece::kWarpPerRow) && next.has(Piece::kVector4));
  });
  EXPECT_GT(repaired, 0.75);
  EXPECT_GT(kept, 0.9);
}

TEST(AuthorRevision, SeldomFindsWhatNothingNames) {
  const author_test::TaskText task = TaskNamed("rmsnorm");
  const OpSpec spec = SpecOf(KernelPrompt(task));
  Design design;
  design.Set(Mistake::kScaling);
  auto left = [&](const std::string& feedback) {
    auto author = Author();
    return Share(*author, KernelPrompt(task, "", Previous(spec, design, feedback)), 200,
                 [](const std::string& answer) {
                   return Inspect(SourceIn(answer)).design.has(Mistake::kScaling);
                 });
  };
  EXPECT_GT(left("Verdict: INCORRECT."), 0.45);
  EXPECT_LT(left("Verdict: INCORRECT. You forget to divide by the number of columns."), 0.3);
}

TEST(AuthorRevision, MakesACorrectKernelFasterAndSeldomWrong) {
  const author_test::TaskText task = TaskNamed("row_sum");
  const OpSpec spec = SpecOf(KernelPrompt(task));
  const std::string prompt = KernelPrompt(
      task, "", Previous(spec, Design{}, "Verdict: PASSED, speedup 1.00 over the baseline."));
  auto author = Author();
  const double faster = Share(*author, prompt, 200, [](const std::string& answer) {
    const Design next = Inspect(SourceIn(answer)).design;
    return next.has(Piece::kWarpShuffle) || next.width() > 1;
  });
  const double clean = Share(*author, prompt, 200, [](const std::string& answer) {
    const std::string source = SourceIn(answer);
    return !source.empty() && Inspect(source).design.mistakes.none();
  });
  EXPECT_GT(faster, 0.3);
  EXPECT_GT(clean, 0.6);
}

// Two designs that share neither launch nor reduction, and the share of revisions that keep the
// first one's launch.
struct TwoAttempts {
  author_test::TaskText task = TaskNamed("softmax");
  OpSpec spec = SpecOf(KernelPrompt(task));
  Design warp, thread;

  TwoAttempts() {
    warp.Set(Piece::kWarpPerRow);
    warp.Set(Piece::kWarpShuffle);
    thread.Set(Piece::kThreadPerRow);
    thread.Set(Piece::kSerial);
  }
  double KeepsWarp(const std::string& attempts) const {
    auto author = Author();
    return Share(*author, KernelPrompt(task) + attempts, 100, [](const std::string& answer) {
      return Inspect(SourceIn(answer)).design.has(Piece::kWarpPerRow);
    });
  }
};

TEST(AuthorRevision, StartsFromTheFastestThatPassed) {
  const author_test::TaskText task = TaskNamed("softmax");
  const OpSpec spec = SpecOf(KernelPrompt(task));
  Design fast, slow;
  fast.Set(Piece::kWarpPerRow);
  fast.Set(Piece::kWarpShuffle);
  slow.Set(Piece::kThreadPerRow);
  slow.Set(Piece::kSerial);
  const std::string prompt = KernelPrompt(task) + "# Earlier attempts\n## Attempt 1\n" +
                             Previous(spec, fast, "Verdict: PASSED, speedup 2.00.") +
                             "## Attempt 2\n" +
                             Previous(spec, slow, "Verdict: PASSED, speedup 0.10.");
  auto author = Author();
  EXPECT_GT(Share(*author, prompt, 100,
                  [](const std::string& answer) {
                    return Inspect(SourceIn(answer)).design.has(Piece::kWarpPerRow);
                  }),
            0.7);
}

TEST(AuthorRevision, ReadsHowFastAnAttemptWasInOtherWords) {
  const TwoAttempts two;
  for (const auto& [fast, slow] :
       {std::pair<std::string, std::string>{"PASSED: a 2.5x speed-up.", "PASSED: a 0.1x speed-up."},
        {"Passed, 3 times as fast as the baseline.", "Passed, 1.2 times as fast as the baseline."},
        {"Correct, and 1.4x faster with tiles of 16x16.", "Correct, but 7x slower than before."},
        {"PASSED, speedup of 1.90 over 3 workloads.", "PASSED, speedup: 1.10 over 3 workloads."},
        {"PASSED, speedup 1.20.", "INCORRECT, although its speedup is 9.00."}}) {
    const std::string warp = Previous(two.spec, two.warp, fast);
    const std::string thread = Previous(two.spec, two.thread, slow);
    for (const std::string& attempts :
         {"# Earlier attempts\n## One\n" + warp + "## Two\n" + thread,
          "# Earlier attempts\n## One\n" + thread + "## Two\n" + warp,
          "# Earlier attempts\n" + warp + thread, "# Earlier attempts\n" + thread + warp}) {
      EXPECT_GT(two.KeepsWarp(attempts), 0.7) << attempts;
    }
  }
}

TEST(AuthorRevision, ReadsAVerdictBelowItsKernel) {
  const TwoAttempts two;
  auto below = [&](const Design& design, const std::string& verdict) {
    return "```cuda\n" + WriteKernel(two.spec, design) + "```\n" + verdict + "\n";
  };
  EXPECT_GT(two.KeepsWarp("# Earlier attempts\n" + below(two.thread, "PASSED, speedup 0.10.") +
                          below(two.warp, "PASSED, speedup 2.00.") +
                          below(two.thread, "PASSED, speedup 0.20.")),
            0.7);
}

TEST(AuthorRevision, ChangesOnePieceAtATime) {
  const author_test::TaskText task = TaskNamed("softmax");
  const OpSpec spec = SpecOf(KernelPrompt(task));
  const Design shown;
  const std::string prompt =
      KernelPrompt(task, "", Previous(spec, shown, "Verdict: PASSED, speedup 1.40."));
  auto author = Author();
  auto changes = [&](const std::string& answer) {
    const Design next = Inspect(SourceIn(answer)).design;
    int count = 0;
    for (int s = 0; s < author::kSlots; ++s) {
      count += next.at(static_cast<Slot>(s)) != shown.at(static_cast<Slot>(s)) ? 1 : 0;
    }
    return count;
  };
  EXPECT_EQ(Share(*author, prompt, 200, [&](const std::string& a) { return changes(a) <= 1; }), 1);
  EXPECT_GT(Share(*author, prompt, 200, [&](const std::string& a) { return changes(a) == 1; }),
            0.7);
}

TEST(AuthorRevision, TakesUpWhatLessonsAdvise) {
  const author_test::TaskText task = TaskNamed("softmax");
  const OpSpec spec = SpecOf(KernelPrompt(task));
  const std::string before = Previous(spec, Design{}, "Verdict: PASSED, speedup 1.40.");
  auto shuffles = [&](const std::string& lessons) {
    auto author = Author();
    return Share(*author, KernelPrompt(task, lessons, before), 200, [](const std::string& answer) {
      return Inspect(SourceIn(answer)).design.has(Piece::kWarpShuffle);
    });
  };
  EXPECT_GT(shuffles("Use warp shuffles instead of shared memory trees."), shuffles("") + 0.3);
}

TEST(AuthorRevision, RethinksTheLaunchOfASlowKernel) {
  const TwoAttempts two;
  auto author = Author();
  auto kept = [&](const std::string& verdict) {
    return Share(*author, KernelPrompt(two.task, "", Previous(two.spec, two.thread, verdict)), 100,
                 [](const std::string& answer) {
                   return Inspect(SourceIn(answer)).design.has(Piece::kThreadPerRow);
                 });
  };
  EXPECT_LT(kept("Verdict: PASSED, speedup 0.10."), kept("Verdict: PASSED, speedup 1.50.") - 0.2);
}

}  // namespace
}  // namespace kw
