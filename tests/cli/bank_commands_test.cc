// What kwright shows of a bank whose vectors come from another embedder than its own.
#include <gmock/gmock.h>

#include "kw/base.h"
#include "kw/base/process.h"
#include "kw/memory.h"

namespace kw {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class BankCommands : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto bank = Bank::Open(path_, MakeHashEmbedder(64)).value();
    BankChange change{.run = "uuid", .step = "e0/b0/softmax/learn/items"};
    change.new_items.push_back({.title = "Guard the tail",
                                .description = "Sizes that no block divides.",
                                .content = "Check i < n before the load."});
    change.rules.push_back({.text = "The kernel guards its tail.", .state = "kept"});
    ASSERT_TRUE(bank->Apply(change));
  }

  ProcessExit Kwright(std::vector<std::string> arguments) {
    ProcessSpec spec{.argv = {KW_BINARY_DIR "/kwright"}, .inherit_environment = true};
    spec.argv.insert(spec.argv.end(), arguments.begin(), arguments.end());
    spec.argv.insert(spec.argv.end(), {"--bank", path_});
    return RunProcess(spec).value();
  }

  const ScratchDirectory scratch_ = ScratchDirectory::Make("bank-commands").value();
  const std::string path_ = scratch_.path() + "/memory.db";
};

TEST_F(BankCommands, ReadingNeedsNoEmbedder) {
  EXPECT_THAT(Kwright({"memory", "list"}).out, HasSubstr("Guard the tail"));
  EXPECT_THAT(Kwright({"memory", "show", "1"}).out, HasSubstr("Check i < n"));
  EXPECT_THAT(Kwright({"memory", "stats"}).out,
              AllOf(HasSubstr("items      1"), HasSubstr("-64")));  // the bank's own
  EXPECT_THAT(Kwright({"rules", "list"}).out, HasSubstr("The kernel guards its tail."));
  EXPECT_THAT(Kwright({"rules", "show", "1"}).out, HasSubstr("The kernel guards its tail."));
}

TEST_F(BankCommands, SearchingNeedsTheBanksOwn) {
  const ProcessExit exit = Kwright({"memory", "search", "tail"});
  EXPECT_EQ(exit.code, 2);
  EXPECT_EQ(exit.out, "");
  EXPECT_THAT(exit.err, AllOf(HasSubstr("hash-ngrams-v1-64"), HasSubstr("hash-ngrams-v1-512")));
}

}  // namespace
}  // namespace kw
