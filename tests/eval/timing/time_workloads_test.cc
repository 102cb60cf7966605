#include <gtest/gtest.h>

#include <functional>

#include "eval/timing/device_sheets.h"
#include "kw/eval/timing.h"

namespace kw::eval {
namespace {

// y = x: copies its input, and reports the counters of a copy scaled by `work`.
class CopySession : public Session {
 public:
  Result<CallOutcome> Call(const CallRequest& request) override {
    ++calls;
    CallOutcome outcome;
    outcome.status = status;
    if (status != CallOutcome::Status::kOk) {
      outcome.message = "Segmentation fault";
      return outcome;
    }
    outcome.outputs = {request.arguments[0].bytes};
    if (wrong) outcome.outputs[0][0] ^= 0x40, outcome.outputs[0][3] ^= 0x40;
    outcome.output_written = {true};
    LaunchRecord launch;
    const uint64_t bytes = request.arguments[0].bytes.size();
    launch.grid.x = static_cast<uint32_t>(bytes / 1024 + 1);
    launch.block.x = 256;
    launch.counters.global_load_sectors = launch.counters.global_store_sectors =
        static_cast<uint64_t>(work * bytes / 32);
    launch.counters.dram_sectors = static_cast<uint64_t>(work * bytes / 16);
    launch.counters.warp_instructions = bytes / 4;
    outcome.launches = {launch};
    return outcome;
  }
  CallOutcome::Status status = CallOutcome::Status::kOk;
  bool wrong = false;
  double work = 1;
  int calls = 0;
};

class CopyReference : public Reference {
 public:
  Result<std::shared_ptr<const Expected>> Evaluate(const Task& task, const Case& c) override {
    KW_ASSIGN(const CaseInputs inputs, GenerateInputs(task, c));
    KW_ASSIGN(Expected expected, EvaluateOn(task, c, inputs));
    return std::make_shared<const Expected>(std::move(expected));
  }
  Result<Expected> EvaluateOn(const Task&, const Case&, const CaseInputs& inputs) override {
    const std::string& bytes = inputs.tensors[0];
    Expected expected;
    expected.integers.resize(1);
    expected.floats.resize(1);
    for (size_t i = 0; i + 4 <= bytes.size(); i += 4) {
      float value;
      std::copy_n(bytes.data() + i, 4, reinterpret_cast<char*>(&value));
      expected.floats[0].push_back(value);
    }
    return expected;
  }
};

Task CopyTask() {
  Task task;
  task.name = "copy";
  task.hash = "h";
  Axis n;
  n.name = "n";
  n.is_var = true;
  task.axes = {n};
  Tensor x;
  x.name = "x";
  x.shape = {"n"};
  task.inputs = {x};
  x.name = "y";
  task.outputs = {x};
  task.tolerance[DType::kFloat32] = {1e-5, 1e-5};
  task.cost_bytes = "8*n";
  for (const int64_t size : {1000, 100000}) {
    Workload w;
    w.uuid = "w" + std::to_string(size);
    w.axes = {{"n", size}};
    task.workloads.push_back(w);
  }
  return task;
}

TEST(TimeWorkloads, TimesTheSecondCallAndTakesTheGeometricMean) {
  CopySession session;
  CopyReference reference;
  const auto report = TimeWorkloads(CopyTask(), session, A100(), {}, reference,
                                    {{"w1000", 10.0}, {"w100000", 20.0}}, 7);
  ASSERT_TRUE(report) << report.error().ToString();
  EXPECT_TRUE(report->ok);
  EXPECT_EQ(session.calls, 7) << "three at each shape, and one at a shape of its own";
  ASSERT_EQ(report->workloads.size(), 2u);
  EXPECT_EQ(report->workloads[0].checked, "full");
  EXPECT_NEAR(report->workloads[0].speedup, 10.0 / report->workloads[0].time.us, 1e-9);
  EXPECT_NEAR(report->speedup * report->speedup,
              report->workloads[0].speedup * report->workloads[1].speedup, 1e-9);
  EXPECT_GT(report->workloads[1].roofline, 0);
  EXPECT_LT(report->workloads[1].roofline, 1);
}

TEST(TimeWorkloads, FailsOnAWrongOutput) {
  CopySession session;
  session.wrong = true;
  CopyReference reference;
  const auto report = TimeWorkloads(CopyTask(), session, A100(), {}, reference, {}, 7);
  ASSERT_TRUE(report);
  EXPECT_FALSE(report->ok);
  EXPECT_EQ(report->failure.status, Status::kIncorrectNumerical);
  EXPECT_NE(report->failure.feedback.find("n=1000"), std::string::npos);
  ASSERT_TRUE(report->failure.failing);
  EXPECT_FALSE(report->failure.failing_inputs_hash.empty());
}

// Right at the shapes of the task's workloads and at small ones.
class KnowingSession : public CopySession {
 public:
  Result<CallOutcome> Call(const CallRequest& request) override {
    const size_t n = request.arguments[0].bytes.size() / 4;
    wrong = n != 1000 && n != 100000;
    return CopySession::Call(request);
  }
};

TEST(TimeWorkloads, TriesAShapeThatNobodyKnows) {
  KnowingSession session;
  CopyReference reference;
  const auto report = TimeWorkloads(CopyTask(), session, A100(), {}, reference, {}, 7);
  ASSERT_TRUE(report);
  EXPECT_FALSE(report->ok);
  ASSERT_TRUE(report->failure.failing);
  EXPECT_EQ(report->failure.failing->id, "untimed");
  const int64_t n = report->failure.failing->axes.at("n");
  EXPECT_GT(n, 1000);
  EXPECT_LT(n, 100000);
}

TEST(TimeWorkloads, FailsOnACrash) {
  CopySession session;
  session.status = CallOutcome::Status::kGuestCrashed;
  CopyReference reference;
  const auto report = TimeWorkloads(CopyTask(), session, A100(), {}, reference, {}, 7);
  ASSERT_TRUE(report);
  EXPECT_FALSE(report->ok);
  EXPECT_EQ(report->failure.status, Status::kRuntimeError);
}

TEST(TimeWorkloads, RejectsWhatIsFasterThanTheRooflineTwice) {
  CopySession session;
  Task task = CopyTask();
  task.cost_bytes = "8000000*n";
  CopyReference reference;
  const auto report = TimeWorkloads(task, session, A100(), {}, reference, {}, 7);
  ASSERT_TRUE(report);
  EXPECT_FALSE(report->ok);
  EXPECT_EQ(session.calls, 4);
  EXPECT_EQ(report->failure.status, Status::kRejected);
  EXPECT_EQ(report->failure.reason, "faster_than_roofline");
}

// Gives the answer of its first call at each size again and again.
class KeepingSession : public CopySession {
 public:
  Result<CallOutcome> Call(const CallRequest& request) override {
    KW_ASSIGN(CallOutcome outcome, CopySession::Call(request));
    outcome.outputs = {
        kept_.try_emplace(outcome.outputs[0].size(), outcome.outputs[0]).first->second};
    return outcome;
  }

 private:
  std::map<size_t, std::string> kept_;
};

TEST(TimeWorkloads, ACandidateThatKeepsItsAnswerFails) {
  KeepingSession session;
  CopyReference reference;
  const auto report = TimeWorkloads(CopyTask(), session, A100(), {}, reference, {}, 7);
  ASSERT_TRUE(report);
  EXPECT_FALSE(report->ok);
  EXPECT_EQ(report->failure.status, Status::kIncorrectNumerical);
}

TEST(TimeWorkloads, IsDeterministic) {
  CopySession a, b;
  CopyReference reference;
  const auto first = TimeWorkloads(CopyTask(), a, A100(), {}, reference, {}, 7);
  const auto second = TimeWorkloads(CopyTask(), b, A100(), {}, reference, {}, 7);
  EXPECT_EQ(first->workloads[1].time.us, second->workloads[1].time.us);
}

// A copy that is said to be a thousand million operations: some of 16 blocks run.
class LargeCopy : public testing::Test {
 protected:
  class SampledSession : public CopySession {
   public:
    Result<CallOutcome> Call(const CallRequest& request) override {
      KW_ASSIGN(CallOutcome outcome, CopySession::Call(request));
      LaunchRecord& launch = outcome.launches[0];
      launch.grid.x = 16;
      const uint64_t n = request.arguments[0].bytes.size() / 4;
      launch.counters.fp32 = n * n * 20;
      if (!request.sampling) return outcome;
      ++sampled_calls;
      if (fault) fault(outcome);
      return outcome;
    }
    std::function<void(CallOutcome&)> fault;
    int sampled_calls = 0;
  };

  static void Sample(CallOutcome& outcome) {
    outcome.launches[0].blocks_run = 4;
    outcome.launches[0].error = 0.1;
    outcome.sampled.emplace().stored = {{{0, 600}, {3400, 4000}}};
  }
  TimingReport Time() {
    Task task = CopyTask();
    task.workloads.resize(1);  // n = 1000
    task.cost_flops = "1000*n*n";
    const auto report = TimeWorkloads(task, session_, A100(), {}, reference_, {}, 7);
    EXPECT_TRUE(report) << report.error().ToString();
    return report.value_or(TimingReport{});
  }
  SampledSession session_;
  CopyReference reference_;
};

TEST_F(LargeCopy, IsSampledAndItsErrorIsTold) {
  session_.fault = Sample;
  const TimingReport report = Time();
  ASSERT_TRUE(report.ok) << report.failure.feedback;
  EXPECT_EQ(session_.sampled_calls, 1);
  EXPECT_EQ(report.workloads[0].checked, "sampled");
  EXPECT_NEAR(report.workloads[0].time.p95, report.workloads[0].time.us * 1.2, 1e-6);
  EXPECT_NEAR(report.workloads[0].time.p5, report.workloads[0].time.us * 0.8, 1e-6);
}

TEST_F(LargeCopy, FailsByWhatTheBlocksStoredAlone) {
  const auto spoil = [](size_t at) {
    return [at](CallOutcome& outcome) {
      Sample(outcome);
      outcome.outputs[0][at] ^= 0x40;
    };
  };
  session_.fault = spoil(2003);  // no block that ran stored it
  EXPECT_TRUE(Time().ok);
  session_.fault = spoil(403);
  const TimingReport report = Time();
  EXPECT_FALSE(report.ok);
  EXPECT_EQ(report.failure.comparison.errors.first_bad, 100);
}

TEST_F(LargeCopy, IsStoodInForWhereValuesAreMissingOrTheBudgetEnds) {
  session_.fault = [](CallOutcome& outcome) {
    Sample(outcome);
    outcome.sampled->unusable = "a copy touches y";
    outcome.outputs[0][403] ^= 0x40;
  };
  const TimingReport missing = Time();
  ASSERT_TRUE(missing.ok) << missing.failure.feedback;
  EXPECT_EQ(missing.workloads[0].checked, "scaled");
  EXPECT_NEAR(missing.workloads[0].time.p95, missing.workloads[0].time.us * 1.25, 1e-6);
  session_.fault = [](CallOutcome& outcome) { outcome.status = CallOutcome::Status::kDeviceLimit; };
  const TimingReport ended = Time();
  ASSERT_TRUE(ended.ok) << ended.failure.feedback;
  EXPECT_EQ(ended.workloads[0].checked, "scaled");
  EXPECT_NEAR(ended.workloads[0].time.p95, ended.workloads[0].time.us * 1.5, 1e-6);
  EXPECT_NEAR(ended.workloads[0].time.us, missing.workloads[0].time.us,
              0.3 * missing.workloads[0].time.us);
}

TEST_F(LargeCopy, IsNotCalledSampledWhereMostElementsAreStoredByNobody) {
  session_.fault = [](CallOutcome& outcome) {
    Sample(outcome);
    outcome.sampled->stored = {{{0, 200}}};
  };
  EXPECT_EQ(Time().workloads[0].checked, "scaled");
}

}  // namespace
}  // namespace kw::eval
