// No opcode of the decoder without a test, and the page that says so is up to date.
#include "coverage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "kw/base/file.h"
#include "src/eval/emulator/decoder.h"

namespace kw::eval::conformance {
namespace {

TEST(Coverage, EveryOpcodeOfTheDecoderHasATest) {
  std::set<std::string> shown;
  for (const Table& table : Tables()) {
    for (const Row& row : table.rows) shown.insert(row.opcode.substr(0, row.opcode.find('.')));
  }
  for (const Elsewhere& entry : ShownElsewhere()) {
    EXPECT_TRUE(shown.emplace(entry.opcode).second) << entry.opcode << " is listed twice";
  }
  std::set<std::string> known;
  for (const std::string_view opcode : emu::Decoder::KnownOpcodes()) known.emplace(opcode);
  EXPECT_EQ(shown, known);
}

// scripts/emulator-coverage takes the page from what this prints.
TEST(Coverage, PageIsUpToDate) {
  const std::string fresh = testing::TempDir() + "emulator-coverage.md";
  const std::string page = CoveragePage();
  const auto committed = ReadFile(std::string(KW_SOURCE_DIR) + "/docs/design/emulator-coverage.md");
  if (committed.has_value() && *committed == page) return;
  ASSERT_TRUE(WriteFileAtomic(fresh, page).has_value());
  FAIL() << "run scripts/emulator-coverage; the fresh page is " << fresh;
}

}  // namespace
}  // namespace kw::eval::conformance
