#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "src/eval/emulator/ptx.h"

namespace kw::eval::ptx {
namespace {

using testing::HasSubstr;

constexpr std::string_view kHead = ".version 9.0\n.target sm_80\n.address_size 64\n";

std::string Entry(std::string_view body) {
  return std::string(kHead) + ".visible .entry k(.param .u64 p)\n{\n" + std::string(body) +
         "\nret;\n}\n";
}

TEST(Parser, ReadsRegistersGuardsAndOperands) {
  const auto module =
      Parse(Entry(".reg .pred %p<3>; .reg .b32 %r<10>; .reg .f32 %f1, %f2; .reg .b64 %rd<4>;\n"
                  "L1: @!%p1 ld.global.v2.f32 {%f1, %f2}, [%rd1+-8];\n"
                  "setp.lt.and.s32 %p1|%p2, %r1, -5, !%p0;\n"
                  "mov.f32 %f1, 0f3F800000; mov.u32 %r2, 0X1FU; add.f32 %f2, %f1, 1.5; bra L1;"));
  ASSERT_TRUE(module.has_value()) << module.error().ToString();
  const Function& f = (*module)->functions.at(0);
  ASSERT_EQ(f.instructions.size(), 7u);
  const Instruction& load = f.instructions[0];
  EXPECT_TRUE(load.guard_negated);
  EXPECT_EQ(f.registers[static_cast<size_t>(load.guard)].name, "%p1");
  EXPECT_THAT(load.parts, testing::ElementsAre("ld", "global", "v2", "f32"));
  EXPECT_EQ(load.operands[1].value, -8);
  EXPECT_EQ(f.instructions[1].operands[0].pair.size(), 1u);
  EXPECT_EQ(f.instructions[1].operands[2].value, -5);
  EXPECT_TRUE(f.instructions[1].operands[3].negated);
  EXPECT_TRUE(f.instructions[2].operands[1].single);
  EXPECT_EQ(f.instructions[3].operands[1].value, 31);
  ASSERT_EQ(f.labels.size(), 1u);
  EXPECT_EQ(f.labels[0].instruction, 0);
}

TEST(Parser, InnerBlocksRedeclareRegisters) {
  const auto module = Parse(Entry(
      ".reg .b32 t; mov.u32 t, 1;\n{ .reg .b16 t; mov.u16 t, 2; { .reg .b64 t; mov.u64 t, 3; } }\n"
      "mov.u32 t, 4;"));
  ASSERT_TRUE(module.has_value()) << module.error().ToString();
  const Function& f = (*module)->functions.at(0);
  const auto type = [&](size_t i) {
    return f.registers[static_cast<size_t>(f.instructions[i].operands[0].reg)].type;
  };
  EXPECT_EQ(type(0), Type::kB32);
  EXPECT_EQ(type(1), Type::kB16);
  EXPECT_EQ(type(2), Type::kB64);
  EXPECT_EQ(type(3), Type::kB32);
}

TEST(Parser, RegisterNamesThatOnlyLookAlikeAreOthers) {
  // %r07 is no member of %r<10>, and %r10 is beyond it.
  for (const std::string_view name : {"%r07", "%r10", "%q1"}) {
    const auto module = Parse(Entry(".reg .b32 %r<10>; mov.u32 %r1, " + std::string(name) + ";"));
    ASSERT_TRUE(module.has_value());
    EXPECT_EQ((*module)->functions[0].instructions[0].operands[1].kind, Operand::Kind::kSpecial);
  }
}

TEST(Parser, VariablesAndTheirInitialValues) {
  const auto module = Parse(std::string(kHead) +
                            ".const .align 4 .b8 c[8] = {0, 0, 128, 63, 1};\n"
                            ".global .align 8 .u64 pointer[2] = {generic(c)+4, 7};\n"
                            ".global .f32 x = 0f40000000;\n.global .f32 y = 1.5;\n"
                            ".extern .shared .align 16 .b8 dynamic[];\n");
  ASSERT_TRUE(module.has_value()) << module.error().ToString();
  const auto& v = (*module)->variables;
  ASSERT_EQ(v.size(), 5u);
  EXPECT_EQ(v[0].bytes, 8u);
  EXPECT_EQ(v[0].image, std::string("\0\0\200\77\1", 5));
  ASSERT_EQ(v[1].references.size(), 1u);
  EXPECT_EQ(v[1].references[0].symbol, "c");
  EXPECT_EQ(v[1].references[0].addend, 4);
  EXPECT_EQ(v[1].image.substr(8), std::string("\7\0\0\0\0\0\0\0", 8));
  EXPECT_EQ(v[2].image, std::string("\0\0\0\100", 4));
  EXPECT_EQ(v[3].image, std::string("\0\0\300\77", 4));
  EXPECT_TRUE(v[4].is_extern);
}

TEST(Parser, LinesOfInlinedHeadersAreThoseOfTheCall) {
  const auto module = Parse(
      Entry(".reg .b32 %r<4>;\n.loc 1 12 5\nmov.u32 %r1, 1;\n"
            ".loc 2 900 3, function_name $L__info_string0, inlined_at 1 14 9\nmov.u32 %r2, 2;"));
  ASSERT_TRUE(module.has_value());
  EXPECT_EQ((*module)->functions[0].instructions[0].source.line, 12);
  EXPECT_EQ((*module)->functions[0].instructions[1].source.line, 14);
  EXPECT_EQ((*module)->functions[0].instructions[1].source.file, 1);
}

TEST(Parser, LinesOfHeadersInsideHeadersAreThoseOfTheOutermostCall) {
  const auto module = Parse(
      Entry(".reg .b32 %r<4>;\n.loc 1 12 5\nmov.u32 %r1, 1;\n"
            ".loc 2 900 3, function_name $L__info_string0, inlined_at 1 14 9\n"
            ".loc 3 80 3, function_name $L__info_string1, inlined_at 2 900 3\nmov.u32 %r2, 2;"));
  ASSERT_TRUE(module.has_value());
  EXPECT_EQ((*module)->functions[0].instructions[1].source.line, 14);
  EXPECT_EQ((*module)->functions[0].instructions[1].source.file, 1);
}

TEST(Parser, CallsSpanLinesAndDebugSectionsAreSkipped) {
  const auto module =
      Parse(std::string(kHead) +
            ".extern .func (.param .b32 r) f(.param .b64 a, .param .b32 b);\n"
            ".entry k() {\n.param .b64 p0; .param .b32 p1; .param .b32 r0;\n"
            "call.uni (r0),\nf,\n(\np0,\np1\n);\nret;\n}\n"
            "\t.section\t.debug_str\n\t{\n$L__info_string0:\n.b8 95,90\n.b8 0\n\t}\n");
  ASSERT_TRUE(module.has_value()) << module.error().ToString();
  ASSERT_EQ((*module)->functions.size(), 2u);
  EXPECT_EQ((*module)->functions[1].instructions[0].operands.size(), 3u);
}

TEST(Parser, ErrorsNameTheLine) {
  const auto error = [](std::string_view text) {
    const auto module = Parse(text);
    return module ? std::string("none") : module.error().ToString();
  };
  EXPECT_THAT(error(""), HasSubstr(".target"));
  EXPECT_THAT(error("hello"), HasSubstr("PTX line 1"));
  EXPECT_THAT(error(Entry(".reg .b32 %r<4>;\nadd.s32 %r1, %r2")), HasSubstr("PTX line 8"));
  EXPECT_THAT(error(Entry(".reg .what %r<4>;")), HasSubstr("register type"));
  EXPECT_THAT(error(Entry(".reg .b32 %r<99999999>;")), HasSubstr("too many registers"));
  EXPECT_THAT(error(Entry("mov.u32 %r1, [[[[[[[[[[[[%r2]]]]]]]]]]]];")),
              HasSubstr("nest too deep"));
  EXPECT_THAT(error(Entry(std::string(200, '{'))), HasSubstr("nest too deep"));
  EXPECT_THAT(error(std::string(kHead) + ".global .b8 x[99999999999];"), HasSubstr("too large"));
  EXPECT_THAT(error(std::string(kHead) + ".global .b8 x[2] = {1, 2, 3};"),
              HasSubstr("more initial"));
  EXPECT_THAT(error(std::string(kHead) + ".entry k() { ret; } .entry k() { ret; }"),
              HasSubstr("twice"));
  EXPECT_THAT(error(std::string(kHead) + ".entry k() { ret;"), HasSubstr("PTX line"));
  EXPECT_THAT(error(".version 9.0 .target sm_80 .address_size 32"), HasSubstr("32-bit"));
}

}  // namespace
}  // namespace kw::eval::ptx
