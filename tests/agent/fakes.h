// What the agent's tests work with: an evaluator that judges by what a source says of itself, an
// author that writes such sources, and a run's rooms put together from them.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "kw/agent.h"
#include "kw/base.h"

namespace kw::test {

// A task made by hand: two inputs, one of them a scalar, one output.
eval::Task MadeTask(const std::string& name = "scale");

// "__global__ void k(); // PASSED 1.50": what FakeEvaluator makes of a source is said in it:
// PASSED <speedup>, or the name of another status, or ENVIRONMENTAL.
std::string SourceSaying(const std::string& verdict);
// An answer with such a source in a code fence, with the entry point that the prompt asks for;
// for MALFORMED one without code.
std::string AnswerSaying(const std::string& verdict, const std::string& prompt);

class FakeEvaluator : public eval::Evaluator {
 public:
  eval::Verdict Malformed(const eval::Task& task, const eval::Extraction& extraction,
                          uint64_t seed) override;
  Result<eval::BuildOutcome> Build(const eval::Task& task, const std::string& source) override;
  eval::Verdict BuildFailed(const eval::Task& task, const std::string& source,
                            const eval::BuildOutcome& outcome, uint64_t seed) override;
  Result<eval::Verdict> Judge(const eval::Task& task, const std::string& source,
                              const eval::BuildOutcome& built,
                              const eval::EvaluateOptions& options) override;
  Result<eval::Verdict> Evaluate(const eval::Task& task, const std::string& source,
                                 const eval::EvaluateOptions& options) override;
  Result<ReplayOutcome> RunReplay(const std::string& id, const std::string& dump) override;
  const eval::DeviceSheet& sheet() const override { return sheet_; }
  const eval::ToolchainInfo& toolchain() const override { return toolchain_; }

  std::atomic<int> builds = 0, judged = 0;
  // When set: the error of the next judgement, once.
  std::optional<Error> fail_next;

 private:
  eval::Verdict Base(const eval::Task& task, const std::string& source, uint64_t seed) const;
  eval::DeviceSheet sheet_;
  eval::ToolchainInfo toolchain_;
};

// Answers every prompt of the program, as a pure function of the request: kernels of seeded
// quality (better with lessons in the prompt), items, rules and judgements.
Result<ChatAnswer> AnswerAnything(const ChatRequest& request);

// The built-in embedder as if it were a model elsewhere: a cent a call, a token a text.
class FakeEmbeddings : public EmbeddingModel {
 public:
  explicit FakeEmbeddings(int dimension = 64) : inner_(MakeHashEmbedder(dimension)) {}
  Result<Embeddings> Embed(const std::vector<std::string>& texts) override;
  ChatModel::Bound MostOf(const std::vector<std::string>& texts) const override;

  std::atomic<int> calls = 0;

 private:
  const std::unique_ptr<Embedder> inner_;
};

// In memory where the machine has such a folder and $TMPDIR names no other: databases wait for the
// disk at each commit.
ScratchDirectory FastScratch();

// A bank, a folder for runs and the program's own tasks and prompts.
class TestRooms {
 public:
  explicit TestRooms(ScriptedModel::Script script = AnswerAnything);

  RunRooms View();
  // A configuration for this folder: small, all keys valid.
  RunConfig Config(const std::string& method, const std::string& learner);
  std::string folder(const std::string& run) const { return scratch.path() + "/" + run; }
  void OpenBank(const std::string& name);
  // The embedder is a model from here on; counts what it is asked.
  FakeEmbeddings& EmbedByModel();

  ScratchDirectory scratch;
  ScriptedModel model;
  FakeEvaluator evaluator;
  eval::TaskLibrary tasks;
  std::shared_ptr<ModelEmbedder> embedder;  // none: the built-in one
  std::unique_ptr<Bank> bank;
  FakeClock clock;
  RunObserver nobody;
};

// The value, or a test failure with the error's text and an abort of the test.
template <class T>
T Must(Result<T> result) {
  KW_CHECK(result.has_value(), result ? "" : result.error().ToString());
  return std::move(*result);
}
inline void Must(Result<void> result) {
  KW_CHECK(result.has_value(), result ? "" : result.error().ToString());
}

}  // namespace kw::test
