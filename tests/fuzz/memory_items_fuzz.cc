// What a model says that it learned: items, rules and merged rules within their limits, or an
// error that says what is wrong; never more than was asked for.
#include <cstdint>
#include <string_view>

#include "kw/base/error.h"
#include "src/agent/model_output.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr int kMost = 3, kListed = 4;
  const std::string_view answer(reinterpret_cast<const char*>(data), size);
  if (const auto items = kw::ParseItems(answer, kMost)) {
    KW_CHECK(items->size() <= kMost, "at most what was asked for");
    for (const kw::ItemText& item : *items) {
      KW_CHECK(!item.title.empty() && !item.description.empty() && !item.content.empty(),
               "no part of an item is empty");
    }
  } else {
    KW_CHECK(!items.error().message.empty(), "a refusal says why");
  }
  if (const auto rules = kw::ParseRules(answer, kMost)) {
    KW_CHECK(rules->size() <= kMost, "at most what was asked for");
  }
  if (const auto merged = kw::ParseMergedRules(answer, kMost, kListed)) {
    KW_CHECK(merged->size() <= kMost, "at most what was asked for");
    for (const kw::MergedRule& rule : *merged) {
      for (int number : rule.from) KW_CHECK(number >= 1 && number <= kListed, "a listed number");
    }
  }
  return 0;
}
