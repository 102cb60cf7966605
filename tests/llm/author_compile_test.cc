// A sample of the clean kernels compiles with nvcc.
#include <gtest/gtest.h>

#include "kw/base/file.h"
#include "kw/base/process.h"
#include "llm/author_prompts.h"
#include "src/llm/author/inspect.h"

namespace kw {
namespace {

using author_test::AllTasks;
using author_test::Ask;
using author_test::Author;
using author_test::KernelPrompt;
using author_test::SourceIn;

// The first seed whose answer looks clean to the author itself.
std::string CleanAnswer(ChatModel& author, const std::string& prompt, uint64_t seed) {
  for (const uint64_t end = seed + 100; seed < end; ++seed) {
    const std::string source = SourceIn(Ask(author, prompt, seed, 1.0).content);
    if (!source.empty() && author::Inspect(source).design.mistakes.none()) return source;
  }
  return "";
}

void ExpectCompiles(const std::string& source, const std::string& name) {
  auto folder = ScratchDirectory::Make("author");
  ASSERT_TRUE(folder);
  const std::string file = folder->path() + "/kernel.cu";
  ASSERT_TRUE(WriteFileAtomic(file, source));
  ProcessSpec spec;
  spec.argv = {"nvcc",       "-shared",
               "-Xcompiler", "-fPIC",
               "-cudart",    "shared",
               "-gencode",   "arch=compute_80,code=compute_80",
               "-o",         folder->path() + "/kernel.so",
               file};
  spec.inherit_environment = true;
  auto exit = RunProcess(spec);
  ASSERT_TRUE(exit) << exit.error().ToString();
  EXPECT_TRUE(exit->ok()) << name << "\n" << source << exit->err;
}

TEST(AuthorCompile, CleanKernelsOfEveryOperationCompile) {
  if (FindProgram("nvcc").empty()) GTEST_SKIP() << "no nvcc";
  auto author = Author();
  for (const author_test::TaskText& task : AllTasks()) {
    const std::string source = CleanAnswer(*author, KernelPrompt(task), 11);
    ASSERT_FALSE(source.empty()) << task.name;
    ExpectCompiles(source, task.name);
  }
}

TEST(AuthorCompile, CleanKernelsInHalfPrecisionCompile) {
  if (FindProgram("nvcc").empty()) GTEST_SKIP() << "no nvcc";
  auto author = Author();
  for (const char* type : {"__half*", "__nv_bfloat16*"}) {
    std::string prompt =
        KernelPrompt(author_test::TaskNamed("softmax"), "Use vector loads of two.");
    for (size_t at = prompt.rfind("```cuda");
         (at = prompt.find("float*", at)) != std::string::npos;) {
      prompt.replace(at, 6, type);
      at += std::string(type).size();
    }
    const std::string source = CleanAnswer(*author, prompt, 3);
    ASSERT_FALSE(source.empty()) << type;
    ExpectCompiles(source, type);
  }
}

}  // namespace
}  // namespace kw
