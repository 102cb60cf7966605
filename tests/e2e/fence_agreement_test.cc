// The client that stops a stream when a fence has closed, and the extraction that takes the
// candidate from the answer, see the same fences.
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "kw/base.h"
#include "src/eval/extract/fence.h"
#include "src/llm/fence_watch.h"

namespace kw {
namespace {

void ExpectAgreement(std::string_view text, Random& random) {
  const std::vector<eval::Fence> fences = eval::FindFences(text);
  int64_t closed = 0;
  for (const eval::Fence& fence : fences) closed += fence.closed;
  const bool open = !fences.empty() && !fences.back().closed;

  llm::FenceWatch watch;
  for (std::string_view left = text; !left.empty();) {
    const size_t size = std::min<size_t>(1 + random.Below(20), left.size());
    watch.Feed(left.substr(0, size));
    left.remove_prefix(size);
  }
  watch.Finish();
  ASSERT_EQ(watch.closed_count(), closed) << text;
  ASSERT_EQ(watch.open(), open) << text;
}

TEST(FenceAgreement, OverTextsMadeOfFenceParts) {
  const std::vector<std::string> parts = {"```",
                                          "``",
                                          "`",
                                          "~~~",
                                          "~~",
                                          "````",
                                          "~~~~",
                                          "\n",
                                          "\n",
                                          "\n\n",
                                          "\n",
                                          " ",
                                          "  ",
                                          "\t",
                                          "\r",
                                          "\v",
                                          "cuda",
                                          "c++",
                                          "{",
                                          ",",
                                          "text",
                                          "//",
                                          "/*",
                                          "/",
                                          "*",
                                          "}",
                                          "x y",
                                          "\xE2\x80\xA6",
                                          "cuda title=a",
                                          std::string(40, 'w'),
                                          std::string(41, 'w'),
                                          "file.cu:3",
                                          "#include",
                                          std::string("\0", 1)};
  Random random(5);
  for (int i = 0; i < 40'000; ++i) {
    std::string text;
    for (uint64_t left = 1 + random.Below(24); left > 0; --left) {
      text += parts[random.Below(parts.size())];
    }
    ExpectAgreement(text, random);
    if (HasFatalFailure()) return;
  }
}

TEST(FenceAgreement, OverEveryHeadOfTheTextsOfThisRepository) {
  Random random(6);
  int texts = 0;
  for (const std::string folder : {"docs", "prompts", "tests/fuzz/corpus/extract", "data/tasks"}) {
    const std::string root = std::string(KW_SOURCE_DIR) + "/" + folder;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
      if (!entry.is_regular_file()) continue;
      std::string text = *ReadFile(entry.path().string());
      if (entry.path().extension() == ".cu") text = "So:\n```cuda\n" + text + "```\nDone.";
      ExpectAgreement(text, random);
      for (int i = 0; i < 20; ++i) {
        ExpectAgreement(std::string_view(text).substr(0, random.Below(text.size() + 1)), random);
      }
      if (HasFatalFailure()) return;
      ++texts;
    }
  }
  EXPECT_GT(texts, 100);
}

}  // namespace
}  // namespace kw
