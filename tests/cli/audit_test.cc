// kwright audit and --oracle allclose: as a user meets them, on kernels of data/corpus and bad
// input.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>

#include "kw/base.h"
#include "kw/base/json.h"
#include "run_kwright.h"

namespace kw {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

const std::string kCorpus = std::string(KW_SOURCE_DIR) + "/data/corpus";

class Audit : public testing::Test {
 protected:
  void Put(const std::string& path, const std::string& text) {
    const std::string whole = scratch_.path() + "/" + path;
    ASSERT_TRUE(MakeDirectories(std::filesystem::path(whole).parent_path()));
    ASSERT_TRUE(WriteFileAtomic(whole, text));
  }
  void PutFromCorpus(const std::string& name, const std::string& path) {
    Put(path, *ReadFile(kCorpus + "/" + name));
  }
  // What is said of an experiment whose [audit] table is this.
  std::string TableError(const std::string& table) {
    Put("bad.toml", "[audit]\n" + table);
    const ProcessExit exit = Kwright({"audit", scratch_.path() + "/bad.toml"});
    EXPECT_EQ(exit.code, 2) << exit.out;
    return exit.err;
  }

  const ScratchDirectory scratch_ = *ScratchDirectory::Make("audit-test");
};

std::string WithoutItsFirstLine(const std::string& text) {
  return text.substr(text.find('\n') + 1);
}

TEST_F(Audit, AllclosePassesAFaultThatTheFullOracleFinds) {
  const std::string kernel = kCorpus + "/row_max_from_zero.cu";
  const ProcessExit close = Kwright({"eval", kernel, "--task", "row_max", "--oracle", "allclose"});
  EXPECT_EQ(close.code, 0) << close.out << close.err;
  EXPECT_THAT(close.out, StartsWith("PASSED  5 trials of allclose\n"));
  // Not the verdict that was just kept.
  const ProcessExit full = Kwright({"eval", kernel, "--task", "row_max", "--effort", "quick"});
  EXPECT_EQ(full.code, 1) << full.out << full.err;
  EXPECT_THAT(full.out, StartsWith("INCORRECT_NUMERICAL  numerical at oracle\n"));
}

TEST_F(Audit, AnUnknownOracleIsAnErrorThatNamesBoth) {
  const ProcessExit exit =
      Kwright({"eval", kCorpus + "/rmsnorm_warp.cu", "--task", "rmsnorm", "--oracle", "alclose"});
  EXPECT_EQ(exit.code, 2);
  EXPECT_THAT(exit.err, HasSubstr("unknown oracle 'alclose' (known: full, allclose)"));
}

TEST_F(Audit, AFolderIsToldWhichKernelsHold) {
  PutFromCorpus("row_max_from_zero.cu", "kernels/by_line.cu");
  Put("kernels/rmsnorm/by_folder.cu", WithoutItsFirstLine(*ReadFile(kCorpus + "/rmsnorm_warp.cu")));
  const std::vector<std::string> command = {"audit", scratch_.path() + "/kernels", "--effort",
                                            "quick"};
  const ProcessExit exit = Kwright(command);
  EXPECT_EQ(exit.code, 1) << exit.err;
  EXPECT_THAT(exit.out, AllOf(HasSubstr("2 kernels certified, 1 holds, 1 does not\n"),
                              HasSubstr("\nby_line.cu (row_max, a100_sxm4): INCORRECT_NUMERICAL "),
                              HasSubstr("\n  Wrong result in case "), HasSubstr("kwright replay "),
                              Not(HasSubstr("by_folder"))));

  std::vector<std::string> as_json = command;
  as_json.push_back("--json");
  const Json json = ParseJson(Kwright(as_json).out, "audit").value();
  EXPECT_EQ(json.at("certified"), 2);
  EXPECT_EQ(json.at("hold"), 1);
  EXPECT_EQ(json.at("do_not_hold"), 1);
  EXPECT_EQ(json.at("kernels").at(0).at("outcome"), "does_not_hold");
  EXPECT_EQ(json.at("kernels").at(0).at("verdict").at("status"), "INCORRECT_NUMERICAL");
  EXPECT_EQ(json.at("kernels").at(1).at("task"), "rmsnorm");
}

TEST_F(Audit, AFileWithoutATaskIsNamedAndTheOthersAreJudged) {
  PutFromCorpus("rmsnorm_warp.cu", "kernels/good.cu");
  Put("kernels/mystery.cu", "__global__ void k() {}\n");
  Put("kernels/wrong.cu", "// task: rmsnrm\n__global__ void k() {}\n");
  const ProcessExit exit = Kwright({"audit", scratch_.path() + "/kernels", "--effort", "quick"});
  EXPECT_EQ(exit.code, 2);
  EXPECT_THAT(exit.out, HasSubstr("1 kernel certified, 1 holds, 0 do not, 2 left out"));
  EXPECT_THAT(exit.err, AllOf(HasSubstr("kernels/mystery.cu names no task: write '// task: NAME'"),
                              HasSubstr("kernels/wrong.cu"), HasSubstr("did you mean 'rmsnorm'?")));
}

TEST_F(Audit, WhatIsNeitherRunNorFolderNorExperimentIsAnError) {
  const ProcessExit missing = Kwright({"audit", scratch_.path() + "/nowhere"});
  EXPECT_EQ(missing.code, 2);
  EXPECT_THAT(missing.err, HasSubstr("/nowhere is no run"));
  ASSERT_TRUE(MakeDirectories(scratch_.path() + "/empty"));
  const ProcessExit empty = Kwright({"audit", scratch_.path() + "/empty"});
  EXPECT_EQ(empty.code, 2);
  EXPECT_THAT(empty.err, HasSubstr("/empty holds no .cu file"));
  Put("kernels/a.cu", "__global__ void k() {}\n");
  const ProcessExit file = Kwright({"audit", scratch_.path() + "/kernels/a.cu"});
  EXPECT_EQ(file.code, 2);
  EXPECT_THAT(file.err, HasSubstr("a.cu is a file and no experiment (.toml)"));
  const ProcessExit unknown = Kwright({"audit", scratch_.path() + "/kernels", "--task", "sofmax"});
  EXPECT_EQ(unknown.code, 2);
  EXPECT_THAT(unknown.err, AllOf(HasSubstr("a.cu"), HasSubstr("did you mean 'softmax'?")));
}

TEST_F(Audit, ABadTableIsAnErrorWithFileAndKey) {
  const std::string folder = "folder = \"" + kCorpus + "\"\n";
  EXPECT_THAT(TableError("fodler = \"x\"\n"), AllOf(HasSubstr("bad.toml"), HasSubstr("folder")));
  EXPECT_THAT(TableError(folder + "sed = 1\n"),
              AllOf(HasSubstr("bad.toml: audit"), HasSubstr("unknown key 'sed'")));
  EXPECT_THAT(TableError(folder + "oracles = [\"full\", \"alclose\"]\n"),
              HasSubstr("bad.toml: audit.oracles: unknown oracle 'alclose'"));
  EXPECT_THAT(TableError(folder + "oracles = [\"allclose\"]\n"),
              HasSubstr("bad.toml: audit.oracles must hold \"full\""));
  EXPECT_THAT(TableError(folder + "effort = \"fast\"\n"),
              HasSubstr("bad.toml: audit.effort: unknown effort 'fast'"));
  EXPECT_THAT(TableError(folder + "workers = 65\n"), HasSubstr("audit.workers = 65"));
  EXPECT_THAT(TableError(folder + "seed = -1\n"), HasSubstr("audit.seed = -1"));
  EXPECT_THAT(TableError(folder + "devices = [\"a100\"]\n"),
              HasSubstr("bad.toml: audit.devices: unknown device 'a100'"));
  EXPECT_THAT(TableError(folder + "devices = [\"t4\", \"t4\"]\n"),
              HasSubstr("audit.devices holds t4 twice"));
  EXPECT_THAT(TableError(folder + "[run]\nseed = 1\n"), HasSubstr("unknown key 'run'"));
  EXPECT_THAT(TableError("folder = \"" + scratch_.path() + "/nowhere\"\n"),
              HasSubstr("/nowhere is no folder"));
  Put("half/a.cu", "// task: relu\n// right\n");
  EXPECT_THAT(TableError("folder = \"" + scratch_.path() + "/half\"\n"),
              HasSubstr("half/a.cu: its second line must be '// control: ...' or '// fault: ...'"));
}

TEST_F(Audit, TheTableOfACorpusIsPrintedByRunToo) {
  PutFromCorpus("row_max_from_zero.cu", "corpus/fault.cu");
  PutFromCorpus("rmsnorm_warp.cu", "corpus/control.cu");
  Put("table.toml", "[audit]\nfolder = \"" + scratch_.path() +
                        "/corpus\"\neffort = \"quick\"\ndevices = [\"a100_sxm4\", \"h100_sxm\"]\n");
  const std::string file = scratch_.path() + "/table.toml";
  const ProcessExit exit = Kwright({"run", file});
  EXPECT_EQ(exit.code, 0) << exit.out << exit.err;
  EXPECT_THAT(exit.out, AllOf(HasSubstr("a100_sxm4 8.0"), HasSubstr("h100_sxm 9.0"),
                              HasSubstr("faults found      1/1   (allclose: 0/1)\n"),
                              HasSubstr("controls passed   1/1   (allclose: 1/1)\n"),
                              HasSubstr("devices agree on  2/2\nreplayed the same 2/2\n"),
                              Not(HasSubstr("MISS"))));
  const ProcessExit refused = Kwright({"run", file, "--set", "run.seed=2"});
  EXPECT_EQ(refused.code, 2);
  EXPECT_THAT(refused.err, HasSubstr("is an audit, which has no run.seed to set"));
}

TEST_F(Audit, AMissedFaultIsSaidAndIsTheExitStatus) {
  // Right, but filed as wrong.
  std::string text = *ReadFile(kCorpus + "/rmsnorm_warp.cu");
  text.replace(text.find("// control"), 10, "// fault");
  Put("corpus/a.cu", text);
  Put("table.toml", "[audit]\nfolder = \"" + scratch_.path() +
                        "/corpus\"\noracles = [\"full\"]\neffort = \"quick\"\n");
  const ProcessExit exit = Kwright({"audit", scratch_.path() + "/table.toml"});
  EXPECT_EQ(exit.code, 1) << exit.err;
  EXPECT_THAT(exit.out, AllOf(HasSubstr("faults found      0/1\n"),
                              HasSubstr("MISS: a.cu: a fault that is passed on a100_sxm4\n")));
}

TEST_F(Audit, ARunsPassedKernelsAreJudgedOnOtherCases) {
  const std::string dir = scratch_.path() + "/runs";
  const ProcessExit run =
      Kwright({"run", std::string(KW_SOURCE_DIR) + "/experiments/best_of_n.toml", "--name", "small",
               "--set", "run.dir=" + dir, "--set", "run.tasks=row_sum", "--set", "run.effort=quick",
               "--set", "run.seed=3", "--json"});
  ASSERT_EQ(run.code, 0) << run.err;
  const ProcessExit exit = Kwright({"audit", "small", "--dir", dir, "--effort", "quick", "--json"});
  const Json json = ParseJson(exit.out, "audit").value();
  EXPECT_GE(json.at("certified").get<int>(), 1);
  EXPECT_EQ(json.at("hold"), json.at("certified"));
  EXPECT_EQ(exit.code, 0);
  EXPECT_NE(json.at("seed"), 3);
  EXPECT_THAT(json.at("kernels").at(0).at("name").get<std::string>(), StartsWith("e"));
  const ProcessExit task = Kwright({"audit", dir + "/small", "--task", "row_sum"});
  EXPECT_EQ(task.code, 2);
  EXPECT_THAT(task.err, HasSubstr("--task is for a folder of kernels"));
}

TEST(Corpus, HoldsSixteenControlsAndTenFaultsOfTasksThatThereAre) {
  std::map<std::string, int> kinds;
  const std::vector<std::string> entries = *ListDirectory(kCorpus);
  const std::string readme = *ReadFile(kCorpus + "/README.md");
  for (const std::string& entry : entries) {
    if (!entry.ends_with(".cu")) continue;
    const std::string text = *ReadFile(kCorpus + "/" + entry);
    const auto lines = Lines(text);
    ASSERT_GT(lines.size(), 2u) << entry;
    EXPECT_THAT(std::string(lines[0]), StartsWith("// task: ")) << entry;
    ++kinds[std::string(lines[1].substr(0, lines[1].find(':')))];
    EXPECT_THAT(readme, HasSubstr("`" + entry + "`"));
  }
  EXPECT_EQ(kinds, (std::map<std::string, int>{{"// control", 16}, {"// fault", 10}}));
}

}  // namespace
}  // namespace kw
