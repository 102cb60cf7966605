#include "src/eval/device/messages.h"

#include <gtest/gtest.h>

#include "kw/base/random.h"

namespace kw::eval {
namespace {

CallOutcome SomeOutcome() {
  CallOutcome outcome;
  outcome.status = CallOutcome::Status::kDeviceFault;
  outcome.message = "cudaErrorIllegalAddress: k";
  outcome.output_written = {true, false, true};
  Hazard hazard;
  hazard.kind = "out_of_bounds";
  hazard.kernel = "k(float*)";
  hazard.file = "k.cu";
  hazard.line = 12;
  hazard.block = {1, 2, 3};
  hazard.thread = {4, 5, 6};
  hazard.address = 0x700000001000;
  hazard.text = "past the end of y";
  outcome.hazards = {hazard, hazard};
  LaunchRecord launch{"_Z1kPf", {7, 1, 1}, {128, 2, 1}, 99, {}};
  launch.counters.lane_instructions = 5;
  launch.counters.divergent_branches = 6;
  outcome.launches = {launch};
  outcome.host_to_device_bytes = 8;
  outcome.device_moves = 2;
  outcome.device_moved_bytes = 24;
  outcome.kept_allocations = 3;
  outcome.kept_bytes = 768;
  outcome.device_to_host_bytes = 9;
  outcome.result_from_host = true;
  outcome.printed = std::string("a\0b", 3);
  outcome.program.exit_code = 3;
  outcome.program.left_undone = 4;
  outcome.program.failures = {
      {"cudaMemcpy", "cudaErrorInvalidValue", "too long", 0x1234, false, true, true}};
  outcome.program.allocations = {{"cudaMalloc 1", 256, 0x99, true}, {"cudaMalloc 2", 8, 0, false}};
  return outcome;
}

TEST(Messages, OutcomeSurvivesTheWay) {
  const CallOutcome outcome = SomeOutcome();
  auto back = DecodeOutcome(EncodeOutcome(outcome));
  ASSERT_TRUE(back);
  EXPECT_EQ(EncodeOutcome(*back), EncodeOutcome(outcome));
  EXPECT_EQ(back->status, outcome.status);
  EXPECT_EQ(back->hazards[1].thread.z, 6u);
  EXPECT_EQ(back->launches[0].counters.divergent_branches, 6u);
  EXPECT_EQ(back->output_written, outcome.output_written);
  EXPECT_EQ(back->printed, outcome.printed);
  EXPECT_EQ(back->kept_bytes, 768u);
  EXPECT_EQ(back->program.exit_code, 3);
  EXPECT_EQ(back->program.failures[0].site, 0x1234u);
  EXPECT_FALSE(back->program.allocations[1].freed);
}

TEST(Messages, ConstructorsSurviveTheWay) {
  const Constructors constructors{0x1000, 0x3d28, 24};
  const std::string bytes = Encode(constructors);
  auto back = DecodeConstructors(bytes);
  ASSERT_TRUE(back);
  EXPECT_EQ(Encode(*back), bytes);
  EXPECT_EQ(back->array_bytes, 24u);
  EXPECT_FALSE(DecodeConstructors(bytes.substr(1)));
  EXPECT_FALSE(DecodeConstructors(bytes + "x"));
}

TEST(Messages, SheetSurvivesTheWay) {
  OpenMessage open;
  open.sheet.name = "a100_sxm4";
  open.sheet.hash = "h";
  open.sheet.sm = 90;
  open.sheet.dram_gbps = 1555.5;
  open.sheet.memory_bytes = 80LL << 30;
  open.seed = 3;
  open.program = true;
  open.registers = {{"_Z1kPf", 40}, {"_Z1hPf", 255}};
  auto back = DecodeOpen(Encode(open));
  ASSERT_TRUE(back);
  EXPECT_EQ(Encode(*back), Encode(open));
  EXPECT_EQ(back->sheet.dram_gbps, 1555.5);
  EXPECT_EQ(back->sheet.hash, "h");
  EXPECT_TRUE(back->program);
  EXPECT_EQ(back->registers, open.registers);
}

TEST(Messages, EveryTruncationIsRefused) {
  const std::string bytes = EncodeOutcome(SomeOutcome());
  for (size_t keep = 0; keep < bytes.size(); ++keep) {
    EXPECT_FALSE(DecodeOutcome(std::string_view(bytes).substr(0, keep))) << keep;
  }
  EXPECT_FALSE(DecodeOutcome(bytes + "x"));
}

TEST(Messages, BuffersOutsideTheExchangeAreRefused) {
  BeginMessage begin;
  begin.exchange_bytes = 100;
  begin.buffers = {{"x", false, 64, 36}};
  EXPECT_TRUE(DecodeBegin(Encode(begin)));
  begin.buffers[0].bytes = 37;
  EXPECT_FALSE(DecodeBegin(Encode(begin)));
  begin.buffers[0].offset = ~0ull;
  EXPECT_FALSE(DecodeBegin(Encode(begin)));
}

TEST(Messages, RandomBytesCostNothingAndAreRefused) {
  Random random(1);
  for (int round = 0; round < 2000; ++round) {
    std::string bytes(random.Below(200), '\0');
    for (char& byte : bytes) byte = static_cast<char>(random.Next32());
    DecodeOutcome(bytes);
    DecodeBegan(bytes);
    DecodeGuestCall(bytes);
    EXPECT_FALSE(DecodeOpen(bytes));
  }
}

}  // namespace
}  // namespace kw::eval
