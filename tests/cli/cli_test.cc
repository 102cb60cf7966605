// Runs the real kwright and compares its whole output and exit status with tests/cli/cases/*.txt:
//
//   $ kwright tasks show sofmax            the command line, run by a shell in the source folder
//   stdout line                            {*} matches any text within a line
//   ! stderr line                          lines of stderr come behind "! "
//   ...                                    any number of lines of that stream
//   exit 2
//
// A file may hold several cases. $SCRATCH is an empty folder, the same for all cases of a file.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "kw/base.h"
#include "kw/base/process.h"

namespace kw {
namespace {

struct CliCase {
  std::string command;
  std::vector<std::string> out, err;
  int exit = 0;
};

std::vector<CliCase> ReadCases(const std::string& path) {
  std::vector<CliCase> cases;
  const std::string text = *ReadFile(path);
  for (std::string_view line : Lines(text)) {
    if (line.starts_with("$ ")) {
      cases.push_back({.command = std::string(line.substr(2))});
    } else if (cases.empty()) {
      ADD_FAILURE() << path << ": a case begins with '$ '";
    } else if (line.starts_with("exit ")) {
      cases.back().exit = std::stoi(std::string(line.substr(5)));
    } else if (line.starts_with("! ")) {
      cases.back().err.emplace_back(line.substr(2));
    } else {
      cases.back().out.emplace_back(line);
    }
  }
  return cases;
}

bool LineMatches(std::string_view pattern, std::string_view line) {
  const size_t hole = pattern.find("{*}");
  if (hole == pattern.npos) return pattern == line;
  if (!line.starts_with(pattern.substr(0, hole))) return false;
  const std::string_view rest = pattern.substr(hole + 3);
  for (size_t skip = hole; skip <= line.size(); ++skip) {
    if (LineMatches(rest, line.substr(skip))) return true;
  }
  return false;
}

bool AllMatch(const std::vector<std::string>& patterns, size_t p,
              const std::vector<std::string_view>& lines, size_t l) {
  if (p == patterns.size()) return l == lines.size();
  if (patterns[p] == "...") {
    for (size_t next = l; next <= lines.size(); ++next) {
      if (AllMatch(patterns, p + 1, lines, next)) return true;
    }
    return false;
  }
  return l < lines.size() && LineMatches(patterns[p], lines[l]) &&
         AllMatch(patterns, p + 1, lines, l + 1);
}

class Cli : public testing::TestWithParam<std::string> {};

TEST_P(Cli, PrintsAndExitsAsWritten) {
  const ScratchDirectory scratch = *ScratchDirectory::Make("cli-test");
  for (const CliCase& expected :
       ReadCases(std::string(KW_SOURCE_DIR) + "/tests/cli/cases/" + GetParam() + ".txt")) {
    ProcessSpec spec{.argv = {"sh", "-c", expected.command},
                     .inherit_environment = true,
                     .directory = KW_SOURCE_DIR};
    spec.environment = {"PATH=" + std::string(KW_BINARY_DIR) + ":" + std::getenv("PATH"),
                        "SCRATCH=" + scratch.path(),
                        "KWRIGHT_HOME=" KW_SOURCE_DIR,
                        "KWRIGHT_CACHE=" + scratch.path() + "/cache",
                        "KWRIGHT_API_KEY=",
                        "OPENAI_API_KEY="};
    const ProcessExit exit = *RunProcess(spec);
    EXPECT_EQ(exit.code, expected.exit) << expected.command;
    EXPECT_TRUE(AllMatch(expected.out, 0, Lines(exit.out), 0))
        << expected.command << "\nstdout was:\n"
        << exit.out;
    EXPECT_TRUE(AllMatch(expected.err, 0, Lines(exit.err), 0))
        << expected.command << "\nstderr was:\n"
        << exit.err;
  }
}

std::vector<std::string> CaseFiles() {
  std::vector<std::string> names;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::string(KW_SOURCE_DIR) + "/tests/cli/cases")) {
    names.push_back(entry.path().stem().string());
  }
  return names;
}

INSTANTIATE_TEST_SUITE_P(Cases, Cli, testing::ValuesIn(CaseFiles()),
                         [](const auto& param) { return param.param; });

}  // namespace
}  // namespace kw
