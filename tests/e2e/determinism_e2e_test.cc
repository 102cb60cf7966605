// The same (candidate, task, seed) gives the same verdict, byte for byte, whatever else happens.
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <set>
#include <thread>

#include "evaluation.h"

namespace kw::eval {
namespace {

struct Candidate {
  Task task;
  std::string path, source;
};

// Right and wrong ones of every kind of failure, races and atomics in any order among them.
std::vector<Candidate> Candidates() {
  std::vector<Candidate> candidates;
  for (const std::string& path : Kernels("kernels")) {
    const std::string task = path.substr(0, path.find('/'));
    if (task != "softmax" && task != "row_sum" && task != "matmul") continue;
    candidates.push_back({*NativeTask(task), path,
                          *ReadFile(std::string(KW_SOURCE_DIR) + "/tests/e2e/kernels/" + path)});
  }
  return candidates;
}

using VerdictTexts = std::map<std::string, std::string>;  // by path

std::string Judged(Evaluator& evaluator, const Candidate& candidate, uint64_t seed = 7) {
  const auto verdict = evaluator.Evaluate(candidate.task, candidate.source,
                                          {.seed = seed, .effort = Effort::kQuick});
  EXPECT_TRUE(verdict) << candidate.path << ": " << verdict.error().ToString();
  return verdict ? VerdictToJson(*verdict) : "";
}

VerdictTexts AllJudged(const EvaluatorConfig& config, const std::vector<Candidate>& candidates) {
  const auto evaluator = MakeEvaluator(config);
  EXPECT_TRUE(evaluator) << evaluator.error().ToString();
  VerdictTexts texts;
  for (const Candidate& candidate : candidates) {
    texts[candidate.path] = Judged(**evaluator, candidate);
  }
  return texts;
}

// One worker, one thread, in order, nothing else going on.
class SameVerdict : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    candidates_ = new std::vector<Candidate>(Candidates());
    EvaluatorConfig config = E2eConfig();
    config.threads = 1;
    alone_ = new VerdictTexts(AllJudged(config, *candidates_));
  }
  static void TearDownTestSuite() {
    delete candidates_;
    delete alone_;
  }
  static void ExpectTheSame(const VerdictTexts& texts) {
    EXPECT_GE(texts.size(), 15u);
    for (const auto& [path, text] : *alone_) EXPECT_EQ(texts.at(path), text) << path;
  }

  static const std::vector<Candidate>* candidates_;
  static const VerdictTexts* alone_;
};
const std::vector<Candidate>* SameVerdict::candidates_ = nullptr;
const VerdictTexts* SameVerdict::alone_ = nullptr;

TEST_F(SameVerdict, InTheOtherOrderWithTwoThreads) {
  EvaluatorConfig config = E2eConfig();
  config.threads = 2;
  ExpectTheSame(AllJudged(config, {candidates_->rbegin(), candidates_->rend()}));
}

TEST_F(SameVerdict, OnFourWorkersAtOnce) {
  EvaluatorConfig config = E2eConfig();
  config.workers = 4;
  const auto evaluator = MakeEvaluator(config);
  ASSERT_TRUE(evaluator) << evaluator.error().ToString();
  std::vector<std::string> texts(candidates_->size());
  std::atomic<size_t> next = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (size_t at = next++; at < texts.size(); at = next++) {
        texts[at] = Judged(**evaluator, (*candidates_)[at]);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  VerdictTexts by_path;
  for (size_t i = 0; i < texts.size(); ++i) by_path[(*candidates_)[i].path] = texts[i];
  ExpectTheSame(by_path);
}

TEST_F(SameVerdict, UnderLoad) {
  std::atomic<bool> done = false;
  std::vector<std::thread> busy;
  for (int i = 0; i < 2 * ProcessorCount(); ++i) {
    busy.emplace_back([&] {
      while (!done.load(std::memory_order_relaxed)) {
      }
    });
  }
  ExpectTheSame(AllJudged(E2eConfig(), *candidates_));
  done = true;
  for (std::thread& thread : busy) thread.join();
}

// Else the tests above could pass with inputs that are always the same.
TEST_F(SameVerdict, ButOtherInputsWithAnotherSeed) {
  for (const char* name : {"softmax", "gqa_paged_decode", "row_argmax", "moe_gate_bf16"}) {
    const Task task = *NativeTask(name);
    std::set<std::string> hashes;
    size_t cases = 0;
    for (const uint64_t seed : {7, 8}) {
      const auto planned = PlanCases(task, FuzzSeed(seed, task), CaseCount(Effort::kStandard));
      ASSERT_TRUE(planned);
      for (const Case& c : *planned) {
        // A single zero is the same whoever draws it.
        if (c.group != "original") continue;
        hashes.insert(GenerateInputs(task, c)->hash);
        ++cases;
      }
    }
    EXPECT_EQ(hashes.size(), cases) << name;
    EXPECT_GE(cases, 4u) << name;
  }
  const auto passing = std::find_if(candidates_->begin(), candidates_->end(), [](const auto& c) {
    return c.path == "softmax/warp_shuffle.cu";
  });
  ASSERT_NE(passing, candidates_->end());
  const auto evaluator = MakeEvaluator(E2eConfig());
  EXPECT_NE(Judged(**evaluator, *passing, 8), alone_->at(passing->path));
}

}  // namespace
}  // namespace kw::eval
