// Laws of the bank, over generated changes.
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "kw/base.h"
#include "kw/memory.h"
#include "lessons.h"

namespace kw::memory {
namespace {

// The same cases every time; RC_PARAMS in the environment asks for others, or for more.
const int kParameters = setenv("RC_PARAMS", "seed=1 max_success=30", 0);

const std::vector<std::string>& Vocabulary() {
  static const std::vector<std::string> words = {
      "warp",  "barrier", "tile", "shared", "float4", "tail",   "guard",     "maximum",
      "sum",   "half",    "row",  "column", "stride", "launch", "register",  "bank",
      "fused", "stream",  "mask", "lane",   "index",  "buffer", "alignment", "__syncthreads"};
  return words;
}

rc::Gen<std::string> Text() {
  return rc::gen::map(
      rc::gen::resize(10, rc::gen::nonEmpty(rc::gen::container<std::vector<std::string>>(
                              rc::gen::elementOf(Vocabulary())))),
      [](const std::vector<std::string>& words) { return Join(words, " "); });
}

rc::Gen<MemoryItem> Item() {
  return rc::gen::apply(
      [](const std::string& title, const std::string& content, const std::string& outcome) {
        MemoryItem item = ItemSaying(title, outcome);
        item.content = content;
        return item;
      },
      Text(), Text(), rc::gen::element<std::string>("success", "failure", "contrast"));
}

std::vector<MemoryItem> Items(int most) {
  return *rc::gen::resize(most, rc::gen::container<std::vector<MemoryItem>>(Item()));
}

std::vector<BankChange> Changes() {
  const int count = *rc::gen::inRange(1, 5);
  std::vector<BankChange> changes;
  for (int i = 0; i < count; ++i) {
    BankChange change =
        ChangeOf(*rc::gen::element<std::string>("r1", "r2"), "step" + std::to_string(i), Items(4));
    const std::string state = *rc::gen::element<std::string>("kept", "undecided", "dropped");
    change.rules = {{0, *Text(), state, *rc::gen::inRange(0, 9)}};
    changes.push_back(std::move(change));
  }
  return changes;
}

struct Scratch {
  ScratchDirectory folder = ScratchDirectory::Make("bank").value();
  std::unique_ptr<Bank> Open(const std::string& name = "a") const {
    return Bank::Open(folder.path() + "/" + name + ".db", MakeHashEmbedder(128)).value();
  }
};

// What a search shows, without the ids, which follow the order of insertion.
std::vector<std::string> Shown(Bank& bank, const SearchRequest& request) {
  std::vector<std::string> shown;
  const std::vector<Found> all = bank.Search(request).value();
  for (const Found& found : all) {
    shown.push_back(found.item.title + "|" + found.item.content + "|" +
                    std::to_string(found.score));
  }
  return shown;
}

RC_GTEST_PROP(BankLaws, ApplyingAnyPrefixAgainChangesNothing, ()) {
  const Scratch scratch;
  auto bank = scratch.Open();
  const std::vector<BankChange> changes = Changes();
  std::vector<Applied> first;
  for (const BankChange& change : changes) first.push_back(bank->Apply(change).value());
  const std::string dump = bank->CanonicalDump().value();
  const auto again = *rc::gen::inRange<size_t>(0, changes.size() + 1);
  for (size_t i = 0; i < again; ++i) {
    const Applied applied = bank->Apply(changes[i]).value();
    RC_ASSERT(applied.item_ids == first[i].item_ids);
    RC_ASSERT(applied.rule_ids == first[i].rule_ids);
    RC_ASSERT(applied.sequence == first[i].sequence);
  }
  RC_ASSERT(bank->CanonicalDump().value() == dump);
}

RC_GTEST_PROP(BankLaws, ReopeningChangesNeitherTheDumpNorASearch, ()) {
  const Scratch scratch;
  const SearchRequest request{.text = *Text(), .k = 5};
  std::string dump;
  std::vector<std::string> shown;
  {
    auto bank = scratch.Open();
    const std::vector<BankChange> changes = Changes();
    for (const BankChange& change : changes) bank->Apply(change).value();
    dump = bank->CanonicalDump().value();
    shown = Shown(*bank, request);
  }
  auto bank = scratch.Open();
  RC_ASSERT(bank->CanonicalDump().value() == dump);
  RC_ASSERT(Shown(*bank, request) == shown);
}

RC_GTEST_PROP(BankLaws, ASearchDoesNotFeelTheOrderOfInsertion, ()) {
  const Scratch scratch;
  const std::vector<MemoryItem> items = Items(12);
  std::vector<MemoryItem> shuffled = items;
  Random random(*rc::gen::arbitrary<uint64_t>());
  for (size_t i = shuffled.size(); i > 1; --i)
    std::swap(shuffled[i - 1], shuffled[random.Below(i)]);
  auto a = scratch.Open("a"), b = scratch.Open("b");
  a->Apply(ChangeOf("r", "s", items)).value();
  b->Apply(ChangeOf("r", "s", shuffled)).value();
  // Which of two near duplicates stays is a matter of order.
  RC_PRE(a->Stats().value().items == static_cast<int64_t>(items.size()));
  RC_PRE(b->Stats().value().items == static_cast<int64_t>(items.size()));
  const SearchRequest request{.text = *Text(), .k = *rc::gen::inRange(1, 8)};
  RC_ASSERT(Shown(*a, request) == Shown(*b, request));
}

RC_GTEST_PROP(BankLaws, ASearchAsOfANumberNeverFeelsWhatComesLater, ()) {
  const Scratch scratch;
  auto bank = scratch.Open();
  const std::vector<BankChange> changes = Changes();
  const auto cut = *rc::gen::inRange<size_t>(0, changes.size());
  for (size_t i = 0; i < cut; ++i) bank->Apply(changes[i]).value();
  const SearchRequest now{.text = *Text(), .k = 6};
  SearchRequest then = now;
  then.as_of = static_cast<int64_t>(cut);
  const std::vector<std::string> before = Shown(*bank, now);
  const size_t rules = bank->Rules("kept").value().size();
  for (size_t i = cut; i < changes.size(); ++i) bank->Apply(changes[i]).value();
  RC_ASSERT(Shown(*bank, then) == before);
  RC_ASSERT(bank->Rules("kept", static_cast<int64_t>(cut)).value().size() == rules);
}

RC_GTEST_PROP(BankLaws, AnyBytesAreASafeQuery, (const std::string& bytes)) {
  static const Scratch scratch;
  static const std::unique_ptr<Bank> bank = [] {
    auto opened = scratch.Open();
    opened->Apply(ChangeOf("r", "s", {ItemSaying("warp shuffle"), ItemSaying("tail guard")}))
        .value();
    return opened;
  }();
  const auto found = bank->Search({.text = bytes, .k = 9});
  if (Trim(bytes).empty()) {
    RC_ASSERT(!found.has_value());
  } else {
    RC_ASSERT(found.has_value());
    RC_ASSERT(found->size() == 2U);
  }
}

}  // namespace
}  // namespace kw::memory
