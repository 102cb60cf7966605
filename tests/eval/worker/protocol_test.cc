#include "src/eval/worker/protocol.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace kw::eval {
namespace {

template <class T>
T Again(const T& message) {
  const std::string line = FormatMessage(message);
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  const auto parsed = ParseMessage(line.substr(0, line.size() - 1));
  EXPECT_TRUE(parsed) << parsed.error().ToString();
  EXPECT_TRUE(std::holds_alternative<T>(*parsed));
  EXPECT_EQ(FormatMessage(*parsed), line);
  return std::get<T>(*parsed);
}

TEST(Protocol, EveryMessageRoundTrips) {
  Again(HelloMessage{1, "b", {{"emulator", "a100_sxm4", "h"}}, "13.0", "2 threads"});
  EvaluateMessage evaluate;
  evaluate.id = "job 1";
  evaluate.task_hash = "aa";
  evaluate.candidate_hash = "bb";
  evaluate.seed = UINT64_MAX;
  EXPECT_EQ(Again(evaluate).seed, UINT64_MAX);
  evaluate.object_hash = "cc";
  evaluate.effort = Effort::kDeep;
  EXPECT_EQ(Again(evaluate).oracle, OracleKind::kFull);
  evaluate.oracle = OracleKind::kAllclose;
  evaluate.wall_ms = 4000;
  evaluate.resources = {{"_Z1kv", 40, 8, 1024, 16}};
  evaluate.only_case = Case{"c1", 9, {{"n", 4}}, "ramp", {{"s", 0.5}}};
  const EvaluateMessage again = Again(evaluate);
  EXPECT_EQ(again.oracle, OracleKind::kAllclose);
  EXPECT_EQ(again.effort, Effort::kDeep);
  EXPECT_EQ(again.resources[0].registers, 40);
  EXPECT_EQ(again.only_case->axes.at("n"), 4);
  Again(NeedMessage{{"aa", "bb"}});
  Again(BlobMessage{"aa", 512, std::string("\0\xff\n", 3), true});
  Again(ProgressMessage{"1", "oracle"});
  Verdict verdict;
  verdict.stage = "oracle";
  verdict.device_kind = "emulator";
  Again(ResultMessage{"1", verdict});
  Again(CancelMessage{"1"});
  Again(PingMessage{});
  Again(PongMessage{});
  Again(ErrorMessage{"", "io", "the disk is full"});
  Again(ErrorMessage{"1", "io", "line\nbreak"});
}

TEST(Protocol, AChunkFitsALine) {
  const BlobMessage blob{"aa", 1ULL << 40, std::string(kBlobChunk, '\xff'), false};
  EXPECT_LE(FormatMessage(blob).size(), kMaxLine);
}

TEST(Protocol, BlobsRoundTripAnyBytes) {
  EXPECT_TRUE(rc::check([](const std::string& bytes) {
    RC_ASSERT(Again(BlobMessage{"h", 0, bytes, false}).data == bytes);
  }));
}

TEST(Protocol, RefusesWhatIsNoMessage) {
  for (const char* line :
       {"", "hello", "{}", "[]", "null", "{\"type\":1}", "{\"type\":\"evaluat\"}",
        "{\"type\":\"ping\",\"extra\":1}", "{\"type\":\"cancel\"}",
        "{\"type\":\"cancel\",\"id\":\"\"}", "{\"type\":\"need\",\"hashes\":\"aa\"}",
        "{\"type\":\"need\",\"hashes\":[\"../../etc/passwd\"]}",
        "{\"type\":\"blob\",\"hash\":\"a/b\",\"offset\":0,\"data\":\"\",\"last\":true}",
        "{\"type\":\"blob\",\"hash\":\"a\",\"offset\":-1,\"data\":\"\",\"last\":true}",
        "{\"type\":\"blob\",\"hash\":\"a\",\"offset\":0,\"data\":\"A\",\"last\":true}",
        "{\"type\":\"evaluate\",\"id\":\"1\",\"task_hash\":\"a\",\"candidate_hash\":\"b\","
        "\"seed\":1.5,\"effort\":\"quick\"}",
        "{\"type\":\"evaluate\",\"id\":\"1\",\"task_hash\":\"a\",\"candidate_hash\":\"b\","
        "\"seed\":1,\"effort\":\"huge\"}",
        "{\"type\":\"result\",\"id\":\"1\",\"verdict\":{}}"}) {
    EXPECT_FALSE(ParseMessage(line)) << line;
  }
}

TEST(Protocol, HashesNameNoPaths) {
  EXPECT_TRUE(IsHash("0123abCD_-"));
  for (const char* text : {"", ".", "..", "a/b", "a.b", "a b", "\n"}) EXPECT_FALSE(IsHash(text));
  EXPECT_FALSE(IsHash(std::string(129, 'a')));
}

}  // namespace
}  // namespace kw::eval
