#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <limits>

#include "kw/eval/worker.h"

namespace kw::eval {
namespace {

std::string Text() { return *rc::gen::container<std::string>(rc::gen::inRange<char>(1, 127)); }

double Real() {
  return *rc::gen::oneOf(
      rc::gen::arbitrary<double>(),
      rc::gen::element(0.0, 1e-300, 1e300, std::numeric_limits<double>::infinity(),
                       -std::numeric_limits<double>::infinity()));
}

Case ArbitraryCase(int number) {
  Case c;
  c.id = "c" + std::to_string(number);
  c.seed = *rc::gen::arbitrary<uint64_t>();
  for (int i = *rc::gen::inRange(0, 4); i > 0; --i) c.axes[Text()] = *rc::gen::arbitrary<int64_t>();
  c.group = Text();
  for (int i = *rc::gen::inRange(0, 4); i > 0; --i) c.scalars[Text()] = Real();
  return c;
}

Verdict ArbitraryVerdict() {
  Verdict v;
  v.status = static_cast<Status>(*rc::gen::inRange(0, static_cast<int>(Status::kUnsupported) + 1));
  v.stage = *rc::gen::element<std::string>("extract", "precheck", "build", "load", "oracle",
                                           "timing", "endurance", "confirm");
  v.reason = Text();
  v.feedback = Text();
  v.task_name = Text();
  v.task_hash = Text();
  v.candidate_hash = Text();
  v.seed = *rc::gen::arbitrary<uint64_t>();
  v.device_kind = *rc::gen::element<std::string>("emulator", "cuda");
  v.device_name = Text();
  v.timing_kind = *rc::gen::element<std::string>("modelled", "measured");
  v.hazards = *rc::gen::element<std::string>("none", "found", "unchecked");
  v.bitwise = *rc::gen::arbitrary<bool>();
  v.environmental = *rc::gen::arbitrary<bool>();
  v.oracle = *rc::gen::element(OracleKind::kFull, OracleKind::kAllclose);
  const int cases = *rc::gen::inRange(0, 5);
  for (int i = 0; i < cases; ++i)
    v.cases.push_back({ArbitraryCase(i), *rc::gen::arbitrary<bool>()});
  if (cases > 0 && *rc::gen::arbitrary<bool>()) {
    v.failing = v.cases.back().c;
    v.errors = {Real(),
                Real(),
                Real(),
                *rc::gen::arbitrary<int64_t>(),
                *rc::gen::arbitrary<int64_t>(),
                *rc::gen::arbitrary<int64_t>(),
                3,
                4};
  }
  for (int i = *rc::gen::inRange(0, 4); i > 0; --i) {
    WorkloadTime w;
    w.uuid = Text();
    w.checked = *rc::gen::element<std::string>("full", "sampled", "scaled");
    w.time = {Real(), Real(), Real(), Text()};
    w.baseline_us = Real();
    w.speedup = Real();
    w.roofline = Real();
    v.workloads.push_back(w);
  }
  v.speedup = Real();
  v.replay_id = Text();
  return v;
}

std::string Passed() {
  Verdict v;
  v.status = Status::kPassed;
  v.stage = "timing";
  v.reason = "passed";
  v.device_kind = "emulator";
  v.cases.push_back({{"c00", 1, {{"n", 3}}, "original", {}}, true});
  return VerdictToJson(v);
}

std::string Replaced(std::string text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  EXPECT_NE(at, text.npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(VerdictJson, RoundTrips) {
  EXPECT_TRUE(rc::check([] {
    const Verdict verdict = ArbitraryVerdict();
    const std::string text = VerdictToJson(verdict);
    const auto again = VerdictFromJson(text);
    RC_ASSERT(again.has_value());
    RC_ASSERT(VerdictToJson(*again) == text);
    RC_ASSERT(again->status == verdict.status);
    RC_ASSERT(again->seed == verdict.seed);
    RC_ASSERT(again->feedback == verdict.feedback);
    RC_ASSERT(again->cases.size() == verdict.cases.size());
    RC_ASSERT(again->failing.has_value() == verdict.failing.has_value());
    if (verdict.failing) RC_ASSERT(again->failing->id == verdict.failing->id);
    RC_ASSERT(again->errors.first_bad == verdict.errors.first_bad);
    RC_ASSERT(again->workloads.size() == verdict.workloads.size());
    RC_ASSERT(again->speedup == verdict.speedup);
    RC_ASSERT(text.find('\n') == std::string::npos);
  }));
}

TEST(VerdictJson, HasTheKeysOfItsFormat) {
  const std::string text = Passed();
  for (const char* key :
       {"\"version\":1", "\"status\":\"PASSED\"", "\"stage\":\"timing\"", "\"reason\"",
        "\"feedback\"", "\"task\":{\"name\"", "\"candidate_hash\"", "\"seed\"",
        "\"device\":{\"kind\":\"emulator\"", "\"timing_kind\":\"modelled\"", "\"hazards\"",
        "\"bitwise\"", "\"environmental\"", "\"cases\":[{\"id\":\"c00\"", "\"workloads\":[]"}) {
    EXPECT_NE(text.find(key), text.npos) << key << " in " << text;
  }
}

TEST(VerdictJson, KeepsAFailingCaseThatIsNotListed) {
  Verdict v;
  v.stage = "timing";
  v.device_kind = "emulator";
  v.failing = Case{"w0", 7, {{"n", 5}}, "original", {{"eps", 1e-5}}, 31};
  const auto again = VerdictFromJson(VerdictToJson(v));
  ASSERT_TRUE(again) << again.error().ToString();
  ASSERT_TRUE(again->failing);
  EXPECT_EQ(again->failing->axes.at("n"), 5);
  EXPECT_EQ(again->failing->scalars.at("eps"), 1e-5);
  EXPECT_EQ(again->failing->calls_before, 31);
}

TEST(VerdictJson, RefusesWhatItDoesNotKnow) {
  const std::string good = Passed();
  ASSERT_TRUE(VerdictFromJson(good));
  const std::pair<const char*, const char*> changes[] = {
      {"\"version\":1", "\"version\":2"},
      {"\"version\":1,", ""},
      {"PASSED", "PASSED_MOSTLY"},
      {"\"stage\":\"timing\"", "\"stage\":\"later\""},
      {"\"seed\":0", "\"seed\":-1"},
      {"\"seed\":0", "\"seed\":\"0\""},
      {"\"hazards\":\"unchecked\"", "\"hazards\":\"maybe\""},
      {"\"bitwise\":true", "\"bitwise\":1"},
      {"\"bitwise\":true", "\"bitwise\":true,\"surprise\":1"},
      {"\"ok\":true", "\"ok\":true,\"extra\":1"},
      {"\"kind\":\"emulator\"", "\"kind\":\"tpu\""},
      {"\"workloads\":[]", "\"workloads\":{}"},
      {"\"workloads\":[]", "\"failure\":{\"case\":\"c9\"},\"workloads\":[]"}};
  for (const auto& [from, to] : changes) {
    EXPECT_FALSE(VerdictFromJson(Replaced(good, from, to))) << to;
  }
  EXPECT_FALSE(VerdictFromJson(""));
  EXPECT_FALSE(VerdictFromJson("[]"));
}

TEST(VerdictJson, NamesTheNearestKnownWord) {
  const auto parsed =
      VerdictFromJson(Replaced(Passed(), "\"stage\":\"timing\"", "\"stage\":\"timng\""));
  ASSERT_FALSE(parsed);
  EXPECT_NE(parsed.error().ToString().find("timing"), std::string::npos);
}

TEST(Verdict, ProgressOrdersHowFarItGot) {
  const auto at = [](Status status, const char* stage) {
    Verdict v;
    v.status = status;
    v.stage = stage;
    return v.progress();
  };
  EXPECT_EQ(at(Status::kMalformed, "precheck"), 0);
  EXPECT_EQ(at(Status::kCompileError, "build"), 1);
  EXPECT_EQ(at(Status::kRuntimeError, "load"), 2);
  EXPECT_EQ(at(Status::kIncorrectNumerical, "oracle"), 3);
  EXPECT_EQ(at(Status::kIncorrectNumerical, "timing"), 4);
  EXPECT_EQ(at(Status::kIncorrectNumerical, "endurance"), 4);
  EXPECT_EQ(at(Status::kPassed, "timing"), 5);
}

}  // namespace
}  // namespace kw::eval
