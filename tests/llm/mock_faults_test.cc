// Every fault of the mock endpoint, seen from the client's side; and which request meets one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <set>

#include "kw/base.h"
#include "kw/mock.h"
#include "llm/raw_http.h"
#include "src/llm/mock/fault_plan.h"

namespace kw {
namespace {

using mock::FaultPlan;
using raw::Event;
using raw::EventsOf;
using raw::Joined;
using raw::Post;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

constexpr int kBytes = 400;

struct Seen {
  raw::Answer healthy, faulty;
  std::vector<Event> healthy_events, events;
  std::string healthy_text, text;
};

struct FaultCase {
  std::string name;
  bool stream;
  std::function<void(const Seen&)> check;
};

MockOptions Options(const std::string& faults) {
  return {.content = MockOptions::Content::kCanned,
          .canned_bytes = kBytes,
          .unicode = true,
          .faults = faults,
          .seed = 3,
          .retry_after_s = 7,
          .stall_ms = 20,
          .redirect_to = "http://elsewhere.invalid:81"};
}

std::string Body(bool stream) {
  Json body = {{"model", "m"},
               {"messages", Json::array({{{"role", "user"}, {"content", "hello"}}})}};
  if (stream) {
    body["stream"] = true;
    body["stream_options"] = {{"include_usage", true}};
  }
  return DumpJson(body);
}

raw::Answer AnswerWith(const std::string& faults, bool stream) {
  const auto endpoint = MockEndpoint::Start(Options(faults), nullptr).value();
  raw::Answer answer = Post(endpoint->port(), "/v1/chat/completions", Body(stream));
  const MockStats stats = endpoint->stats();
  if (faults.empty()) {
    EXPECT_THAT(stats.faults, IsEmpty());
  } else {
    EXPECT_EQ(stats.faults.size(), 1u);
    EXPECT_EQ(stats.faults.begin()->first, faults.substr(0, faults.find('=')));
    EXPECT_EQ(stats.faults.begin()->second, 1);
  }
  return answer;
}

std::string PlainText(const raw::Answer& answer) {
  const Json json = answer.ToJson();
  if (!json.is_object() || !json.contains("choices")) return "";
  return json.at("choices").at(0).at("message").at("content").get<std::string>();
}

Seen See(const FaultCase& fault) {
  Seen seen{.healthy = AnswerWith("", fault.stream),
            .faulty = AnswerWith(fault.name + "=1", fault.stream)};
  seen.healthy_events = EventsOf(seen.healthy.body);
  seen.events = EventsOf(seen.faulty.body);
  seen.healthy_text = fault.stream ? Joined(seen.healthy_events) : PlainText(seen.healthy);
  seen.text = fault.stream ? Joined(seen.events) : PlainText(seen.faulty);
  return seen;
}

bool HasDone(const Seen& seen) {
  return !seen.events.empty() && seen.events.back().data == "[DONE]";
}

size_t Count(const std::string& text, const std::string& word) {
  size_t count = 0;
  for (size_t at = text.find(word); at != text.npos; at = text.find(word, at + 1)) ++count;
  return count;
}

std::function<void(const Seen&)> HasStatus(int status, const std::string& word) {
  return [=](const Seen& seen) {
    EXPECT_EQ(seen.faulty.status, status);
    EXPECT_TRUE(seen.faulty.whole);
    EXPECT_THAT(seen.faulty.bytes, HasSubstr(word));
  };
}

// A part of the healthy answer, not all of it.
void ExpectBegun(const Seen& seen) {
  EXPECT_EQ(seen.faulty.status, 200);
  EXPECT_FALSE(seen.text.empty());
  EXPECT_LT(seen.text.size(), seen.healthy_text.size());
  EXPECT_TRUE(seen.healthy_text.starts_with(seen.text));
}

void ExpectSameText(const Seen& seen) {
  EXPECT_EQ(seen.faulty.status, 200);
  EXPECT_THAT(seen.healthy_text, SizeIs(testing::Ge(kBytes)));
  EXPECT_EQ(seen.text, seen.healthy_text);
}

void ExpectSameEvents(const Seen& seen) {
  ExpectSameText(seen);
  ASSERT_EQ(seen.events.size(), seen.healthy_events.size());
  for (size_t i = 0; i < seen.events.size(); ++i) {
    EXPECT_EQ(seen.events[i].data, seen.healthy_events[i].data);
  }
}

std::vector<FaultCase> RefusalCases() {
  std::vector<FaultCase> cases;
  for (const bool stream : {false, true}) {
    cases.push_back({"429", stream, HasStatus(429, "Retry-After: 7\r\n")});
    cases.push_back({"429-date", stream, HasStatus(429, " GMT\r\n")});
    cases.push_back({"500", stream, HasStatus(500, R"({"error":{)")});
    cases.push_back({"502", stream, HasStatus(502, "<html>")});
    cases.push_back({"503", stream, HasStatus(503, "Retry-After: 7\r\n")});
    cases.push_back({"529", stream, HasStatus(529, "verloaded")});
    cases.push_back({"html", stream, HasStatus(200, "<html>")});
    cases.push_back({"redirect", stream,
                     HasStatus(307, "Location: http://elsewhere.invalid:81/v1/chat/completions")});
    cases.push_back({"empty", stream, [](const Seen& seen) {
                       EXPECT_EQ(seen.faulty.status, 200);
                       EXPECT_EQ(seen.faulty.Header("content-length"), "0");
                     }});
    cases.push_back({"reset", stream, [](const Seen& seen) {
                       EXPECT_TRUE(seen.faulty.reset);
                       EXPECT_EQ(seen.faulty.bytes, "");
                     }});
    cases.push_back({"slow-head", stream, ExpectSameText});
    cases.push_back({"long-length", stream, [](const Seen& seen) {
                       EXPECT_FALSE(seen.faulty.whole);
                       EXPECT_GT(std::stoul(seen.faulty.Header("content-length")),
                                 seen.faulty.body.size());
                     }});
    cases.push_back({"short-length", stream, [](const Seen& seen) {
                       EXPECT_FALSE(seen.faulty.whole);
                       EXPECT_LT(std::stoul(seen.faulty.Header("content-length")),
                                 seen.faulty.body.size());
                     }});
  }
  return cases;
}

std::vector<FaultCase> StreamCases() {
  return {
      {"plain-json", true,
       [](const Seen& seen) {
         EXPECT_EQ(seen.faulty.Header("content-type"), "application/json");
         EXPECT_EQ(PlainText(seen.faulty), seen.healthy_text);
       }},
      {"reset-mid", true,
       [](const Seen& seen) {
         ExpectBegun(seen);
         EXPECT_TRUE(seen.faulty.reset);
         EXPECT_FALSE(seen.faulty.whole);
       }},
      {"cut", true,
       [](const Seen& seen) {
         ExpectBegun(seen);
         EXPECT_TRUE(seen.faulty.whole);
         EXPECT_FALSE(HasDone(seen));
         EXPECT_THAT(seen.faulty.body, Not(HasSubstr(R"("finish_reason":"stop")")));
       }},
      {"truncate", true,
       [](const Seen& seen) {
         ExpectBegun(seen);
         EXPECT_FALSE(seen.faulty.whole);
         EXPECT_FALSE(seen.faulty.reset);
         EXPECT_FALSE(seen.faulty.body.ends_with("\n\n"));
       }},
      {"stall", true, ExpectSameEvents},
      {"bad-json", true,
       [](const Seen& seen) {
         EXPECT_EQ(seen.events.size(), seen.healthy_events.size());
         const auto broken = std::count_if(seen.events.begin(), seen.events.end(), [](auto& event) {
           return event.data != "[DONE]" && !ParseJson(event.data, "event");
         });
         EXPECT_EQ(broken, 1);
         EXPECT_LT(seen.text.size(), seen.healthy_text.size());
         EXPECT_TRUE(HasDone(seen));
       }},
      {"error-chunk", true,
       [](const Seen& seen) {
         ExpectBegun(seen);
         ASSERT_GE(seen.events.size(), 2u);
         EXPECT_THAT(seen.events[seen.events.size() - 2].data, HasSubstr(R"({"error":{)"));
         EXPECT_TRUE(HasDone(seen));
       }},
      {"no-done", true,
       [](const Seen& seen) {
         ExpectSameText(seen);
         EXPECT_FALSE(HasDone(seen));
         EXPECT_TRUE(seen.faulty.whole);
       }},
      {"no-usage", true,
       [](const Seen& seen) {
         ExpectSameText(seen);
         EXPECT_THAT(seen.healthy.body, HasSubstr("prompt_tokens"));
         EXPECT_THAT(seen.faulty.body, Not(HasSubstr("prompt_tokens")));
         EXPECT_TRUE(HasDone(seen));
       }},
      {"twice-usage", true,
       [](const Seen& seen) {
         ExpectSameText(seen);
         EXPECT_EQ(Count(seen.healthy.body, "\"prompt_tokens\""), 1u);
         EXPECT_EQ(Count(seen.faulty.body, "\"prompt_tokens\""), 2u);
       }},
      {"crlf", true,
       [](const Seen& seen) {
         ExpectSameEvents(seen);
         EXPECT_EQ(Count(seen.healthy.body, "\r\n"), 0u);
         EXPECT_EQ(Count(seen.faulty.body, "\r\n"), Count(seen.faulty.body, "\n"));
       }},
      {"pings", true,
       [](const Seen& seen) {
         ExpectSameEvents(seen);
         EXPECT_GT(Count(seen.faulty.body, ": ping\n\n"), 10u);
       }},
      {"coalesce", true,
       [](const Seen& seen) {
         ExpectSameEvents(seen);
         EXPECT_EQ(seen.faulty.http_chunks, (seen.healthy.http_chunks + 4) / 5);
       }},
      {"split", true,
       [](const Seen& seen) {
         ExpectSameEvents(seen);
         EXPECT_GT(seen.faulty.http_chunks, 6 * seen.healthy.http_chunks);
       }},
      {"split-utf8", true,
       [](const Seen& seen) {
         ExpectSameEvents(seen);
         EXPECT_THAT(seen.faulty.pieces, HasSubstr("\xC3\x1f\xB6"));          // ö
         EXPECT_THAT(seen.faulty.pieces, HasSubstr("\xF0\x1f\x9F\x9A\x80"));  // a rocket
       }},
      {"half-char", true,
       [](const Seen& seen) {
         EXPECT_EQ(ToValidUtf8(seen.healthy.body), seen.healthy.body);
         EXPECT_THAT(seen.faulty.body, HasSubstr("\xC3\"}"));
         EXPECT_THAT(seen.faulty.body, HasSubstr("\"content\":\"\xB6"));
         EXPECT_TRUE(HasDone(seen));
       }},
  };
}

std::vector<FaultCase> PlainCases() {
  return {
      {"reset-mid", false,
       [](const Seen& seen) {
         EXPECT_TRUE(seen.faulty.reset);
         EXPECT_TRUE(seen.healthy.bytes.starts_with(seen.faulty.bytes));
       }},
      {"cut", false,
       [](const Seen& seen) {
         EXPECT_TRUE(seen.faulty.whole);
         EXPECT_LT(seen.faulty.body.size(), seen.healthy.body.size());
       }},
      {"truncate", false,
       [](const Seen& seen) {
         EXPECT_FALSE(seen.faulty.whole);
         EXPECT_FALSE(seen.faulty.reset);
       }},
      {"stall", false, ExpectSameText},
      {"bad-json", false,
       [](const Seen& seen) {
         EXPECT_TRUE(seen.faulty.whole);
         EXPECT_FALSE(ParseJson(seen.faulty.body, "answer"));
       }},
      {"error-chunk", false, HasStatus(200, R"({"error":{)")},
      {"no-usage", false,
       [](const Seen& seen) {
         ExpectSameText(seen);
         EXPECT_THAT(seen.faulty.body, Not(HasSubstr("usage")));
       }},
      {"split", false, ExpectSameText},
      {"split-utf8", false, ExpectSameText},
  };
}

TEST(MockFaults, RefusalsAndHeadsAreAsTheManualSays) {
  for (const FaultCase& fault : RefusalCases()) {
    SCOPED_TRACE(fault.name + (fault.stream ? " of a stream" : " of a plain answer"));
    fault.check(See(fault));
  }
}

TEST(MockFaults, StreamsFailAsTheManualSays) {
  for (const FaultCase& fault : StreamCases()) {
    SCOPED_TRACE(fault.name);
    fault.check(See(fault));
  }
}

TEST(MockFaults, PlainAnswersFailAsTheManualSays) {
  for (const FaultCase& fault : PlainCases()) {
    SCOPED_TRACE(fault.name);
    fault.check(See(fault));
  }
}

TEST(MockFaults, EveryFaultIsTested) {
  std::set<std::string> tested, known;
  for (const auto& cases : {RefusalCases(), StreamCases(), PlainCases()}) {
    for (const FaultCase& fault : cases) tested.insert(fault.name);
  }
  for (const auto& [name, what] : MockFaults()) known.insert(name);
  EXPECT_EQ(tested, known);
}

TEST(MockFaults, AnthropicsStreamsFailInTheirOwnWords) {
  Json body = {{"model", "m"},
               {"max_tokens", 1000},
               {"stream", true},
               {"messages", Json::array({{{"role", "user"}, {"content", "hello"}}})}};
  const auto answer = [&](const std::string& faults) {
    const auto endpoint = MockEndpoint::Start(Options(faults), nullptr).value();
    return Post(endpoint->port(), "/v1/messages", body);
  };
  const auto events = EventsOf(answer("error-chunk=1").body);
  ASSERT_FALSE(events.empty());
  EXPECT_EQ(events.back().name, "error");
  EXPECT_THAT(events.back().data, HasSubstr("overloaded_error"));
  EXPECT_THAT(answer("no-usage=1").body, Not(HasSubstr("usage")));
  EXPECT_THAT(answer("no-usage=1").body, HasSubstr("end_turn"));
  EXPECT_THAT(answer("529=1").body, HasSubstr(R"("type":"overloaded_error")"));
  EXPECT_THAT(answer("no-done=1").body, Not(HasSubstr("message_stop")));
}

TEST(MockFaults, WhatCannotBeMadeIsNotCounted) {
  const auto endpoint = MockEndpoint::Start(Options("crlf=1"), nullptr).value();
  EXPECT_EQ(Post(endpoint->port(), "/v1/chat/completions", Body(false)).status, 200);
  EXPECT_THAT(endpoint->stats().faults, IsEmpty());
  EXPECT_EQ(endpoint->stats().completed, 1);
}

TEST(MockFaults, OnlyWholeAnswersCountAsCompleted) {
  for (const auto& [fault, completed] : std::vector<std::pair<std::string, int>>{{"cut", 0},
                                                                                 {"429", 0},
                                                                                 {"reset-mid", 0},
                                                                                 {"truncate", 0},
                                                                                 {"no-done", 0},
                                                                                 {"split", 1},
                                                                                 {"stall", 1},
                                                                                 {"no-usage", 1}}) {
    const auto endpoint = MockEndpoint::Start(Options(fault + "=1"), nullptr).value();
    Post(endpoint->port(), "/v1/chat/completions", Body(true));
    EXPECT_EQ(endpoint->stats().completed, completed) << fault;
    EXPECT_EQ(endpoint->stats().closed_early, 0) << fault;
  }
}

std::string Drawn(FaultPlan& plan, const std::string& request) {
  const auto fault = plan.Next(request);
  return fault ? mock::NameOf(fault->kind) : "-";
}

TEST(FaultPlan, DrawsByRequestAndHowOftenItCameWhateverTheOrder) {
  const std::string spec = "429=0.3,cut=0.2";
  FaultPlan forth = FaultPlan::Parse(spec, 5).value(), back = FaultPlan::Parse(spec, 5).value();
  std::vector<std::vector<std::string>> one(50), other(50);
  for (int time = 0; time < 4; ++time) {
    for (size_t i = 0; i < 50; ++i) one[i].push_back(Drawn(forth, std::to_string(i)));
    for (size_t i = 50; i-- > 0;) other[i].push_back(Drawn(back, std::to_string(i)));
  }
  EXPECT_EQ(one, other);
  EXPECT_NE(one[0], one[1]);
  FaultPlan seeded = FaultPlan::Parse(spec, 6).value();
  std::vector<std::string> first, with_other_seed;
  for (size_t i = 0; i < 50; ++i) {
    first.push_back(one[i][0]);
    with_other_seed.push_back(Drawn(seeded, std::to_string(i)));
  }
  EXPECT_NE(first, with_other_seed);
}

TEST(FaultPlan, MeetsItsProbabilities) {
  FaultPlan plan = FaultPlan::Parse("429=0.1,reset=0.05", 1).value();
  std::map<std::string, int> drawn;
  for (int i = 0; i < 20'000; ++i) ++drawn[Drawn(plan, "the same")];
  EXPECT_NEAR(drawn["429"], 2000, 200);
  EXPECT_NEAR(drawn["reset"], 1000, 150);
  EXPECT_EQ(drawn.size(), 3u);
}

TEST(FaultPlan, CountsEveryNth) {
  FaultPlan plan = FaultPlan::Parse(" 500=/3 , cut=/2", 1).value();
  std::string all;
  for (int i = 0; i < 6; ++i) all += Drawn(plan, std::to_string(i)) + " ";
  EXPECT_EQ(all, "- cut 500 cut - 500 ");
}

TEST(FaultPlan, NamesWhatItDoesNotKnow) {
  const auto error = [](const char* spec) { return FaultPlan::Parse(spec, 1).error().message; };
  EXPECT_EQ(error("restt=0.1"), "unknown fault 'restt' (did you mean 'reset'?)");
  for (const char* spec : {"429", "429=", "429=0", "429=2", "429=-0.1", "429=x", "429=0.1x",
                           "429=nan", "429=/0", "429=/", "429=/-2"}) {
    EXPECT_THAT(error(spec), HasSubstr("write NAME=P")) << spec;
  }
  EXPECT_THAT(error("429=0.1,429=0.2"), HasSubstr("twice"));
  EXPECT_THAT(error("429=0.6,cut=0.6"), HasSubstr("sum above 1"));
  EXPECT_THAT(error("429=0.1,"), HasSubstr("unknown fault ''"));
}

}  // namespace
}  // namespace kw
