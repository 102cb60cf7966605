// The protocol over real pipes, with a device that does as it is told.
#include "src/eval/worker/worker_server.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <thread>

#include "eval/worker/fake_rooms.h"
#include "kw/base/file.h"
#include "kw/base/hash.h"
#include "kw/base/process.h"
#include "src/eval/worker/baseline_times.h"

namespace kw::eval {
namespace {

class WorkerServerTest : public testing::Test {
 protected:
  WorkerServerTest() {
    IgnoreBrokenPipes();
    EXPECT_EQ(pipe(to_worker_), 0);
    EXPECT_EQ(pipe(from_worker_), 0);
    rooms_.device = &device_;
    rooms_.builder = &builder_;
    rooms_.reference = &reference_;
    rooms_.cache = scratch_.path();
    EXPECT_TRUE(MakeDirectories(scratch_.path() + "/baselines"));
    EXPECT_TRUE(WriteFileAtomic(BaselineCachePath(task_, rooms_), R"({"w0": 10.0})"));
    reader_.emplace(from_worker_[0]);
  }
  ~WorkerServerTest() override {
    CloseInput();
    if (worker_.joinable()) worker_.join();
    for (const int fd : {to_worker_[0], from_worker_[0], from_worker_[1]}) close(fd);
  }
  void Start() {
    worker_ = std::thread([this] {
      status_ = WorkerServer(to_worker_[0], from_worker_[1], rooms_, ContentStore(scratch_.path()))
                    .Serve();
    });
  }
  void CloseInput() {
    if (to_worker_[1] >= 0) close(std::exchange(to_worker_[1], -1));
  }
  int Finish() {
    CloseInput();
    worker_.join();
    return status_;
  }
  void SendLine(const std::string& line) { EXPECT_TRUE(WriteAll(to_worker_[1], line + "\n")); }
  void Send(const Message& message) {
    EXPECT_TRUE(WriteAll(to_worker_[1], FormatMessage(message)));
  }
  Message Next() {
    auto line = reader_->Next(10'000);
    EXPECT_TRUE(line && *line);
    if (!line || !*line) return PingMessage{};
    auto message = ParseMessage(**line);
    EXPECT_TRUE(message) << message.error().ToString();
    return message ? *message : Message(PingMessage{});
  }
  template <class T>
  T Expect() {
    Message message = Next();
    EXPECT_TRUE(std::holds_alternative<T>(message)) << FormatMessage(message);
    return std::holds_alternative<T>(message) ? std::get<T>(message) : T{};
  }
  void Greet() {
    Start();
    Expect<HelloMessage>();
    Send(HelloMessage{});
  }
  // Passes over progress.
  Message Answer() {
    while (true) {
      Message message = Next();
      if (!std::holds_alternative<ProgressMessage>(message)) return message;
    }
  }
  void GiveBlob(const std::string& hash, const std::string& bytes, size_t chunk = 100) {
    for (size_t offset = 0; offset < bytes.size(); offset += chunk) {
      Send(BlobMessage{hash, offset, bytes.substr(offset, chunk), offset + chunk >= bytes.size()});
    }
  }
  EvaluateMessage Job(const std::string& id) {
    EvaluateMessage message;
    message.id = id;
    message.task_hash = task_.hash;
    message.candidate_hash = ContentHash(source_);
    message.object_hash = ContentHash(object_);
    return message;
  }
  void KeepEverything() {
    ContentStore store(scratch_.path());
    EXPECT_TRUE(store.StoreTask(task_.hash, *PackTask(task_)));
    EXPECT_TRUE(store.StoreCandidate(ContentHash(source_), source_));
    EXPECT_TRUE(builder_.StoreObject(ContentHash(object_), object_));
  }

  const ScratchDirectory scratch_ = *ScratchDirectory::Make("worker_server");
  FakeDevice device_;
  Builder builder_ = *Builder::Make({.cache = scratch_.path() + "/build"});
  CopyReference reference_;
  JudgeRooms rooms_;
  const Task task_ = *CopyTask();
  const std::string source_ = "__global__ void copy() {}\n", object_ = "an object";
  int to_worker_[2], from_worker_[2], status_ = -1;
  std::optional<LineReader> reader_;
  std::thread worker_;
};

TEST_F(WorkerServerTest, SaysHelloFirst) {
  Start();
  const auto hello = Expect<HelloMessage>();
  EXPECT_EQ(hello.protocol, kProtocolVersion);
  ASSERT_EQ(hello.devices.size(), 1u);
  EXPECT_EQ(hello.devices[0].name, "fake");
  EXPECT_EQ(Finish(), 0);
}

TEST_F(WorkerServerTest, IgnoresBannersBeforeTheFirstHello) {
  Start();
  Expect<HelloMessage>();
  SendLine("Welcome to node 17!");
  SendLine("{\"type\":\"ping\"}");
  Send(HelloMessage{});
  Send(PingMessage{});
  Expect<PongMessage>();
  // The ping before the hello got no answer.
  SendLine("x");
  Expect<ErrorMessage>();
}

TEST_F(WorkerServerTest, RefusesAnotherProtocol) {
  Start();
  Expect<HelloMessage>();
  HelloMessage other;
  other.protocol = 99;
  Send(other);
  EXPECT_NE(Expect<ErrorMessage>().text.find("99"), std::string::npos);
  worker_.join();
  EXPECT_EQ(status_, 1);
}

TEST_F(WorkerServerTest, AsksForWhatItLacksAndJudges) {
  Greet();
  Send(Job("1"));
  const auto need = Expect<NeedMessage>();
  EXPECT_EQ(need.hashes.size(), 3u);
  GiveBlob(task_.hash, *PackTask(task_));
  GiveBlob(ContentHash(source_), source_);
  GiveBlob(ContentHash(object_), object_);
  EXPECT_EQ(Expect<ProgressMessage>().stage, "load");
  EXPECT_EQ(Expect<ProgressMessage>().stage, "oracle");
  EXPECT_EQ(Expect<ProgressMessage>().stage, "timing");
  EXPECT_EQ(Expect<ProgressMessage>().stage, "endurance");
  const auto result = Expect<ResultMessage>();
  EXPECT_EQ(result.id, "1");
  EXPECT_EQ(result.verdict.status, Status::kPassed);
  // What has come stays.
  Send(Job("2"));
  EXPECT_EQ(std::get<ResultMessage>(Answer()).id, "2");
}

TEST_F(WorkerServerTest, AskingAgainByTheSameIdJudgesOnce) {
  KeepEverything();
  std::atomic<bool> release = false;
  device_.meddle = [&](int, const CallRequest&, CallOutcome&) {
    while (!release) std::this_thread::yield();
  };
  Greet();
  Send(Job("1"));
  Send(Job("1"));
  Send(PingMessage{});
  EXPECT_TRUE(std::holds_alternative<PongMessage>(Answer()));
  release = true;
  const auto first = std::get<ResultMessage>(Answer());
  Send(Job("1"));
  const auto again = std::get<ResultMessage>(Answer());
  EXPECT_EQ(VerdictToJson(again.verdict), VerdictToJson(first.verdict));
  EXPECT_EQ(device_.opened, 1);
}

TEST_F(WorkerServerTest, AnswersPingWhileItJudges) {
  KeepEverything();
  std::atomic<bool> release = false;
  device_.meddle = [&](int, const CallRequest&, CallOutcome&) {
    while (!release) std::this_thread::yield();
  };
  Greet();
  Send(Job("1"));
  EXPECT_EQ(Expect<ProgressMessage>().stage, "load");
  EXPECT_EQ(Expect<ProgressMessage>().stage, "oracle");
  Send(PingMessage{});
  Expect<PongMessage>();
  release = true;
  EXPECT_TRUE(std::holds_alternative<ResultMessage>(Answer()));
}

TEST_F(WorkerServerTest, CancelsWhatRunsAndWhatWaits) {
  KeepEverything();
  std::atomic<bool> release = false;
  device_.meddle = [&](int, const CallRequest&, CallOutcome&) {
    while (!release) std::this_thread::yield();
  };
  Greet();
  Send(Job("1"));
  Send(Job("2"));
  Expect<ProgressMessage>();
  Send(CancelMessage{"2"});
  auto error = std::get<ErrorMessage>(Answer());
  EXPECT_EQ(error.id, "2");
  EXPECT_EQ(error.code, "cancelled");
  Send(CancelMessage{"1"});
  Send(PingMessage{});
  EXPECT_TRUE(std::holds_alternative<PongMessage>(Answer()));
  release = true;
  error = std::get<ErrorMessage>(Answer());
  EXPECT_EQ(error.id, "1");
  EXPECT_EQ(error.code, "cancelled");
}

TEST_F(WorkerServerTest, ADamagedBlobIsAnErrorOfItsJob) {
  Greet();
  Send(Job("1"));
  Expect<NeedMessage>();
  Send(BlobMessage{task_.hash, 0, "this is no task", true});
  const auto error = Expect<ErrorMessage>();
  EXPECT_EQ(error.id, "1");
  EXPECT_EQ(error.code, "corrupt");
  // It can be asked again.
  Send(Job("1"));
  EXPECT_EQ(Expect<NeedMessage>().hashes.size(), 3u);
}

TEST_F(WorkerServerTest, AChunkOutOfOrderIsAnError) {
  Greet();
  Send(Job("1"));
  Expect<NeedMessage>();
  Send(BlobMessage{task_.hash, 5, "x", false});
  EXPECT_EQ(Expect<ErrorMessage>().code, "invalid");
}

TEST_F(WorkerServerTest, ABlobThatNobodyAskedForIsAnError) {
  Greet();
  Send(BlobMessage{"feed", 0, "x", true});
  EXPECT_EQ(Expect<ErrorMessage>().code, "invalid");
}

TEST_F(WorkerServerTest, LivesOnAfterALineThatIsNoMessage) {
  Greet();
  SendLine("garbage");
  EXPECT_EQ(Expect<ErrorMessage>().code, "parse");
  SendLine("{\"type\":\"result\"}");
  EXPECT_NE(Expect<ErrorMessage>().text, "");
  Send(PingMessage{});
  Expect<PongMessage>();
}

TEST_F(WorkerServerTest, ALineBeyondTheLimitEndsIt) {
  Greet();
  SendLine(std::string(kMaxLine + 2, 'x'));
  EXPECT_EQ(Expect<ErrorMessage>().code, "limit");
  worker_.join();
  EXPECT_EQ(status_, 1);
}

}  // namespace
}  // namespace kw::eval
