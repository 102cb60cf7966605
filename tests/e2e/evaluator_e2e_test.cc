// The evaluator over real processes: caches, replays, lost workers, hostile candidates.
#include <gtest/gtest.h>
#include <signal.h>

#include <thread>

#include "e2e/evaluation.h"
#include "kw/base/clock.h"
#include "kw/base/hash.h"
#include "process_tree.h"
#include "src/eval/worker/content_store.h"
#include "src/eval/worker/protocol.h"

namespace kw::eval {
namespace {

std::string Kernel(const std::string& name) {
  return *ReadFile(std::string(KW_SOURCE_DIR) + "/tests/e2e/kernels/" + name);
}

bool SoonGone(const std::vector<int>& pids) {
  const auto lives = [](int pid) { return kill(pid, 0) == 0; };
  for (int i = 0; i < 300 && std::any_of(pids.begin(), pids.end(), lives); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return std::none_of(pids.begin(), pids.end(), lives);
}

class EvaluatorE2e : public testing::Test {
 protected:
  EvaluatorConfig Config() {
    EvaluatorConfig config = E2eConfig();
    config.replays = scratch_.path() + "/replays";
    return config;
  }
  std::unique_ptr<Evaluator> Make(const EvaluatorConfig& config) {
    auto evaluator = MakeEvaluator(config);
    EXPECT_TRUE(evaluator) << evaluator.error().ToString();
    return std::move(*evaluator);
  }
  const ScratchDirectory scratch_ = *ScratchDirectory::Make("evaluator_e2e");
  const Task softmax_ = *NativeTask("softmax");
  const Task gelu_ = *NativeTask("gelu");
};

TEST_F(EvaluatorE2e, TheSameJobGivesTheSameVerdict) {
  const std::string source = Kernel("softmax/warp_shuffle.cu");
  const auto first = Make(Config())->Evaluate(softmax_, source, {.seed = 9});
  const auto second = Make(Config())->Evaluate(softmax_, source, {.seed = 9});
  ASSERT_TRUE(first && second);
  EXPECT_EQ(VerdictToJson(*first), VerdictToJson(*second));
}

TEST_F(EvaluatorE2e, AVerdictIsCachedByItsContent) {
  EvaluatorConfig config = Config();
  config.cache = scratch_.path() + "/cache";
  config.use_verdict_cache = true;
  const auto evaluator = Make(config);
  std::vector<std::string> stages;
  EvaluateOptions options{.seed = 9, .effort = Effort::kQuick};
  options.progress = [&](const std::string& stage) { stages.push_back(stage); };
  const std::string source = Kernel("gelu/plain.cu");
  const auto first = evaluator->Evaluate(gelu_, source, options);
  ASSERT_TRUE(first) << first.error().ToString();
  EXPECT_EQ(stages, (std::vector<std::string>{"precheck", "build", "load", "oracle", "timing",
                                              "endurance"}));
  stages.clear();
  const auto second = evaluator->Evaluate(gelu_, source, options);
  ASSERT_TRUE(second);
  EXPECT_EQ(VerdictToJson(*first), VerdictToJson(*second));
  EXPECT_EQ(stages, (std::vector<std::string>{"precheck", "build"}));
  options.seed = 10;
  stages.clear();
  ASSERT_TRUE(evaluator->Evaluate(gelu_, source, options));
  EXPECT_EQ(stages.back(), "endurance");
}

TEST_F(EvaluatorE2e, AFailureIsReplayedByteForByte) {
  const auto evaluator = Make(Config());
  const auto verdict = evaluator->Evaluate(softmax_, Kernel("softmax/no_final_scaling.cu"), {});
  ASSERT_TRUE(verdict);
  ASSERT_FALSE(verdict->replay_id.empty());
  const auto replayed = evaluator->RunReplay(verdict->replay_id);
  ASSERT_TRUE(replayed) << replayed.error().ToString();
  EXPECT_TRUE(replayed->same_inputs);
  EXPECT_EQ(replayed->verdict.status, verdict->status);
  EXPECT_EQ(replayed->verdict.errors.max_abs, verdict->errors.max_abs);
  EXPECT_EQ(replayed->verdict.cases.size(), 1u);
  EXPECT_FALSE(evaluator->RunReplay("0000"));
}

// The order of warps, and with it what a race leaves behind, is that of then.
TEST_F(EvaluatorE2e, ARaceIsReplayedInTheSameOrder) {
  const auto evaluator = Make(Config());
  for (const uint64_t seed : {3u, 4u, 5u}) {
    const auto verdict =
        evaluator->Evaluate(softmax_, Kernel("softmax/missing_barrier.cu"), {.seed = seed});
    ASSERT_TRUE(verdict);
    EXPECT_EQ(verdict->reason, "shared_race");
    const std::string dump = scratch_.path() + "/dump";
    const auto replayed = evaluator->RunReplay(verdict->replay_id, dump);
    ASSERT_TRUE(replayed) << replayed.error().ToString();
    EXPECT_EQ(replayed->verdict.reason, verdict->reason);
    EXPECT_EQ(replayed->verdict.errors.max_abs, verdict->errors.max_abs);
    // Up to what a verdict tells of the case in which it was seen first.
    const auto told = [](const std::string& text) { return text.substr(0, text.find("Usually:")); };
    const std::string then = told(verdict->feedback), now = told(replayed->verdict.feedback);
    EXPECT_EQ(then.substr(0, now.size()), now);
    EXPECT_TRUE(FileExists(dump + "/output_y.npy"));
  }
}

TEST_F(EvaluatorE2e, AWorkerThatSharesNoCacheIsSentWhatItNeeds) {
  EvaluatorConfig config = Config();
  config.worker_command = {ProgramDirectory() + "/kwright-worker",
                           "--home",
                           KW_SOURCE_DIR,
                           "--cache",
                           scratch_.path() + "/remote",
                           "--device",
                           "a100_sxm4"};
  const auto evaluator = Make(config);
  const auto verdict = evaluator->Evaluate(softmax_, Kernel("softmax/no_final_scaling.cu"), {});
  ASSERT_TRUE(verdict) << verdict.error().ToString();
  EXPECT_EQ(verdict->status, Status::kIncorrectNumerical);
  // The replay is kept on this side too.
  const auto replay = LoadReplay(config.replays, verdict->replay_id);
  ASSERT_TRUE(replay) << replay.error().ToString();
  EXPECT_EQ(replay->task_folder, softmax_.folder);
}

TEST_F(EvaluatorE2e, ABaselineThatIsWrongIsAFaultOfTheTask) {
  std::map<std::string, std::string> files = gelu_.files;
  files["baseline.cu"] = Kernel("gelu/nothing_written.cu");
  const auto task = LoadTaskFiles(files, "/nowhere");
  ASSERT_TRUE(task);
  const auto verdict = Make(Config())->Evaluate(*task, Kernel("gelu/plain.cu"), {});
  ASSERT_FALSE(verdict);
  EXPECT_EQ(verdict.error().code, ErrorCode::kInvalid);
  EXPECT_NE(verdict.error().ToString().find("baseline.cu"), std::string::npos)
      << verdict.error().ToString();
}

TEST_F(EvaluatorE2e, ManyThreadsShareItsWorkers) {
  EvaluatorConfig config = Config();
  config.workers = 2;
  const auto evaluator = Make(config);
  const std::string right = Kernel("gelu/plain.cu"), wrong = Kernel("gelu/nothing_written.cu");
  std::vector<std::thread> threads;
  std::vector<Status> statuses(6);
  for (int i = 0; i < 6; ++i) {
    threads.emplace_back([&, i] {
      const auto verdict =
          evaluator->Evaluate(gelu_, i % 2 == 0 ? right : wrong, {.effort = Effort::kQuick});
      statuses[i] = verdict ? verdict->status : Status::kUnsupported;
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (int i = 0; i < 6; ++i) {
    EXPECT_EQ(statuses[i], i % 2 == 0 ? Status::kPassed : Status::kIncorrectNumerical);
  }
}

TEST_F(EvaluatorE2e, AKilledWorkerIsReplacedAndTheJobEndsAsIfNothingHappened) {
  const auto evaluator = Make(Config());
  const std::string source = Kernel("softmax/warp_shuffle.cu");
  int killed = 0;
  EvaluateOptions options{.seed = 9};
  options.progress = [&](const std::string& stage) {
    if (stage != "oracle" || killed++ > 0) return;
    for (const int pid : test::DescendantsOf(getpid())) {
      if (test::IsNamed(pid, "kwright-worker")) kill(pid, SIGKILL);
    }
  };
  const auto verdict = evaluator->Evaluate(softmax_, source, options);
  ASSERT_TRUE(verdict) << verdict.error().ToString();
  EXPECT_EQ(killed, 2) << "the job runs twice";
  EXPECT_TRUE(verdict->passed()) << VerdictToJson(*verdict);
  EXPECT_FALSE(verdict->environmental);
}

// What a controller leaves that is killed with -9: its pipes close, nothing else is said.
TEST_F(EvaluatorE2e, TheEndOfInputEndsTheWorkerAndItsGuests) {
  const std::string cache = scratch_.path() + "/cache";
  const std::string source = Kernel("gelu/host_endless_loop.cu");
  auto builder = Builder::Make({.cache = cache + "/build"});
  ASSERT_TRUE(builder);
  const auto built = builder->BuildCandidate(source, {.sm = 80});
  ASSERT_TRUE(built && built->ok);
  ContentStore store(cache);
  ASSERT_TRUE(store.StoreCandidate(ContentHash(source), source));
  ASSERT_TRUE(store.StoreTask(gelu_.hash, *PackTask(gelu_)));
  auto child = Child::Start(
      {.argv = {ProgramDirectory() + "/kwright-worker", "--home", KW_SOURCE_DIR, "--cache", cache},
       .inherit_environment = true});
  ASSERT_TRUE(child) << child.error().ToString();
  LineReader reader(child->out());
  ASSERT_TRUE(reader.Next(20'000));
  EvaluateMessage job;
  job.id = "1";
  job.task_hash = gelu_.hash;
  job.candidate_hash = ContentHash(source);
  job.object_hash = built->object_hash;
  ASSERT_TRUE(WriteAll(child->in(), FormatMessage(HelloMessage{}) + FormatMessage(job)));
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(reader.Next(20'000));  // load, oracle
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  const std::vector<int> theirs = test::DescendantsOf(child->pid());
  EXPECT_GE(theirs.size(), 2u) << "an emulator and a guest run";
  child->CloseIn();
  const auto exit = child->Wait(5'000);
  ASSERT_TRUE(exit) << "it still runs";
  EXPECT_EQ(exit->code, 0);
  EXPECT_TRUE(SoonGone(theirs));
}

TEST_F(EvaluatorE2e, AnswersInAMinuteWhateverTheCandidateDoes) {
  const std::string start =
      "#include <cstdint>\n#include <unistd.h>\n"
      "__global__ void gelu(const float* x, float* y, int64_t n) {\n"
      "  const int64_t i = (int64_t)blockIdx.x * 256 + threadIdx.x;\n"
      "  if (i < n) y[i] = 0.5f * x[i] * erfcf(-x[i] * 0.70710678f);\n}\n"
      "extern \"C\" void run(const float* x, float* y, int64_t n, cudaStream_t stream) {\n";
  const std::string end = "  gelu<<<(unsigned)((n + 255) / 256), 256, 0, stream>>>(x, y, n);\n}\n";
  struct Mischief {
    std::string code;
    bool harmless;  // fork is refused, and what follows is a correct kernel
  };
  for (const auto& [mischief, harmless] : std::vector<Mischief>{
           {"  sleep(1000);\n", false},
           {"  usleep(4'000'000);\n", false},
           {"  while (fork() >= 0) {}\n", true},
           {"  for (volatile long i = 0; i < 4'000'000'000L; ++i) {}\n", false}}) {
    const int64_t started_us = SystemClock().MonotonicMicros();
    const auto verdict = Make(Config())->Evaluate(gelu_, start + mischief + end, {});
    const int64_t took_us = SystemClock().MonotonicMicros() - started_us;
    ASSERT_TRUE(verdict) << mischief << verdict.error().ToString();
    EXPECT_EQ(verdict->passed(), harmless) << mischief;
    EXPECT_LT(took_us, 60'000'000) << mischief << VerdictToJson(*verdict);
  }
}

}  // namespace
}  // namespace kw::eval
