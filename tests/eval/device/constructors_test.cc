#include "src/eval/device/constructors.h"

#include <dlfcn.h>
#include <elf.h>
#include <gtest/gtest.h>

#include <cstring>

#include "kw/base/file.h"

namespace kw::eval {
namespace {

std::string RuntimeLibrary() {
  return *ReadFile(std::string(KW_BINARY_DIR) + "/lib/libcudart.so.13");
}

TEST(Constructors, AreTakenOutOfAnObject) {
  std::string object = RuntimeLibrary();
  const std::string before = object;
  const Constructors taken = TakeConstructors(&object);
  EXPECT_NE(taken.array, 0u);
  EXPECT_GE(taken.array_bytes, 8u);
  EXPECT_EQ(taken.array_bytes % 8, 0u);
  EXPECT_NE(object, before);
  EXPECT_EQ(object.size(), before.size());
  const Constructors again = TakeConstructors(&object);
  EXPECT_EQ(again.array_bytes, 0u);
  EXPECT_EQ(again.init, 0u);
}

TEST(Constructors, BrokenObjectsAreLeftAsTheyAre) {
  const std::string whole = RuntimeLibrary();
  for (size_t keep = 0; keep < whole.size(); keep += 61) {
    std::string cut = whole.substr(0, keep);
    TakeConstructors(&cut);
    EXPECT_EQ(cut.size(), keep);
  }
  // Every byte of the headers, wrong.
  for (size_t at = 0; at < 1024; ++at) {
    for (const char wrong : {'\0', '\x7f', '\xff'}) {
      std::string object = whole;
      object[at] = wrong;
      TakeConstructors(&object);
      EXPECT_EQ(object.size(), whole.size());
    }
  }
}

}  // namespace
}  // namespace kw::eval
