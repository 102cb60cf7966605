#include "kw/base/constructors.h"

#include <dlfcn.h>
#include <elf.h>
#include <gtest/gtest.h>

#include <exception>

#include "kw/base/file.h"

namespace kw {
namespace {

// An object with constructors of its own that is there wherever tests run.
std::string CxxLibrary() {
  Dl_info info;
  EXPECT_NE(dladdr(reinterpret_cast<void*>(&std::set_terminate), &info), 0);
  return *ReadFile(info.dli_fname);
}

TEST(Constructors, AreTakenOutOfAnObject) {
  std::string object = CxxLibrary();
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
  const std::string whole = CxxLibrary();
  for (size_t keep = 0; keep < whole.size(); keep += 4099) {
    std::string cut = whole.substr(0, keep);
    TakeConstructors(&cut);
    EXPECT_EQ(cut.size(), keep);
  }
  // Every byte of the headers, wrong.
  for (size_t at = 0; at < 768; ++at) {
    std::string object = whole;
    object[at] = static_cast<char>(~object[at]);
    TakeConstructors(&object);
    EXPECT_EQ(object.size(), whole.size());
  }
}

}  // namespace
}  // namespace kw
