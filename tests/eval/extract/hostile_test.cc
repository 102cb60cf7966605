// Hostile input ends: quickly, in bounded memory, and with a reason. A quadratic step would take
// minutes on these sizes, so a suite that ends at all shows that there is none.
#include <functional>
#include <string>
#include <vector>

#include "sample.h"

namespace kw::eval {
namespace {

constexpr size_t kLarge = 1 << 18;

std::string Repeated(const std::string& unit, size_t bytes = kLarge) {
  std::string text;
  text.reserve(bytes + unit.size());
  while (text.size() < bytes) text += unit;
  return text;
}

const std::vector<std::string>& Units() {
  static const std::vector<std::string> units = {
      "`",
      "```\n",
      "```cuda\n",
      "```cuda\n```\n",
      "~~~\n",
      "````\n```\n",
      "x```\n",
      "``` x\n",
      "(",
      ")",
      "{",
      "}",
      "[",
      "()",
      "{}",
      "({[",
      "<",
      ">",
      "<file name=\"a\">\n",
      "<file name=\"a\">x</file>\n",
      "<file ",
      "</file>\n",
      "</think>",
      "/*",
      "*/",
      "//",
      "// \\\n",
      "\"",
      "'",
      "\\",
      "\\\n",
      "\\\"",
      "'\\'",
      "R\"(",
      "R\"x(",
      ")x\"",
      "R\"abcdefghijklmnopqrs(",
      "1'",
      "1e+",
      "#",
      "#\n",
      "#if X\n",
      "#if 0\n",
      "#if X\n{\n",
      "#else\n",
      "#endif\n",
      "#if X\n{\n#else\n{\n#endif\n",
      "#if X\n{\n#elif Y\n{\n",
      "#define a '\\'\n",
      "#define a '\\'\\'\\'\\'",
      "#define A {\n",
      "run",
      "run(",
      "run (   ",
      "void run(int) {}\n",
      "extern \"C\" ",
      "extern \"C\" {\n",
      "namespace a {\n",
      "template <",
      "void run(",
      ",",
      ";",
      "__global__ ",
      "=",
      "::",
      "<%",
      "\r",
      "\n",
      "\xff",
      "&lt;",
  };
  return units;
}

TEST(Hostile, RepetitionEndsInAnAnswer) {
  for (const std::string& unit : Units()) {
    const std::string text = Repeated(unit);
    const Extraction taken = ExtractCandidate(text, "stop", Softmax());
    EXPECT_FALSE(taken.ok) << unit;
    EXPECT_FALSE(taken.reason.empty()) << unit;
    EXPECT_LT(taken.feedback.size(), 4096u) << unit;
  }
}

TEST(Hostile, RepetitionInACandidateEnds) {
  for (const std::string& unit : Units()) {
    const std::string text = Repeated(unit);
    for (const std::string& source : {Good() + text, text + "\n" + Good()}) {
      const Extraction checked = PrecheckSource(source, Softmax());
      EXPECT_EQ(checked.ok, checked.reason.empty()) << unit;
      EXPECT_LT(checked.feedback.size(), 4096u) << unit;
    }
  }
}

TEST(Hostile, RepetitionInTheParameterListEnds) {
  for (const std::string& unit : Units()) {
    const Extraction checked = PrecheckSource(
        "__global__ void k() {}\nextern \"C\" void run(" + Repeated(unit, 1 << 18) + ") {}\n",
        Softmax());
    EXPECT_LT(checked.feedback.size(), 4096u) << unit;
  }
}

TEST(Hostile, AnAnswerBeyondTheLimitIsRefused) {
  const Extraction taken = ExtractCandidate(std::string((64 << 20) + 1, '`'), "stop", Softmax());
  EXPECT_EQ(taken.reason, "too_large");
}

// Every prefix and every single-byte change of a good answer is judged without trouble.
TEST(Hostile, MutilatedAnswersAreJudged) {
  const std::string answer = "Text\n" + Fenced("#if A\n#else\n#endif\n" + Good());
  for (size_t length = 0; length < answer.size(); ++length) {
    const Extraction taken = ExtractCandidate(answer.substr(0, length), "", Softmax());
    EXPECT_EQ(taken.ok, taken.reason.empty()) << length;
  }
  for (size_t i = 0; i < answer.size(); ++i) {
    for (const char c : {'\0', '{', '}', '"', '\'', '`', '\\', '#', '/', '*', '\n'}) {
      std::string changed = answer;
      changed[i] = c;
      const Extraction taken = ExtractCandidate(changed, "stop", Softmax());
      EXPECT_EQ(taken.ok, taken.reason.empty()) << i << " " << c;
    }
  }
}

}  // namespace
}  // namespace kw::eval
