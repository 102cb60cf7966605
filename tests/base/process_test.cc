#include "kw/base/process.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <fstream>
#include <string>

namespace kw {
namespace {

ProcessSpec Shell(const std::string& script) { return {.argv = {"sh", "-c", script}}; }

// There, and no zombie that its new parent has yet to reap.
bool Runs(int pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string stat;
  std::getline(file, stat);
  return !stat.empty() && stat.find(") Z ") == stat.npos;
}

TEST(RunProcess, GivesExitCodeAndBothOutputs) {
  ProcessSpec spec = Shell("cat; echo err >&2; exit 3");
  spec.input = "hello";
  const ProcessExit exit = *RunProcess(spec);
  EXPECT_EQ(exit.code, 3);
  EXPECT_EQ(exit.out, "hello");
  EXPECT_EQ(exit.err, "err\n");
}

TEST(RunProcess, TakesInputLargerThanAPipe) {
  ProcessSpec spec = Shell("wc -c");
  spec.input = std::string(1 << 20, 'x');
  EXPECT_EQ(RunProcess(spec)->out, "1048576\n");
}

TEST(RunProcess, SaysWhichProgramIsMissing) {
  const auto missing = RunProcess({.argv = {"no-such-program-here"}});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
  EXPECT_NE(missing.error().message.find("no-such-program-here"), std::string::npos);
}

TEST(RunProcess, InheritsNoEnvironmentUnlessAsked) {
  setenv("KW_TEST_SECRET", "key", 1);
  ProcessSpec spec = Shell("echo [$KW_TEST_SECRET][$OWN]");
  spec.environment = {"OWN=1"};
  EXPECT_EQ(RunProcess(spec)->out, "[][1]\n");
  spec.inherit_environment = true;
  EXPECT_EQ(RunProcess(spec)->out, "[key][1]\n");
}

TEST(RunProcess, InheritsNoDescriptors) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const ProcessExit exit = *RunProcess(Shell("ls /proc/self/fd | wc -l"));
  EXPECT_EQ(exit.out, "4\n");  // 0, 1, 2 and the folder itself
  close(ends[0]);
  close(ends[1]);
}

TEST(RunProcess, PassesADescriptorToItsPlace) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  ProcessSpec spec = Shell("echo there >&5");
  spec.descriptors = {{ends[1], 5}};
  EXPECT_EQ(RunProcess(spec)->code, 0);
  char text[6] = {};
  EXPECT_EQ(read(ends[0], text, 6), 6);
  EXPECT_EQ(std::string(text, 6), "there\n");
  close(ends[0]);
  close(ends[1]);
}

TEST(RunProcess, KillsTheWholeGroupAtTheWallLimit) {
  ProcessSpec spec = Shell("sleep 100 & echo $!; sleep 100");
  spec.limits.wall_ms = 100;
  const ProcessExit exit = *RunProcess(spec);
  EXPECT_TRUE(exit.timed_out);
  const int grandchild = std::stoi(exit.out);
  for (int i = 0; i < 10'000 && Runs(grandchild); ++i) usleep(1000);
  EXPECT_FALSE(Runs(grandchild));
}

TEST(RunProcess, IsTheFirstToGoWhereItIsExpendable) {
  ProcessSpec spec = Shell("cat /proc/self/oom_score_adj");
  spec.expendable = true;
  const auto exit = RunProcess(spec);
  ASSERT_TRUE(exit);
  EXPECT_EQ(exit->out, "1000\n");
}

TEST(RunProcess, EndsAtTheCpuLimit) {
  ProcessSpec spec = Shell("while :; do :; done");
  spec.limits.cpu_seconds = 1;
  const ProcessExit exit = *RunProcess(spec);
  EXPECT_NE(exit.signal, 0);
  EXPECT_GE(exit.cpu_us, 500'000);  // the kernel counts for the limit in ticks, on a busy machine
                                    // far from exactly
}

TEST(RunProcess, KeepsOnlySoMuchOutput) {
  ProcessSpec spec = Shell("head -c 100000 /dev/zero");
  spec.limits.output_bytes = 1000;
  EXPECT_EQ(RunProcess(spec)->out.size(), 1000u);
}

TEST(Child, TalksInLinesAndDiesWithItsHandle) {
  int pid = 0;
  {
    Child child = *Child::Start(Shell("while read line; do echo got $line; done; sleep 100"));
    pid = child.pid();
    LineReader lines(child.out());
    ASSERT_TRUE(WriteAll(child.in(), "a\nb\n"));
    EXPECT_EQ(**lines.Next(5000), "got a");
    EXPECT_EQ(**lines.Next(5000), "got b");
    EXPECT_EQ(lines.Next(1).error().code, ErrorCode::kTimeout);
    EXPECT_FALSE(child.Wait(0));
  }
  EXPECT_NE(kill(pid, 0), 0);
}

TEST(LineReader, RefusesAnEndlessLineAndSeesTheEnd) {
  Child flood = *Child::Start(Shell("head -c 100000 /dev/zero"));
  LineReader short_lines(flood.out(), 1000);
  EXPECT_EQ(short_lines.Next(5000).error().code, ErrorCode::kLimit);
  Child quiet = *Child::Start(Shell("exit 0"));
  LineReader lines(quiet.out());
  EXPECT_FALSE(lines.Next(5000)->has_value());
}

}  // namespace
}  // namespace kw
