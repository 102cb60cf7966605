#include "bank_file.h"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "kw/base.h"
#include "kw/memory.h"
#include "lessons.h"

namespace kw::memory {
namespace {

using ::testing::HasSubstr;

class BankFile : public ::testing::Test {
 protected:
  std::string path() const { return scratch_.path() + "/memory.db"; }
  Result<std::unique_ptr<Bank>> Open(int dimension = 512) {
    return Bank::Open(path(), MakeHashEmbedder(dimension));
  }
  Error OpenError() {
    auto opened = Open();
    EXPECT_FALSE(opened);
    return opened ? Error{} : opened.error();
  }
  void Fill() {
    std::vector<MemoryItem> items;
    for (const Lesson& lesson : Lessons()) items.push_back(ItemOf(lesson));
    ASSERT_TRUE(Open().value()->Apply(ChangeOf("r", "s", items)));
  }
  void Execute(const std::string& sql) {
    SQLite::Database database(path(), SQLite::OPEN_READWRITE);
    database.exec(sql);
  }

  ScratchDirectory scratch_ = ScratchDirectory::Make("bank").value();
};

TEST_F(BankFile, IsTheSameAfterItIsOpenedAgain) {
  std::string dump;
  std::vector<Found> found;
  const SearchRequest request{.text = Lessons()[4].paraphrase, .k = 5};
  Fill();
  {
    auto bank = Open().value();
    dump = bank->CanonicalDump().value();
    found = bank->Search(request).value();
  }
  auto again = Open().value();
  EXPECT_EQ(again->CanonicalDump().value(), dump);
  const std::vector<Found> found_again = again->Search(request).value();
  ASSERT_EQ(found_again.size(), found.size());
  for (size_t i = 0; i < found.size(); ++i) {
    EXPECT_EQ(found_again[i].item.id, found[i].item.id);
    EXPECT_EQ(found_again[i].score, found[i].score);
  }
}

TEST_F(BankFile, RefusesAFileThatIsNoDatabase) {
  for (const std::string& content :
       {std::string("x"), std::string("hello, this is no bank"), std::string(100'000, 'z')}) {
    std::ofstream(path(), std::ios::trunc) << content;
    EXPECT_EQ(OpenError().code, ErrorCode::kCorrupt) << content.size();
    EXPECT_THAT(OpenError().message, HasSubstr(path()));
    EXPECT_TRUE(ReadFile(path()).value() == content) << "and leaves it as it is";
  }
}

TEST_F(BankFile, RefusesADatabaseOfAnotherProgramAndLeavesItAsItIs) {
  {
    SQLite::Database other(path(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    other.exec("CREATE TABLE bank (x)");
  }
  const std::string before = ReadFile(path()).value();
  EXPECT_EQ(OpenError().code, ErrorCode::kCorrupt);
  EXPECT_TRUE(ReadFile(path()).value() == before);
}

TEST_F(BankFile, RefusesABankOfAnotherFormat) {
  Fill();
  Execute("PRAGMA user_version = 9");
  EXPECT_EQ(OpenError().code, ErrorCode::kConflict);
  EXPECT_THAT(OpenError().message, HasSubstr("format 9"));
}

TEST_F(BankFile, FindsPagesThatWereOverwritten) {
  Fill();
  Execute("PRAGMA wal_checkpoint(TRUNCATE)");
  const std::string whole = ReadFile(path()).value();
  ASSERT_GT(whole.size(), 20'000U);
  {
    std::fstream file(path(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(whole.size() / 2 / 4096 * 4096));
    file << std::string(8192, '\x5a');
  }
  EXPECT_EQ(OpenError().code, ErrorCode::kCorrupt);
}

TEST_F(BankFile, FindsAFileCutShort) {
  Fill();
  Execute("PRAGMA wal_checkpoint(TRUNCATE)");
  const std::string whole = ReadFile(path()).value();
  ASSERT_EQ(truncate(path().c_str(), static_cast<off_t>(whole.size() / 2)), 0);
  EXPECT_EQ(OpenError().code, ErrorCode::kCorrupt);
}

TEST_F(BankFile, FindsVectorsThatWereChanged) {
  Fill();
  Execute("UPDATE items SET vector = zeroblob(2048) WHERE id = 3");
  EXPECT_EQ(OpenError().code, ErrorCode::kCorrupt);
  EXPECT_THAT(OpenError().message, HasSubstr("item 3"));
  Execute("UPDATE items SET vector = x'00' WHERE id = 3");
  EXPECT_EQ(OpenError().code, ErrorCode::kCorrupt);
}

TEST_F(BankFile, FindsItemsAndChangesThatAreMissing) {
  Fill();
  Execute("DELETE FROM items WHERE id = 3");
  EXPECT_EQ(OpenError().code, ErrorCode::kCorrupt);
  Execute("DELETE FROM items; UPDATE bank SET sequence = 7");
  EXPECT_EQ(OpenError().code, ErrorCode::kCorrupt);
}

TEST_F(BankFile, RefillsATextIndexThatFellBehind) {
  Fill();
  Execute(
      "INSERT INTO items_fts (items_fts) VALUES ('delete-all'); UPDATE bank SET text_sequence = 0");
  const std::vector<Found> found = Open().value()->Search({.text = "rsqrtf"}).value();
  EXPECT_EQ(found[0].item.id, 12);
  EXPECT_EQ(found[0].text_rank, 1);
}

TEST_F(BankFile, RefusesAnotherEmbedderAndSaysWhich) {
  Fill();
  auto opened = Open(256);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::kConflict);
  EXPECT_THAT(opened.error().message, HasSubstr("hash-ngrams-v1-512"));
  EXPECT_THAT(opened.error().message, HasSubstr("hash-ngrams-v1-256"));
  EXPECT_THAT(opened.error().message, HasSubstr("rebuild"));
}

TEST_F(BankFile, TakesAnotherEmbedderOnceItIsRebuilt) {
  Fill();
  auto old = Open().value();
  const std::string dump = old->CanonicalDump().value();
  ASSERT_TRUE(RebuildBank(path(), MakeHashEmbedder(256)));
  auto bank = Open(256).value();
  EXPECT_EQ(bank->Search({.text = Lessons()[5].paraphrase}).value()[0].item.id, 6);
  const std::string after = bank->CanonicalDump().value();
  EXPECT_EQ(after.substr(after.find('\n')), dump.substr(dump.find('\n')));
  EXPECT_EQ(old->Search({.text = "x"}).error().code, ErrorCode::kConflict)
      << "who has it open notices";
}

TEST_F(BankFile, OpensWithoutAnEmbedderForAllButSearchAndNewItems) {
  Fill();
  auto bank = Bank::Open(path(), nullptr).value();
  EXPECT_EQ(bank->Items(0, -1).value().size(), Lessons().size());
  EXPECT_EQ(bank->Stats().value().embedder, "hash-ngrams-v1-512");
  EXPECT_GT(bank->Stats().value().file_bytes, 0);
  EXPECT_EQ(bank->Search({.text = "x"}).error().code, ErrorCode::kInvalid);
  EXPECT_EQ(bank->Apply(ChangeOf("r", "t", {ItemSaying("x")})).error().code, ErrorCode::kInvalid);
  BankChange outcome = ChangeOf("r", "t", {});
  outcome.outcomes = {{1, true, 1, 0}};
  EXPECT_TRUE(bank->Apply(outcome));
}

TEST_F(BankFile, WithoutAnEmbedderCreatesNothing) {
  EXPECT_EQ(Bank::Open(path(), nullptr).error().code, ErrorCode::kNotFound);
  EXPECT_FALSE(FileExists(path()));
  EXPECT_EQ(RebuildBank(path(), MakeHashEmbedder()).error().code, ErrorCode::kNotFound);
}

TEST_F(BankFile, SaysWhereItCouldNotBeMade) {
  auto opened = Bank::Open(scratch_.path() + "/no/such/folder/memory.db", MakeHashEmbedder());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::kIo);
  EXPECT_THAT(opened.error().ToString(), HasSubstr("/no/such/folder/memory.db"));
  EXPECT_EQ(Bank::Open(scratch_.path(), MakeHashEmbedder()).error().code, ErrorCode::kIo);
}

TEST(Vector, GoesThroughItsBytesUnchanged) {
  const std::vector<float> vector = MakeHashEmbedder(64)->Embed({"softmax"}).value()[0];
  EXPECT_EQ(UnpackVector(PackVector(vector), 64).value(), vector);
  EXPECT_EQ(UnpackVector(PackVector(vector), 63).error().code, ErrorCode::kCorrupt);
}

class OddEmbedder : public Embedder {
 public:
  explicit OddEmbedder(std::vector<std::vector<float>> vectors) : vectors_(std::move(vectors)) {}
  std::string name() const override { return "odd"; }
  int dimension() const override { return 2; }
  Result<std::vector<std::vector<float>>> Embed(const std::vector<std::string>&) override {
    return vectors_;
  }

 private:
  std::vector<std::vector<float>> vectors_;
};

TEST_F(BankFile, StoresNothingThatAnEmbedderGotWrong) {
  const std::vector<std::vector<std::vector<float>>> wrong = {
      {}, {{1}}, {{3, 4}}, {{NAN, 1}}, {{1, 0}, {0, 1}}};
  for (const auto& vectors : wrong) {
    auto bank = Bank::Open(path(), std::make_unique<OddEmbedder>(vectors)).value();
    auto applied = bank->Apply(ChangeOf("r", "s", {ItemSaying("x")}));
    ASSERT_FALSE(applied);
    EXPECT_EQ(applied.error().code, ErrorCode::kInternal);
    EXPECT_EQ(bank->Stats().value().items, 0);
  }
}

}  // namespace
}  // namespace kw::memory
