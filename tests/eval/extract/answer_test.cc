// Which part of an answer is taken.
#include <string>
#include <vector>

#include "sample.h"

namespace kw::eval {
namespace {

Extraction Extract(const std::string& answer, const std::string& finish = "stop") {
  return ExtractCandidate(answer, finish, Softmax());
}

// A second correct source, to tell apart.
std::string Other() { return "// other\n" + Good(); }

struct Shape {
  const char* name;
  std::string answer;
  std::string source;
};

TEST(Answer, TakesTheCandidateFromEveryShape) {
  const std::string good = Good();
  const std::string flat = good.substr(0, good.size() - 1);  // without the last newline
  const std::vector<Shape> shapes = {
      {"Fence", Fenced(good), good},
      {"ProseAround", "Sure, here's it:\n\n" + Fenced(good) + "\nIt's fast.\n", good},
      {"NoInfo", Fenced(good, ""), good},
      {"Cpp", Fenced(good, "cpp"), good},
      {"CPlusPlus", Fenced(good, "C++"), good},
      {"InfoWithTitle", Fenced(good, "cuda title=\"kernel.cu\""), good},
      {"InfoWithSpace", Fenced(good, " cuda "), good},
      {"UnknownInfo", Fenced(good, "python"), good},
      {"FourBackticks", "````cuda\n" + good + "````\n", good},
      {"Tildes", "~~~cuda\n" + good + "~~~\n", good},
      {"Indented", "1. Code:\n   ```cuda\n" + good + "   ```\n", good},
      {"Crlf", "```cuda\r\n" + good + "```\r\n", good},
      {"NoNewlineAtTheEnd", "```cuda\n" + good + "```", good},
      {"LongerClosing", "```cuda\n" + good + "`````\n", good},
      {"TextBehindTheClosing", "```cuda\n" + good + "``` This kernel is good.\n", good},
      {"FenceAfterText", "Here it is: ```cuda\n" + good + "```\n", good},
      {"ClosingBehindCode", "```cuda\n" + flat + "```\nDone.\n", flat},
      {"LastOfTwo", Fenced(Other()) + "Better:\n" + Fenced(good), good},
      {"LastWithAnEntry", Fenced(good) + Fenced("__global__ void snippet() {}\n"), good},
      {"ShellBehind", Fenced(good) + Fenced("nvcc -o run kernel.cu && ./run (x)\n", "bash"), good},
      {"CallerBehind", Fenced(good) + Fenced("int main() { run(x, y, 1, 1, s); }\n"), good},
      {"TextBehind", Fenced(good) + Fenced("don't run (this) {\n", "text"), good},
      {"PythonBehind", Fenced(good) + Fenced("def run(x):\n    return 'it\n", "python"), good},
      {"NamespacedBehind", Fenced(good) + Fenced("namespace a { void run(int) {} }\n"), good},
      {"UnclosedShellBehind", Fenced(good) + "```bash\nnvcc kernel.cu\n", good},
      {"EmptyFenceBehind", Fenced(good) + "```\n", good},
      {"InMarkdownFence", "```markdown\nText\n```cuda\n" + good + "```\n```\n", good},
      {"NeverClosedDraft", "```cuda\nint a = (\n```cuda\n" + good + "```\n", good},
      {"InlineCode", "Call ```run``` so: `run()`.\n" + Fenced(good), good},
      {"AfterThoughts", "<think>\n```cuda\nvoid half(\n</think>\n" + Fenced(good), good},
      {"ThoughtsOnlyEnd", "Hmm ```cuda\n" + Other() + "```</think>" + Fenced(good), good},
      {"OnlyThoughts", "<think>" + Fenced(good) + "</think>\n", good},
      {"Bare", good, good},
      {"BareWithProse", "Here's the kernel:\n\n" + good + "\nIt's done\n", good},
      {"BareWithTail", good + "```\n", good},
      {"ByteOrderMark", "\xEF\xBB\xBF" + Fenced(good), good},
      {"File", "<file name=\"kernel.cu\">\n" + good + "</file>", "\n" + good},
      {"FileOnOneLine", "<file name='kernel.cu'>" + good + "</file>", good},
      {"FileWithFence", "<file name=\"kernel.cu\">\n```cuda\n" + good + "```\n</file>", good},
      {"FileWithCdata", "<file path=\"kernel.cu\"><![CDATA[" + good + "]]></file>", good},
      {"FileInFence", "```xml\n<file name=\"kernel.cu\">\n" + good + "</file>\n```\n", "\n" + good},
      {"CudaFile", "<cuda_file name=\"kernel.cu\">\n" + good + "</cuda_file>\n", "\n" + good},
      {"FileBeatsQuotedFence", Fenced(Other()) + "<file name=\"k.cu\">" + good + "</file>\n", good},
      {"FenceWhenFilesHoldNone", "<file name=\"notes.md\">run it</file>\n" + Fenced(good), good},
  };
  for (const Shape& shape : shapes) {
    const Extraction taken = Extract(shape.answer);
    EXPECT_TRUE(taken.ok) << shape.name << ": " << taken.reason << ": " << taken.feedback;
    EXPECT_EQ(taken.source, shape.source) << shape.name;
  }
}

TEST(Answer, MergesTheFilesOfAFlashInferBenchAnswer) {
  const std::string answer =
      "<header_file name=\"kernel.h\">\n#pragma once\n#include <cuda_runtime.h>\nvoid launch(const "
      "float*, float*, long, cudaStream_t);\n</header_file>\n"
      "<cuda_file name=\"kernel.cu\">\n#include \"kernel.h\"\n__global__ void k(const float* x, "
      "float* y, long n) {}\nvoid launch(const float* x, float* y, long n, cudaStream_t s) { "
      "k<<<1, 1, 0, s>>>(x, y, n); }\n</cuda_file>\n"
      "<cpp_file name=\"main.cpp\">\n#include \"kernel.h\"\nextern \"C\" void run(const float* x, "
      "float* y, long rows, long cols, cudaStream_t s) { launch(x, y, rows * cols, s); "
      "}\n</cpp_file>\n";
  const Extraction taken = Extract(answer);
  ASSERT_TRUE(taken.ok) << taken.feedback;
  EXPECT_EQ(taken.source.find("#include \"kernel.h\""), std::string::npos);
  EXPECT_LT(taken.source.find("void launch(const float*, float*"), taken.source.find("__global__"));
  EXPECT_LT(taken.source.find("__global__"), taken.source.find("void run("));
}

TEST(Answer, TakesTheOneFileThatStandsAlone) {
  const std::string answer = "<file name=\"kernel.cu\">" + Good() +
                             "</file>\n<file name=\"main.cpp\">int main() { return 0; }\n</file>\n";
  EXPECT_EQ(Extract(answer).source, Good());
}

TEST(Answer, UnescapesAFileThatIsEscaped) {
  std::string escaped;
  for (const char c : Good()) {
    escaped += c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '&' ? "&amp;" : std::string(1, c);
  }
  const Extraction taken = Extract("<file name=\"kernel.cu\">" + escaped + "</file>\n");
  EXPECT_TRUE(taken.ok) << taken.feedback;
  EXPECT_EQ(taken.source, Good());
}

struct Refusal {
  const char* name;
  std::string answer, finish, reason, told;
};

TEST(Answer, RefusesWhatHoldsNoCandidate) {
  const std::string good = Good();
  const std::vector<Refusal> refusals = {
      {"Empty", "", "stop", "empty", "empty"},
      {"Space", " \n \t\n", "stop", "empty", "empty"},
      {"Prose", "I'm sorry, I can't do that.", "stop", "no_code", "no code"},
      {"Python", Fenced("import torch\ndef run(x):\n    return x\n", "python"), "stop", "no_code",
       "no CUDA C++"},
      {"EmptyFence", Fenced(""), "stop", "no_code", "no code"},
      {"Unclosed", "Here:\n```cuda\n" + good, "stop", "fence_unclosed", "line 2"},
      {"UnclosedAndCut", "```cuda\n" + good.substr(0, 120), "", "fence_unclosed", "never closed"},
      {"UnclosedAfterComplete", Fenced(Other()) + "Better:\n```cuda\n" + good.substr(0, 200),
       "stop", "fence_unclosed", "never closed"},
      {"UnclosedWithoutInfo", "```\n" + good, "stop", "fence_unclosed", "never closed"},
      {"ShorterClosing", "````cuda\n" + good + "```\n", "stop", "fence_unclosed", "never closed"},
      {"OtherClosing", "```cuda\n" + good + "~~~\n", "stop", "fence_unclosed", "never closed"},
      {"UnclosedFile", "<file name=\"kernel.cu\">\n" + good, "stop", "fence_unclosed", "</file>"},
      {"LengthAndUnclosed", "```cuda\n" + good.substr(0, 150), "length", "truncated", "cut off"},
      {"LengthAlthoughComplete", Fenced(good), "length", "truncated", "cut off"},
      {"MaxTokens", Fenced(good), "MAX_TOKENS", "truncated", "cut off"},
      {"LengthAndEmpty", "", "length", "truncated", "cut off"},
      {"KernelAndRunApart", Fenced(kKernel) + Fenced(kRun), "stop", "no_global_kernel",
       "everything into one code block"},
      {"TheLastIsBroken", Fenced(Other()) + Fenced(good.substr(0, good.size() - 2)), "stop",
       "unbalanced", "never closed"},
      {"NoEntryAnywhere", Fenced(kKernel) + Fenced("ls\n", "bash"), "stop", "no_entry_point",
       "Define this function"},
      {"BareCut", good.substr(0, good.size() - 3), "stop", "unbalanced", "never closed"},
  };
  for (const Refusal& refusal : refusals) {
    const Extraction taken = Extract(refusal.answer, refusal.finish);
    EXPECT_FALSE(taken.ok) << refusal.name;
    EXPECT_EQ(taken.reason, refusal.reason) << refusal.name << ": " << taken.feedback;
    EXPECT_NE(taken.feedback.find(refusal.told), std::string::npos)
        << refusal.name << ": " << taken.feedback;
  }
}

TEST(Answer, KeepsTheSourceOfARefusalWhereItCanBeTold) {
  EXPECT_EQ(Extract(Fenced(Good()), "length").source, Good());
  EXPECT_EQ(Extract("```cuda\n" + Good()).source, Good());
  EXPECT_EQ(Extract(Fenced(kKernel)).source, kKernel);
}

TEST(Answer, UnknownAndOrdinaryFinishReasonsPass) {
  for (const char* finish : {"", "stop", "end_turn", "eos", "tool_calls", "STOP"}) {
    EXPECT_TRUE(Extract(Fenced(Good()), finish).ok) << finish;
  }
}

TEST(Answer, LinesCountInTheSourceNotInTheAnswer) {
  const Extraction taken = Extract("one\ntwo\nthree\n" + Fenced(Good() + "}\n"));
  EXPECT_EQ(taken.reason, "unbalanced");
  EXPECT_EQ(taken.line, 10);
}

TEST(Answer, IsAPureFunction) {
  const std::string answer = "Text\n" + Fenced(Other()) + Fenced(Good());
  const Extraction first = Extract(answer), second = Extract(answer);
  EXPECT_EQ(first.source, second.source);
  EXPECT_EQ(first.feedback, second.feedback);
}

}  // namespace
}  // namespace kw::eval
