#include "src/agent/prompts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/fakes.h"

namespace kw {
namespace {

using test::Must;
using ::testing::HasSubstr;

class PromptsTest : public ::testing::Test {
 protected:
  void Write(const std::string& name, const std::string& text) {
    Must(WriteFileAtomic(scratch_.path() + "/" + name + ".mustache", text));
  }
  PromptSet Load() { return Must(PromptSet::Load(scratch_.path())); }

  ScratchDirectory scratch_ = Must(ScratchDirectory::Make("prompts_test"));
};

TEST_F(PromptsTest, ValuesAreNotEscapedAndNotTemplates) {
  Write("a", "{{x}} and {{{x}}}\n");
  auto text = Load().Render("a", PromptValues().Text("x", "a<b> & {{y}} {{#z}} {{{"));
  ASSERT_TRUE(text) << text.error().ToString();
  EXPECT_EQ(*text, "a<b> & {{y}} {{#z}} {{{ and a<b> & {{y}} {{#z}} {{{\n");
}

TEST_F(PromptsTest, MissingValueIsAnErrorThatNamesIt) {
  Write("a", "Hello {{{name}}}\n");
  Write("b", "{{#list}}{{{inner}}}{{/list}}\n");
  auto plain = Load().Render("a", PromptValues());
  ASSERT_FALSE(plain);
  EXPECT_THAT(plain.error().message, HasSubstr("'name'"));
  auto inner = Load().Render("b", PromptValues().List("list", {PromptValues()}));
  ASSERT_FALSE(inner);
  EXPECT_THAT(inner.error().message, HasSubstr("'inner'"));
  EXPECT_FALSE(Load().Render("b", PromptValues()));
}

TEST_F(PromptsTest, TextsAndListsTellWhetherTheyAreEmpty) {
  Write("a", "{{#has_x}}[{{{x}}}]{{/has_x}}{{^has_l}}none{{/has_l}}\n");
  EXPECT_EQ(*Load().Render("a", PromptValues().Text("x", "").List("l", {})), "none\n");
  EXPECT_EQ(*Load().Render("a", PromptValues().Text("x", "v").List("l", {PromptValues()})),
            "[v]\n");
}

TEST_F(PromptsTest, PartialsSeeTheSameValues) {
  Write("outer", "one\n{{> inner}}\nthree\n");
  Write("inner", "{{{two}}}\n");
  EXPECT_EQ(*Load().Render("outer", PromptValues().Text("two", "2")), "one\n2\nthree\n");
  Write("bad", "{{> nowhere}}\n");
  auto text = Load().Render("bad", PromptValues());
  ASSERT_FALSE(text);
  EXPECT_THAT(text.error().message, HasSubstr("nowhere"));
}

TEST_F(PromptsTest, PartialThatIncludesItselfIsAnError) {
  Write("a", "x {{> a}}\n");
  EXPECT_FALSE(Load().Render("a", PromptValues()));
}

TEST_F(PromptsTest, SectionsThatAreLeftOutLeaveNoGapBehind) {
  Write("a", "one\n\n{{#has_x}}\nx\n\n{{/has_x}}\ntwo\n");
  EXPECT_EQ(*Load().Render("a", PromptValues().Text("x", "")), "one\n\ntwo\n");
}

TEST_F(PromptsTest, EmptyLinesOfAValueStay) {
  Write("a", "{{{x}}}\nend\n");
  EXPECT_EQ(*Load().Render("a", PromptValues().Text("x", "1\n\n\n\n2")), "1\n\n\n\n2\nend\n");
}

TEST_F(PromptsTest, BrokenTemplateIsRefusedWithItsName) {
  Write("broken", "{{#open}} never closed\n");
  auto set = PromptSet::Load(scratch_.path());
  ASSERT_FALSE(set);
  EXPECT_THAT(set.error().message, HasSubstr("broken.mustache"));
}

TEST_F(PromptsTest, UnknownPromptNamesTheNearest) {
  Write("generate", "x\n");
  auto text = Load().Render("generat", PromptValues());
  ASSERT_FALSE(text);
  EXPECT_THAT(text.error().message, HasSubstr("generate"));
}

TEST_F(PromptsTest, HashTellsEveryChange) {
  Write("a", "one\n");
  std::string before = Load().hash();
  Write("a", "two\n");
  EXPECT_NE(Load().hash(), before);
  Write("a", "one\n");
  EXPECT_EQ(Load().hash(), before);
  Write("b", "one\n");
  EXPECT_NE(Load().hash(), before);
}

}  // namespace
}  // namespace kw
