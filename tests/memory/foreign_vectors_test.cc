// Banks whose embedder is a model elsewhere: its dimension shows with the first vector, and
// vectors may come from somebody who asked it before.
#include <gmock/gmock.h>

#include "kw/base.h"
#include "kw/memory.h"
#include "lessons.h"

namespace kw::memory {
namespace {

using ::testing::HasSubstr;

// As a model at an endpoint: what dimension it has is known once it was asked.
class LateEmbedder : public Embedder {
 public:
  explicit LateEmbedder(int dimension, int* asked = nullptr)
      : inner_(MakeHashEmbedder(dimension)), asked_(asked) {}
  std::string name() const override { return "late"; }
  int dimension() const override { return was_asked_ ? inner_->dimension() : 0; }
  Result<std::vector<std::vector<float>>> Embed(const std::vector<std::string>& texts) override {
    was_asked_ = true;
    if (asked_ != nullptr) *asked_ += static_cast<int>(texts.size());
    return inner_->Embed(texts);
  }

 private:
  const std::unique_ptr<Embedder> inner_;
  int* const asked_;
  bool was_asked_ = false;
};

class ForeignVectors : public ::testing::Test {
 protected:
  std::unique_ptr<Bank> Open(int dimension) {
    return Bank::Open(path_, std::make_unique<LateEmbedder>(dimension, &asked_)).value();
  }
  static BankChange TwoLessons(const std::string& step = "s") {
    return ChangeOf("r", step, {ItemOf(Lessons()[0]), ItemOf(Lessons()[1])});
  }
  static std::vector<std::vector<float>> VectorsOf(const BankChange& change, int dimension = 64) {
    return MakeHashEmbedder(dimension)->Embed(TextsToEmbed(change)).value();
  }

  const ScratchDirectory scratch_ = ScratchDirectory::Make("foreign-vectors").value();
  const std::string path_ = scratch_.path() + "/memory.db";
  int asked_ = 0;
};

TEST_F(ForeignVectors, ABankTakesTheDimensionOfItsFirstVector) {
  {
    const auto bank = Open(48);
    EXPECT_EQ(asked_, 0) << "opening asks nothing";
    EXPECT_TRUE(bank->Search({.text = "tail"}).value().empty());
    ASSERT_TRUE(bank->Apply(TwoLessons()));
    EXPECT_EQ(bank->Search({.text = Lessons()[1].paraphrase, .k = 1}).value().at(0).item.title,
              Lessons()[1].title);
  }
  const auto again = Open(48);
  const auto found = again->Search({.text = Lessons()[1].paraphrase, .k = 1}).value();
  EXPECT_EQ(found.at(0).item.title, Lessons()[1].title);
  EXPECT_EQ(found.at(0).dense_rank, 1);
}

TEST_F(ForeignVectors, AChangeThatFailsGivesABankNoDimension) {
  const auto bank = Open(48);
  BankChange change = TwoLessons();
  change.outcomes.push_back({.item = 77});
  EXPECT_EQ(bank->Apply(change).error().code, ErrorCode::kNotFound);
  EXPECT_TRUE(bank->Search({.text = "tail"}).value().empty());
  change = TwoLessons();
  change.vectors = VectorsOf(change, 64);
  EXPECT_TRUE(Open(64)->Apply(change)) << "it may be any dimension still";
}

TEST_F(ForeignVectors, WhoBringsVectorsIsBelievedAndNobodyElseAsked) {
  const auto bank = Open(64);
  BankChange change = TwoLessons();
  change.vectors = VectorsOf(change);
  const Applied applied = bank->Apply(change).value();
  EXPECT_EQ(applied.item_ids, (std::vector<int64_t>{1, 2}));
  SearchRequest request{.text = Lessons()[0].paraphrase, .k = 1};
  request.vector = MakeHashEmbedder(64)->Embed({TextToEmbed(request)}).value()[0];
  EXPECT_EQ(bank->Search(request).value().at(0).item.id, 1);
  EXPECT_EQ(asked_, 0);
}

TEST_F(ForeignVectors, BroughtVectorsFindWhatAskedOnesFind) {
  const auto asked = Open(64);
  ASSERT_TRUE(asked->Apply(TwoLessons()));
  SearchRequest request{.text = Lessons()[1].paraphrase, .k = 2};
  const auto found = asked->Search(request).value();
  request.vector = MakeHashEmbedder(64)->Embed({TextToEmbed(request)}).value()[0];
  const auto again = asked->Search(request).value();
  ASSERT_EQ(found.size(), again.size());
  for (size_t i = 0; i < found.size(); ++i) EXPECT_EQ(found[i].score, again[i].score);
}

TEST_F(ForeignVectors, AnotherDimensionLaterIsAConflictAndNothingIsChanged) {
  ASSERT_TRUE(Open(64)->Apply(TwoLessons()));
  const auto bank = Open(48);  // the same name, and another model behind it
  const std::string before = bank->CanonicalDump().value();
  const auto applied = bank->Apply(ChangeOf("r", "t", {ItemOf(Lessons()[2])}));
  ASSERT_FALSE(applied);
  EXPECT_EQ(applied.error().code, ErrorCode::kConflict);
  EXPECT_THAT(applied.error().message, HasSubstr("kwright memory rebuild"));
  const auto found = Open(48)->Search({.text = "tail"});
  EXPECT_EQ(found.error().code, ErrorCode::kConflict);
  EXPECT_THAT(found.error().message, HasSubstr("(48)"));
  EXPECT_EQ(Open(64)->CanonicalDump().value(), before);

  BankChange brought = ChangeOf("r", "t", {ItemOf(Lessons()[2])});
  brought.vectors = VectorsOf(brought, 32);
  EXPECT_EQ(Open(64)->Apply(brought).error().code, ErrorCode::kConflict);
}

TEST_F(ForeignVectors, VectorsThatAreNoneAreRefused) {
  const auto bank = Open(64);
  BankChange change = TwoLessons();
  change.vectors = VectorsOf(change);
  change.vectors.pop_back();
  EXPECT_FALSE(bank->Apply(change)) << "one for two items";
  change.vectors.emplace_back(64, 0.0F);
  EXPECT_FALSE(bank->Apply(change)) << "zeros";
  change.vectors.back() = {1.0F};
  EXPECT_FALSE(bank->Apply(change)) << "of two sizes";
  EXPECT_FALSE(bank->Search({.text = "tail", .vector = std::vector<float>(64, 1.0F)}));
  EXPECT_EQ(bank->Stats().value().items, 0);
}

TEST_F(ForeignVectors, ARebuildLearnsTheDimensionToo) {
  {
    const auto bank = Bank::Open(path_, MakeHashEmbedder(512)).value();
    ASSERT_TRUE(bank->Apply(TwoLessons()));
  }
  ASSERT_TRUE(RebuildBank(path_, std::make_unique<LateEmbedder>(48)));
  const auto bank = Open(48);
  EXPECT_EQ(bank->Search({.text = Lessons()[0].paraphrase, .k = 1}).value().at(0).item.id, 1);
  EXPECT_EQ(bank->Stats().value().embedder, "late");
  EXPECT_FALSE(Bank::Open(path_, MakeHashEmbedder(512)));
}

TEST_F(ForeignVectors, ARebuiltEmptyBankTakesAnyDimension) {
  ASSERT_TRUE(Bank::Open(path_, MakeHashEmbedder(512)));
  ASSERT_TRUE(RebuildBank(path_, std::make_unique<LateEmbedder>(48)));
  EXPECT_TRUE(Open(48)->Apply(TwoLessons()));
}

// Gives out after some calls, as a server that goes away.
class FailingEmbedder : public LateEmbedder {
 public:
  FailingEmbedder(int dimension, int calls, int* asked)
      : LateEmbedder(dimension, asked), calls_(calls) {}
  Result<std::vector<std::vector<float>>> Embed(const std::vector<std::string>& texts) override {
    if (calls_-- == 0) return Fail(ErrorCode::kUnavailable, "the server is gone");
    return LateEmbedder::Embed(texts);
  }

 private:
  int calls_;
};

class StoppedRebuild : public ForeignVectors {
 protected:
  static constexpr int kItems = 700;  // three calls of an embedder
  void SetUp() override {
    const auto bank = Bank::Open(path_, MakeHashEmbedder(512)).value();
    std::vector<MemoryItem> items;
    for (int i = 0; i < kItems; ++i) {
      items.push_back(
          ItemSaying("lesson " + std::to_string(i * 7919) + " of " + std::to_string(i * 104729)));
    }
    ASSERT_TRUE(bank->Apply(ChangeOf("r", "s", items)));
    ASSERT_EQ(bank->Stats().value().items, kItems);
    const Result<void> stopped =
        RebuildBank(path_, std::make_unique<FailingEmbedder>(48, 2, &asked_));
    ASSERT_FALSE(stopped);
    EXPECT_THAT(stopped.error().ToString(), HasSubstr("the server is gone"));
    EXPECT_THAT(stopped.error().ToString(), HasSubstr("512 are done and kept"));
    ASSERT_EQ(asked_, 512);
  }
};

TEST_F(StoppedRebuild, LeavesTheBankAsItWas) {
  const auto bank = Bank::Open(path_, MakeHashEmbedder(512)).value();
  EXPECT_EQ(bank->Search({.text = "lesson 7919 of 104729", .k = 1}).value().at(0).item.id, 2);
}

TEST_F(StoppedRebuild, GoesOnWhereItWasAndTakesWhatCameMeanwhile) {
  ASSERT_TRUE(Bank::Open(path_, MakeHashEmbedder(512)).value()->Apply(TwoLessons("later")));
  ASSERT_TRUE(RebuildBank(path_, std::make_unique<LateEmbedder>(48, &asked_)));
  EXPECT_EQ(asked_, kItems + 2) << "each text once";
  const auto bank = Open(48);
  EXPECT_EQ(bank->Search({.text = "lesson 7919 of 104729", .k = 1}).value().at(0).item.id, 2);
  EXPECT_EQ(bank->Search({.text = Lessons()[1].paraphrase, .k = 1}).value().at(0).item.title,
            Lessons()[1].title);
}

TEST_F(StoppedRebuild, IsOfNoUseToAnotherEmbedder) {
  ASSERT_TRUE(RebuildBank(path_, MakeHashEmbedder(64)));
  const auto bank = Bank::Open(path_, MakeHashEmbedder(64)).value();
  EXPECT_EQ(bank->Search({.text = "lesson 7919 of 104729", .k = 1}).value().at(0).item.id, 2);
}

TEST_F(StoppedRebuild, DoesNotMixVectorsOfTwoSizes) {
  const Result<void> mixed = RebuildBank(path_, std::make_unique<LateEmbedder>(64));
  ASSERT_FALSE(mixed);
  EXPECT_EQ(mixed.error().code, ErrorCode::kConflict);
  EXPECT_THAT(mixed.error().message, HasSubstr("vectors of two sizes"));
  EXPECT_TRUE(RebuildBank(path_, std::make_unique<LateEmbedder>(64)));
  EXPECT_TRUE(Open(64));
}

}  // namespace
}  // namespace kw::memory
