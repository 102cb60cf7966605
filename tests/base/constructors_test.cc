#include "kw/base/constructors.h"

#include <dlfcn.h>
#include <elf.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <exception>

#include "kw/base/elf.h"
#include "kw/base/file.h"

namespace kw {
namespace {

std::string LibraryOf(void* function) {
  Dl_info info;
  EXPECT_NE(dladdr(function, &info), 0);
  return *ReadFile(info.dli_fname);
}

// An object with constructors of its own, and no indirect function, that is there wherever tests
// run.
std::string CxxLibrary() { return LibraryOf(reinterpret_cast<void*>(&std::set_terminate)); }

// One that chooses its functions by the processor.
std::string MathLibrary() {
  return LibraryOf(reinterpret_cast<void*>(static_cast<float (*)(float)>(&sinf)));
}

// Without its table of dynamic symbols, as section headers tell it.
std::string WithoutSymbols(std::string object) {
  const auto header = EntryAt<Elf64_Ehdr>(object, 0);
  for (uint64_t i = 0; i < header->e_shnum; ++i) {
    const uint64_t place = header->e_shoff + i * sizeof(Elf64_Shdr);
    auto section = *EntryAt<Elf64_Shdr>(object, place);
    if (section.sh_type == SHT_DYNSYM) section.sh_type = SHT_NULL;
    std::memcpy(object.data() + place, &section, sizeof section);
  }
  return object;
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

TEST(Constructors, IndirectFunctionsAreFoundByTheirSymbolsAndTheirRelocations) {
  EXPECT_FALSE(IndirectFunction(CxxLibrary()));
  const std::string math = MathLibrary();
  const auto named = IndirectFunction(math);
  ASSERT_TRUE(named);
  EXPECT_FALSE(named->empty());
  EXPECT_EQ(IndirectFunction(WithoutSymbols(math)), "");
  for (size_t keep = 0; keep < math.size(); keep += 4099) IndirectFunction(math.substr(0, keep));
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
