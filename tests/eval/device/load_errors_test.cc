#include "src/eval/device/load_errors.h"

#include <elf.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <cstring>
#include <string>
#include <utility>
#include <vector>

namespace kw::eval {
namespace {

TEST(LoadErrors, UnknownSymbolIsNamed) {
  LoadedMessage m = ExplainLoadError("/proc/self/fd/6: undefined symbol: _Z6helperv");
  EXPECT_NE(m.text.find("'_Z6helperv'"), std::string::npos);
  EXPECT_FALSE(m.unsupported);
}

TEST(LoadErrors, CudaSymbolsThatTheEmulatorLacksAreUnsupported) {
  for (const char* symbol : {"cudaGraphLaunch, version libcudart.so.13", "cuLaunchKernel",
                             "cublasSgemm_v2", "__cudaRegisterTexture"}) {
    EXPECT_TRUE(
        ExplainLoadError(std::string("/proc/self/fd/6: undefined symbol: ") + symbol).unsupported)
        << symbol;
  }
  EXPECT_FALSE(ExplainLoadError("/proc/self/fd/6: undefined symbol: customer").unsupported);
}

// An object with a table of dynamic symbols: a name and whether it is defined.
std::string ObjectWithSymbols(const std::vector<std::pair<std::string, bool>>& symbols) {
  std::vector<Elf64_Sym> table(1);
  std::string names(1, '\0');
  for (const auto& [name, defined] : symbols) {
    Elf64_Sym symbol{};
    symbol.st_name = static_cast<Elf64_Word>(names.size());
    symbol.st_shndx = defined ? 1 : SHN_UNDEF;
    table.push_back(symbol);
    names += name + '\0';
  }
  Elf64_Ehdr header{};
  Elf64_Shdr sections[3] = {};
  header.e_shoff = sizeof header;
  header.e_shnum = 3;
  sections[1].sh_type = SHT_DYNSYM;
  sections[1].sh_link = 2;
  sections[1].sh_offset = sizeof header + sizeof sections;
  sections[1].sh_size = table.size() * sizeof(Elf64_Sym);
  sections[2].sh_offset = sections[1].sh_offset + sections[1].sh_size;
  const auto bytes = [](const void* from, size_t count) {
    return std::string(static_cast<const char*>(from), count);
  };
  return bytes(&header, sizeof header) + bytes(sections, sizeof sections) +
         bytes(table.data(), sections[1].sh_size) + names;
}

TEST(LoadErrors, DefinitionsOfRuntimeFunctionsAreFound) {
  EXPECT_EQ(RedefinedFunction(ObjectWithSymbols({{"run", true}, {"cudaLaunchKernel", false}})), "");
  EXPECT_EQ(RedefinedFunction(ObjectWithSymbols({{"run", true}, {"cudaLaunchKernel", true}})),
            "cudaLaunchKernel");
  EXPECT_EQ(RedefinedFunction(ObjectWithSymbols({{"__cudaPushCallConfiguration", true}})),
            "__cudaPushCallConfiguration");
  EXPECT_EQ(
      RedefinedFunction(ObjectWithSymbols(
          {{"cuda", true}, {"cuda_helper", true}, {"_Z10cudaMallocIfE9cudaErrorPPT_m", true}})),
      "");
}

TEST(LoadErrors, ABrokenTableOfSymbolsIsNoHarm) {
  const std::string whole = ObjectWithSymbols({{"run", true}, {"cudaFree", true}});
  for (size_t bytes = 0; bytes < whole.size(); ++bytes) {
    RedefinedFunction(whole.substr(0, bytes));
  }
  for (size_t at = sizeof(Elf64_Ehdr); at < whole.size(); ++at) {
    std::string broken = whole;
    broken[at] = '\xff';
    RedefinedFunction(broken);
  }
}

TEST(LoadErrors, VersionIsCutOffTheSymbol) {
  LoadedMessage m = ExplainLoadError(
      "/proc/self/fd/6: undefined symbol: cudaGraphLaunch, version libcudart.so.13");
  EXPECT_EQ(m.text, "it calls cudaGraphLaunch, which the emulator does not have");
}

TEST(LoadErrors, MissingLibraries) {
  const std::string end = ": cannot open shared object file: No such file or directory";
  EXPECT_TRUE(ExplainLoadError("libcublas.so.13" + end).unsupported);
  EXPECT_FALSE(ExplainLoadError("libfoo.so.1" + end).unsupported);
  LoadedMessage old = ExplainLoadError("libcudart.so.12" + end);
  EXPECT_FALSE(old.unsupported);
  EXPECT_NE(old.text.find("libcudart.so.13"), std::string::npos);
}

TEST(LoadErrors, ObjectsOfOtherKindsAreTold) {
  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_machine = EM_X86_64;
  header.e_type = ET_DYN;
  auto object = [&] {
    return std::string(reinterpret_cast<const char*>(&header), sizeof header) + "libcudart.so.13";
  };
  EXPECT_TRUE(CheckObject(object()).ok);
  EXPECT_NE(CheckObject(object().substr(0, sizeof header)).text.find("-cudart shared"),
            std::string::npos);
  EXPECT_FALSE(CheckObject(object().substr(0, 20)).ok);
  header.e_type = ET_REL;
  EXPECT_NE(CheckObject(object()).text.find("no shared object"), std::string::npos);
  header.e_machine = EM_AARCH64;
  EXPECT_NE(CheckObject(object()).text.find("another machine"), std::string::npos);
}

TEST(LoadErrors, MissingRun) {
  EXPECT_NE(ExplainLoadError("no symbol run").text.find("`run`"), std::string::npos);
}

TEST(LoadErrors, AnythingElseIsPassedOnWithoutTheDescriptor) {
  EXPECT_EQ(ExplainLoadError("/proc/self/fd/6: file too short").text,
            "the object cannot be loaded: file too short");
  EXPECT_LT(ExplainLoadError(std::string(100'000, 'x')).text.size(), 1000u);
}

TEST(LoadErrors, SignalsHaveNames) {
  EXPECT_TRUE(SignalText(SIGSEGV).starts_with("SIGSEGV"));
  EXPECT_EQ(SignalText(63), "signal 63");
}

}  // namespace
}  // namespace kw::eval
