// The controller's end against workers that misbehave, played by shell scripts.
#include "src/eval/worker/worker_process.h"

#include <gtest/gtest.h>

#include "kw/base/file.h"
#include "src/eval/worker/worker_pool.h"

namespace kw::eval {
namespace {

constexpr const char* kHello =
    R"(echo '{"type":"hello","protocol":1,"build":"b","devices":[{"kind":"emulator","name":"fake","hash":"h"}],"nvcc":"","cpu":""}'; read hello; )";

std::string ResultLine() {
  Verdict verdict;
  verdict.status = Status::kPassed;
  verdict.stage = "timing";
  verdict.device_kind = "emulator";
  std::string line = FormatMessage(ResultMessage{"1", verdict});
  line.pop_back();
  return line;
}

DeviceSheet Sheet() {
  DeviceSheet sheet;
  sheet.name = "fake";
  sheet.hash = "h";
  return sheet;
}

Result<std::unique_ptr<WorkerProcess>> StartScript(const std::string& script,
                                                   int64_t timeout_ms = 10'000) {
  return WorkerProcess::Start({"/bin/sh", "-c", script}, Sheet(), timeout_ms);
}

EvaluateMessage Job() {
  EvaluateMessage message;
  message.id = "1";
  message.task_hash = message.candidate_hash = message.object_hash = "aa";
  return message;
}

Result<std::string> NoContent(const std::string& hash) {
  return Fail(ErrorCode::kNotFound, "nothing is called " + hash);
}

TEST(WorkerProcess, IgnoresBannersBeforeItsHello) {
  const auto worker = StartScript("echo 'srun: job queued'; echo '{\"type\":'; echo; " +
                                  std::string(kHello) + "cat > /dev/null");
  ASSERT_TRUE(worker) << worker.error().ToString();
  EXPECT_EQ((*worker)->hello().build, "b");
}

TEST(WorkerProcess, SaysWhenItEndsBeforeItsHello) {
  const auto worker = StartScript("echo 'no such host'");
  ASSERT_FALSE(worker);
  EXPECT_EQ(worker.error().code, ErrorCode::kUnavailable);
}

TEST(WorkerProcess, SaysWhenThereIsNoHelloInTime) {
  const auto worker = StartScript("sleep 30", 50);
  ASSERT_FALSE(worker);
  EXPECT_EQ(worker.error().code, ErrorCode::kTimeout);
}

TEST(WorkerProcess, RefusesAWorkerForAnotherDevice) {
  std::string script = kHello;
  script.replace(script.find("fake"), 4, "t4");
  const auto worker = StartScript(script + "cat > /dev/null");
  ASSERT_FALSE(worker);
  EXPECT_NE(worker.error().ToString().find("--device fake"), std::string::npos);
}

TEST(WorkerProcess, PassesOnTheErrorOfAWorkerThatCannotStart) {
  const auto worker =
      StartScript(R"(echo '{"type":"error","code":"not_found","text":"no device sheet t5"}')");
  ASSERT_FALSE(worker);
  EXPECT_NE(worker.error().ToString().find("t5"), std::string::npos);
}

TEST(WorkerProcess, GivesContentOnNeedAndTakesTheResult) {
  const auto worker = StartScript(std::string(kHello) +
                                  R"(read job; echo '{"type":"need","hashes":["aa"]}'; read blob;
      case "$blob" in *aGVsbG8=*) echo '{"type":"progress","id":"1","stage":"load"}';
      echo ')" + ResultLine() + R"(';; esac; cat > /dev/null)");
  ASSERT_TRUE(worker) << worker.error().ToString();
  std::vector<std::string> stages;
  const auto outcome = (*worker)->Evaluate(
      Job(), [](const std::string&) { return Result<std::string>("hello"); },
      [&](const std::string& stage) { stages.push_back(stage); }, 10'000);
  EXPECT_FALSE(outcome.lost) << outcome.lost_text;
  EXPECT_EQ(outcome.verdict.status, Status::kPassed);
  EXPECT_EQ(stages, std::vector<std::string>{"load"});
}

TEST(WorkerProcess, NoticesADeadOne) {
  const auto worker = StartScript(std::string(kHello) + "read job; exit 3");
  ASSERT_TRUE(worker);
  EXPECT_TRUE((*worker)->Evaluate(Job(), NoContent, {}, 10'000).lost);
}

TEST(WorkerProcess, NoticesOneThatSpeaksNonsense) {
  const auto worker = StartScript(std::string(kHello) + "read job; echo nonsense; cat > /dev/null");
  ASSERT_TRUE(worker);
  EXPECT_TRUE((*worker)->Evaluate(Job(), NoContent, {}, 10'000).lost);
}

TEST(WorkerProcess, NoticesOneThatHangs) {
  const auto worker = StartScript(std::string(kHello) + "read job; cat > /dev/null");
  ASSERT_TRUE(worker);
  EXPECT_TRUE((*worker)->Evaluate(Job(), NoContent, {}, 50).timed_out);
}

TEST(WorkerPool, ReplacesADeadWorkerAndSendsTheJobAgain) {
  int started = 0;
  WorkerPool pool(1, [&] {
    return StartScript(
        std::string(kHello) + "read job; " +
        (started++ == 0 ? "exit 3" : "echo '" + ResultLine() + "'; cat > /dev/null"));
  });
  const auto outcome = pool.Evaluate(Job(), NoContent, {}, 10'000);
  ASSERT_TRUE(outcome);
  EXPECT_FALSE(outcome->lost);
  EXPECT_EQ(outcome->verdict.status, Status::kPassed);
  EXPECT_EQ(started, 2);
}

TEST(WorkerPool, GivesUpAfterTheSecondDeath) {
  int started = 0;
  WorkerPool pool(1, [&] {
    ++started;
    return StartScript(std::string(kHello) + "read job; exit 3");
  });
  for (int i = 1; i <= 2; ++i) {
    const auto outcome = pool.Evaluate(Job(), NoContent, {}, 10'000);
    ASSERT_TRUE(outcome);
    EXPECT_TRUE(outcome->lost);
    EXPECT_EQ(started, 2 * i);
  }
}

TEST(WorkerPool, AWorkerThatCannotStartIsAnError) {
  WorkerPool pool(2, [] { return StartScript("exit 1"); });
  EXPECT_FALSE(pool.Evaluate(Job(), NoContent, {}, 10'000));
  EXPECT_FALSE(pool.Evaluate(Job(), NoContent, {}, 10'000));
}

}  // namespace
}  // namespace kw::eval
