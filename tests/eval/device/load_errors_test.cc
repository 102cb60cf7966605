#include "src/eval/device/load_errors.h"

#include <gtest/gtest.h>
#include <signal.h>

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
