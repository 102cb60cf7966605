// kwright doctor --model against llama.cpp's own server.
#include <map>

#include "llama_server.h"

namespace kw {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::StartsWith;

class LlamaDoctor : public LlamaServer {
 protected:
  // What it finds: part -> "state: detail".
  static std::map<std::string, std::string> Findings(const std::string& key) {
    ProcessSpec spec;
    spec.argv = {KW_BINARY_DIR "/kwright", "doctor", "--model", "smollm2", "--base-url",
                 address_ + "/v1",         "--json"};
    spec.inherit_environment = true;
    spec.environment = {"KWRIGHT_HOME=" KW_SOURCE_DIR, "KWRIGHT_CACHE=" KW_BINARY_DIR "/e2e-cache",
                        "KWRIGHT_API_KEY=" + key};
    const ProcessExit exit = RunProcess(spec).value();
    EXPECT_THAT(exit.out + exit.err, Not(HasSubstr(key)));
    std::map<std::string, std::string> findings;
    const Result<Json> list = ParseJson(exit.out, "doctor");
    EXPECT_TRUE(list) << exit.out << exit.err;
    for (const Json& finding : list.value_or(Json::array())) {
      findings[finding.at("part")] =
          finding.at("state").get<std::string>() + ": " + finding.at("detail").get<std::string>();
    }
    return findings;
  }
};

TEST_F(LlamaDoctor, SaysHowTheModelAnswers) {
  auto findings = Findings(kKey);
  EXPECT_EQ(findings["endpoint"], "ok: lists smollm2");
  EXPECT_THAT(findings["model"], MatchesRegex("ok: .*with a key"));
  EXPECT_THAT(findings["repeats"],
              MatchesRegex("ok: at temperature 0 seeds 1, 42 and 123 gave the same [0-9]+ bytes"));
  EXPECT_THAT(findings["streaming"], MatchesRegex("ok: first text after .*, then [0-9]+ tokens/s"));
  EXPECT_THAT(findings["usage"],
              MatchesRegex("ok: [0-9]+ prompt tokens .*, [0-9]+ completion tokens .*"));
  EXPECT_EQ(findings["context"], "ok: 256 tokens, says the endpoint");
}

TEST_F(LlamaDoctor, SaysThatTheKeyIsWrong) {
  auto findings = Findings("sk-quite-another-key");
  EXPECT_THAT(findings["model"], AllOf(StartsWith("missing: "), HasSubstr("HTTP 401"),
                                       HasSubstr("check the API key")));
  EXPECT_EQ(findings.count("repeats"), 0);
}

}  // namespace
}  // namespace kw
