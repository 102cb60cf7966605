#include "src/eval/worker/passed_feedback.h"

#include <gtest/gtest.h>

#include "eval/worker/fake_rooms.h"

namespace kw::eval {
namespace {

Verdict With(const std::string& bound, double us) {
  Verdict v;
  v.status = Status::kPassed;
  v.cases.resize(16);
  WorkloadTime w;
  w.uuid = "w0";
  w.time = {us, us, us, bound};
  w.baseline_us = 20;
  w.speedup = 20 / us;
  w.roofline = 0.42;
  v.workloads = {w};
  v.speedup = w.speedup;
  return v;
}

TEST(PassedFeedback, SaysSpeedupBoundAndRoofline) {
  const std::string text = PassedFeedback(*CopyTask(), With("dram", 10), FakeDevice().sheet());
  for (const char* said : {"16 test cases", "2.00x", "n=4096", "memory bandwidth", "42 %"}) {
    EXPECT_NE(text.find(said), text.npos) << said << " in " << text;
  }
}

TEST(PassedFeedback, AdvisesByWhatBounds) {
  const auto text = [](const char* bound) {
    return PassedFeedback(*CopyTask(), With(bound, 10), FakeDevice().sheet());
  };
  EXPECT_NE(text("shared").find("bank"), std::string::npos);
  EXPECT_NE(text("launch").find("single launch"), std::string::npos);
  EXPECT_NE(text("latency").find("shuffles"), std::string::npos);
}

TEST(PassedFeedback, SaysWhenModelledAndWhenInPart) {
  Verdict v = With("dram", 10);
  EXPECT_NE(PassedFeedback(*CopyTask(), v, FakeDevice().sheet()).find("Modelled"),
            std::string::npos);
  v.workloads[0].checked = "sampled";
  EXPECT_NE(PassedFeedback(*CopyTask(), v, FakeDevice().sheet()).find("in part"),
            std::string::npos);
}

}  // namespace
}  // namespace kw::eval
