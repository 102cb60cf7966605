// What the descriptions of the key-value caches' axes say, proved against the references: a
// dimension is permuted together with all that its description says goes with it, which must leave
// the outputs (or permute them alike), and without it, which must not.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "kw/base/file.h"
#include "kw/eval/oracle.h"
#include "src/eval/oracle/value_types.h"

namespace kw::eval {
namespace {

using Values = std::vector<double>;
using Order = std::vector<int64_t>;
using Tensors = std::map<std::string, Values>;
using Sizes = std::map<std::string, int64_t>;

Order Reversed(int64_t size) {
  Order order(static_cast<size_t>(size));
  std::iota(order.rbegin(), order.rend(), 0);
  return order;
}

// A tensor, or the part of it at fixed indices of some axes.
struct Part {
  std::string tensor;
  Sizes at;
};

// One for all tests: each task's reference is compiled once.
Reference& CompiledReferences() {
  static const ScratchDirectory folder = *ScratchDirectory::Make("native-tasks");
  static Builder builder = *Builder::Make({.cache = folder.path()});
  static const auto reference = MakeReference(builder, {.programs = KW_BINARY_DIR});
  return *reference;
}

class CacheTest : public testing::TestWithParam<const char*> {
 protected:
  CacheTest() {
    const Result<TaskLibrary> library = TaskLibrary::Open(KW_SOURCE_DIR "/data/tasks");
    task_ = *library->Load(GetParam());
    case_.id = "c00";
    case_.seed = 11;
    case_.group = "original";
    const Sizes wished = {{"batch_size", 4}, {"num_pages", 12}, {"len_indptr", 5},
                          {"total_q", 8},    {"total_kv", 20},  {"num_kv_indices", 9}};
    for (const Axis& axis : task_.axes) {
      if (axis.is_var) case_.axes[axis.name] = wished.at(axis.name);
    }
    // Small enough that every token counts.
    case_.scalars["sm_scale"] = 0.03125;
    sizes_ = *task_.AllAxes(case_.axes);
    const CaseInputs drawn = *GenerateInputs(task_, case_);
    for (size_t i = 0; i < task_.inputs.size(); ++i) {
      const Tensor& tensor = task_.inputs[i];
      if (tensor.is_scalar) continue;
      if (IsFloat(tensor.dtype)) {
        inputs_[tensor.name] = WidenFloats(tensor.dtype, drawn.tensors[i]);
      } else {
        const auto integers = WidenIntegers(tensor.dtype, drawn.tensors[i]);
        inputs_[tensor.name].assign(integers.begin(), integers.end());
      }
    }
    // The second sequence has no tokens, pages 3, 6 and 8 belong to none.
    Set("kv_indptr", paged() ? Values{0, 3, 3, 7, 9} : Values{0, 7, 7, 12, 20});
    Set("kv_indices", {5, 0, 9, 2, 7, 11, 1, 4, 10});
    Set("kv_last_page_len", {2, 1, static_cast<double>(page_size()), 3});
    Set("qo_indptr", {0, 2, 3, 6, 8});
  }

  bool paged() const { return sizes_.contains("page_size"); }
  bool decodes() const { return !sizes_.contains("total_q"); }
  int64_t page_size() const { return paged() ? sizes_.at("page_size") : 1; }
  int64_t group() const { return sizes_.at("num_qo_heads") / sizes_.at("num_kv_heads"); }
  bool has(const std::string& input) const { return inputs_.contains(input); }
  void Set(const std::string& input, Values values) {
    if (!has(input)) return;
    ASSERT_EQ(inputs_[input].size(), values.size()) << input;
    inputs_[input] = std::move(values);
  }

  // Where the descriptions say that keys and values are.
  Part Keys() const {
    if (has("kv_cache")) return {"kv_cache", {{"kv_pair", 0}}};
    return {has("k_cache") ? "k_cache" : "k", {}};
  }
  Part TheValues() const {
    if (has("kv_cache")) return {"kv_cache", {{"kv_pair", 1}}};
    return {has("v_cache") ? "v_cache" : "v", {}};
  }

  const std::vector<std::string>& ShapeOf(const std::string& name) const {
    for (const auto* tensors : {&task_.inputs, &task_.outputs}) {
      for (const Tensor& tensor : *tensors) {
        if (tensor.name == name) return tensor.shape;
      }
    }
    ADD_FAILURE() << "no tensor " << name;
    return task_.inputs[0].shape;
  }

  Sizes Place(const std::vector<std::string>& shape, int64_t element) const {
    Sizes place;
    for (size_t axis = shape.size(); axis-- > 0;) {
      place[shape[axis]] = element % sizes_.at(shape[axis]);
      element /= sizes_.at(shape[axis]);
    }
    return place;
  }

  static bool Matches(const Sizes& place, const Sizes& at) {
    return std::all_of(at.begin(), at.end(),
                       [&](const auto& fixed) { return place.at(fixed.first) == fixed.second; });
  }

  // At index i of the axis stands what was at index order[i].
  void Permute(Tensors& tensors, const Part& part, const std::string& axis,
               const Order& order) const {
    const std::vector<std::string>& shape = ShapeOf(part.tensor);
    const Values before = tensors.at(part.tensor);
    int64_t stride = 1;
    for (size_t i = shape.size(); shape[i - 1] != axis; --i) stride *= sizes_.at(shape[i - 1]);
    for (int64_t i = 0; i < static_cast<int64_t>(before.size()); ++i) {
      const Sizes place = Place(shape, i);
      if (!Matches(place, part.at)) continue;
      const int64_t index = place.at(axis);
      const int64_t from = i + (order[static_cast<size_t>(index)] - index) * stride;
      tensors[part.tensor][static_cast<size_t>(i)] = before[static_cast<size_t>(from)];
    }
  }
  Tensors Permuted(Tensors tensors, const std::vector<Part>& parts, const std::string& axis,
                   const Order& order) const {
    for (const Part& part : parts) Permute(tensors, part, axis, order);
    return tensors;
  }

  // Other values at these indices.
  Tensors Changed(Tensors tensors, const std::vector<Part>& parts, const Sizes& at) const {
    for (const Part& part : parts) {
      const std::vector<std::string>& shape = ShapeOf(part.tensor);
      Values& values = tensors[part.tensor];
      for (size_t i = 0; i < values.size(); ++i) {
        const Sizes place = Place(shape, static_cast<int64_t>(i));
        if (Matches(place, part.at) && Matches(place, at)) values[i] = 1.5 - values[i];
      }
    }
    return tensors;
  }

  Tensors Run(const Tensors& inputs) const {
    CaseInputs bytes;
    for (const Tensor& tensor : task_.inputs) {
      std::string& text = bytes.tensors.emplace_back();
      if (tensor.is_scalar) continue;
      for (const double value : inputs.at(tensor.name)) AppendRounded(tensor.dtype, value, text);
    }
    const Result<Expected> expected = CompiledReferences().EvaluateOn(task_, case_, bytes);
    EXPECT_TRUE(expected) << expected.error().ToString();
    Tensors outputs;
    for (size_t i = 0; expected && i < task_.outputs.size(); ++i) {
      outputs[task_.outputs[i].name] = expected->floats[i];
    }
    return outputs;
  }

  // Another order of a sum moves the last bits.
  static double Distance(const Tensors& a, const Tensors& b) {
    double largest = 0;
    for (const auto& [name, values] : a) {
      const Values& others = b.at(name);
      for (size_t i = 0; i < values.size(); ++i) {
        if (values[i] == others[i]) continue;
        const double distance = std::fabs(values[i] - others[i]);
        largest = std::max(largest, std::isfinite(distance) ? distance : HUGE_VAL);
      }
    }
    return largest;
  }
  static void ExpectSame(const Tensors& got, const Tensors& wanted) {
    EXPECT_LT(Distance(got, wanted), 1e-12);
  }
  static void ExpectOther(const Tensors& got, const Tensors& unwanted) {
    EXPECT_GT(Distance(got, unwanted), 1e-3);
  }

  Task task_;
  Case case_;
  Sizes sizes_;
  Tensors inputs_;
};

class EveryCache : public CacheTest {};
class PagedCache : public CacheTest {};
class SharedCache : public CacheTest {};
class PrefillCache : public CacheTest {};

TEST_P(EveryCache, HeadDimOfQueriesAndKeysIsSummed) {
  const Order order = Reversed(sizes_.at("head_dim"));
  const Tensors before = Run(inputs_);
  ExpectSame(Run(Permuted(inputs_, {{"q", {}}, Keys()}, "head_dim", order)), before);
  ExpectOther(Run(Permuted(inputs_, {Keys()}, "head_dim", order)), before);
  ExpectOther(Run(Permuted(inputs_, {{"q", {}}}, "head_dim", order)), before);
}

TEST_P(EveryCache, HeadDimOfValuesIsThatOfTheOutput) {
  const Order order = Reversed(sizes_.at("head_dim"));
  const Tensors before = Run(inputs_);
  const Tensors after = Run(Permuted(inputs_, {TheValues()}, "head_dim", order));
  ExpectSame(after, Permuted(before, {{"output", {}}}, "head_dim", order));
  ExpectOther(after, before);
}

TEST_P(EveryCache, AKeyAndValueHeadServesAGroupOfQueryHeads) {
  const Order heads = Reversed(sizes_.at("num_kv_heads"));
  Order groups;  // query heads, group by group in the other order
  for (const int64_t head : heads) {
    for (int64_t i = 0; i < group(); ++i) groups.push_back(head * group() + i);
  }
  const std::vector<Part> cache = {Keys(), TheValues()};
  const std::vector<Part> outputs = {{"output", {}}, {"lse", {}}};
  const Tensors before = Run(inputs_);
  const Tensors other_heads = Permuted(inputs_, cache, "num_kv_heads", heads);
  ExpectSame(Run(Permuted(other_heads, {{"q", {}}}, "num_qo_heads", groups)),
             Permuted(before, outputs, "num_qo_heads", groups));
  ExpectOther(Run(other_heads), before);
  ExpectOther(Run(other_heads), Permuted(before, outputs, "num_qo_heads", groups));
  ExpectOther(Run(Permuted(inputs_, {Keys()}, "num_kv_heads", heads)), before);
}

TEST_P(EveryCache, QueryHeadsOfAGroupHaveTheSameKeysAndValues) {
  const std::vector<Part> outputs = {{"output", {}}, {"lse", {}}};
  Order within(static_cast<size_t>(sizes_.at("num_qo_heads")));
  std::iota(within.begin(), within.end(), 0);
  Order across = within;
  std::swap(within[0], within[1]);
  std::swap(across[0], across[static_cast<size_t>(group())]);
  const Tensors before = Run(inputs_);
  ExpectSame(Run(Permuted(inputs_, {{"q", {}}}, "num_qo_heads", within)),
             Permuted(before, outputs, "num_qo_heads", within));
  ExpectOther(Run(Permuted(inputs_, {{"q", {}}}, "num_qo_heads", across)),
              Permuted(before, outputs, "num_qo_heads", across));
}

TEST_P(EveryCache, QueriesSeeOnlyTheirOwn) {
  const std::string rows = decodes() ? "batch_size" : "total_q";
  const Tensors before = Run(inputs_);
  for (const int64_t row : {0, 3}) {
    const Tensors after = Run(Changed(inputs_, {{"q", {}}}, {{rows, row}}));
    ExpectOther(after, before);
    // All but this row are as they were.
    Tensors mixed = after;
    for (auto& [name, values] : mixed) {
      for (size_t i = 0; i < values.size(); ++i) {
        const Sizes place = Place(ShapeOf(name), static_cast<int64_t>(i));
        if (place.at(rows) == row) values[i] = before.at(name)[i];
      }
    }
    ExpectSame(mixed, before);
  }
}

TEST_P(EveryCache, WithoutTokensTheOutputIsZeroAndTheLseIsMinusInfinity) {
  const Tensors outputs = Run(inputs_);
  const std::string rows = decodes() ? "batch_size" : "total_q";
  // Sequence 1; of the new tokens it has number 2.
  const int64_t row = decodes() ? 1 : 2;
  for (const auto& [name, values] : outputs) {
    for (size_t i = 0; i < values.size(); ++i) {
      const bool empty = Place(ShapeOf(name), static_cast<int64_t>(i)).at(rows) == row;
      if (name == "lse") {
        EXPECT_EQ(std::isinf(values[i]) && values[i] < 0, empty) << i;
      } else {
        EXPECT_EQ(values[i] == 0, empty) << i;
      }
    }
  }
}

TEST_P(EveryCache, IndptrsAreTheBeginsAndEndsOfSequences) {
  // The third and the fourth sequence exchange all they have.
  Tensors other = inputs_;
  const auto rotate = [&](const Part& part, const std::string& axis, int64_t begin,
                          int64_t middle) {
    Order order(static_cast<size_t>(sizes_.at(axis)));
    std::iota(order.begin(), order.end(), 0);
    std::rotate(order.begin() + begin, order.begin() + middle, order.end());
    Permute(other, part, axis, order);
    return order;
  };
  if (paged()) {
    rotate({"kv_indices", {}}, "num_kv_indices", 3, 7);
    rotate({"kv_last_page_len", {}}, "batch_size", 2, 3);
    other["kv_indptr"] = {0, 3, 3, 5, 9};
  } else {
    rotate({"k", {}}, "total_kv", 7, 12);
    rotate({"v", {}}, "total_kv", 7, 12);
    other["kv_indptr"] = {0, 7, 7, 15, 20};
  }
  const std::string rows = decodes() ? "batch_size" : "total_q";
  const Order order = decodes() ? rotate({"q", {}}, rows, 2, 3) : rotate({"q", {}}, rows, 3, 6);
  if (!decodes()) other["qo_indptr"] = {0, 2, 3, 5, 8};
  const Tensors before = Run(inputs_);
  const Tensors wanted = Permuted(before, {{"output", {}}, {"lse", {}}}, rows, order);
  ExpectSame(Run(other), wanted);
  other["kv_indptr"] = inputs_["kv_indptr"];
  ExpectOther(Run(other), wanted);
}

TEST_P(PagedCache, NumPagesTakesTheNumbersInKvIndices) {
  const Order order = Reversed(sizes_.at("num_pages"));
  const Tensors before = Run(inputs_);
  Tensors moved = Permuted(inputs_, {Keys(), TheValues()}, "num_pages", order);
  ExpectOther(Run(moved), before);
  // What was page p is now where order has p.
  for (double& page : moved["kv_indices"]) {
    page = static_cast<double>(std::find(order.begin(), order.end(), page) - order.begin());
  }
  ExpectSame(Run(moved), before);
}

TEST_P(PagedCache, PagesThatAreNotListedAreNotRead) {
  const std::vector<Part> cache = {Keys(), TheValues()};
  const Tensors before = Run(inputs_);
  for (const int64_t page : {3, 6, 8}) {
    ExpectSame(Run(Changed(inputs_, cache, {{"num_pages", page}})), before);
  }
  for (const double page : inputs_["kv_indices"]) {
    ExpectOther(Run(Changed(inputs_, cache, {{"num_pages", static_cast<int64_t>(page)}})), before);
  }
}

TEST_P(PagedCache, PageSizeTakesTokensOfAPageAndKvLastPageLenSaysHowMany) {
  // The first sequence ends with page 9, two tokens of it.
  const std::vector<Part> cache = {Keys(), TheValues()};
  const Tensors before = Run(inputs_);
  for (int64_t place = 0; place < page_size(); ++place) {
    const Tensors after = Run(Changed(inputs_, cache, {{"num_pages", 9}, {"page_size", place}}));
    if (place < 2) {
      ExpectOther(after, before);
    } else {
      ExpectSame(after, before);
    }
  }
}

TEST_P(PagedCache, TokensOfFullPagesMayChangePlacesWhereAllAreSeen) {
  Set("kv_last_page_len", Values(4, static_cast<double>(page_size())));
  const Order order = Reversed(page_size());
  const std::vector<Part> cache = {Keys(), TheValues()};
  const Tensors before = Run(inputs_);
  const Tensors together = Run(Permuted(inputs_, cache, "page_size", order));
  if (decodes()) {
    ExpectSame(together, before);
  } else {
    // A causal mask tells the places apart.
    ExpectOther(together, before);
  }
  ExpectOther(Run(Permuted(inputs_, {Keys()}, "page_size", order)), before);
  ExpectOther(Run(Permuted(inputs_, {TheValues()}, "page_size", order)), before);
}

TEST_P(PagedCache, NumKvIndicesTakesThePagesOfASequenceInTheOrderOfItsTokens) {
  const Tensors before = Run(inputs_);
  Tensors other = inputs_;
  // The third sequence is full: a decoding query does not see in which order its pages are.
  std::swap(other["kv_indices"][3], other["kv_indices"][6]);
  if (decodes()) {
    ExpectSame(Run(other), before);
  } else {
    ExpectOther(Run(other), before);
  }
  // The first is not: another page would be the one that is cut off.
  other = inputs_;
  std::swap(other["kv_indices"][0], other["kv_indices"][2]);
  ExpectOther(Run(other), before);
  // Nor is a page of another sequence the same.
  other = inputs_;
  std::swap(other["kv_indices"][3], other["kv_indices"][7]);
  ExpectOther(Run(other), before);
}

TEST_P(SharedCache, KvPairHoldsKeysThenValues) {
  EXPECT_EQ(sizes_.at("kv_pair"), 2);
  EXPECT_FALSE(task_.FindAxis("kv_pair")->is_var);
  EXPECT_EQ(ShapeOf("kv_cache")[1], "kv_pair");
  const Tensors before = Run(inputs_);
  ExpectOther(Run(Permuted(inputs_, {{"kv_cache", {}}}, "kv_pair", {1, 0})), before);
  // Only keys decide the lse.
  const Tensors keys = Run(Changed(inputs_, {{"kv_cache", {}}}, {{"kv_pair", 0}}));
  const Tensors values = Run(Changed(inputs_, {{"kv_cache", {}}}, {{"kv_pair", 1}}));
  ExpectOther({{"lse", keys.at("lse")}}, before);
  ExpectSame({{"lse", values.at("lse")}}, before);
  ExpectOther(values, before);
}

TEST_P(PrefillCache, TheMaskIsAlignedToTheEnd) {
  // Of the last sequence only its last new token, number 7, sees the last token of the cache; the
  // one before both new tokens see.
  const std::vector<Part> cache = {Keys(), TheValues()};
  const Tensors before = Run(inputs_);
  const auto changed_rows = [&](const Sizes& at) {
    const Tensors after = Run(Changed(inputs_, cache, at));
    std::vector<int64_t> rows;
    for (int64_t row = 0; row < sizes_.at("total_q"); ++row) {
      const int64_t heads = sizes_.at("num_qo_heads");
      for (int64_t i = row * heads; i < (row + 1) * heads; ++i) {
        const auto at_lse = static_cast<size_t>(i);
        if (after.at("lse")[at_lse] == before.at("lse")[at_lse]) continue;
        rows.push_back(row);
        break;
      }
    }
    return rows;
  };
  using Rows = std::vector<int64_t>;
  if (paged()) {
    // Page 10 is the last of the fourth sequence, three tokens of it.
    EXPECT_EQ(changed_rows({{"num_pages", 10}, {"page_size", 2}}), (Rows{7}));
    EXPECT_EQ(changed_rows({{"num_pages", 10}, {"page_size", 1}}), (Rows{6, 7}));
  } else {
    EXPECT_EQ(changed_rows({{"total_kv", 19}}), (Rows{7}));
    EXPECT_EQ(changed_rows({{"total_kv", 18}}), (Rows{6, 7}));
    EXPECT_EQ(changed_rows({{"total_kv", 11}}), (Rows{5}));
    EXPECT_EQ(changed_rows({{"total_kv", 7}}), (Rows{3, 4, 5}));
  }
}

TEST_P(PrefillCache, NewTokensThatSeeNothingAreZero) {
  // The fourth sequence has more new tokens than tokens: all but the last few see none.
  if (paged()) {
    Set("kv_indptr", {0, 3, 3, 8, 9});
    Set("kv_last_page_len", {2, 1, 1, 1});
  } else {
    Set("kv_indptr", {0, 7, 7, 19, 20});
  }
  Set("qo_indptr", {0, 1, 2, 3, 8});
  const Tensors outputs = Run(inputs_);
  const int64_t heads = sizes_.at("num_qo_heads");
  for (int64_t i = 3 * heads; i < 8 * heads; ++i) {
    EXPECT_EQ(std::isinf(outputs.at("lse")[static_cast<size_t>(i)]), i < 7 * heads) << i;
  }
}

TEST_P(PrefillCache, TokensThatAllQueriesSeeMayChangePlaces) {
  // The first two tokens of a sequence: of page 5, or of the fourth sequence.
  const std::string axis = paged() ? "page_size" : "total_kv";
  const int64_t first = paged() ? 0 : 12;
  Order order(static_cast<size_t>(sizes_.at(axis)));
  std::iota(order.begin(), order.end(), 0);
  std::swap(order[static_cast<size_t>(first)], order[static_cast<size_t>(first) + 1]);
  Part keys = Keys(), values = TheValues();
  if (paged()) keys.at["num_pages"] = values.at["num_pages"] = 5;
  const Tensors before = Run(inputs_);
  ExpectSame(Run(Permuted(inputs_, {keys, values}, axis, order)), before);
  ExpectOther(Run(Permuted(inputs_, {keys}, axis, order)), before);
  ExpectOther(Run(Permuted(inputs_, {values}, axis, order)), before);
}

std::string NameOf(const testing::TestParamInfo<const char*>& info) { return info.param; }

constexpr const char* kPaged[] = {"gqa_paged_decode", "gqa_paged_decode_fp16",
                                  "gqa_paged_prefill_bf16"};
INSTANTIATE_TEST_SUITE_P(NativeTasks, PagedCache, testing::ValuesIn(kPaged), NameOf);
INSTANTIATE_TEST_SUITE_P(NativeTasks, EveryCache,
                         testing::Values("gqa_paged_decode", "gqa_paged_decode_fp16",
                                         "gqa_paged_prefill_bf16", "gqa_ragged_prefill"),
                         NameOf);
INSTANTIATE_TEST_SUITE_P(NativeTasks, SharedCache, testing::Values("gqa_paged_decode"), NameOf);
INSTANTIATE_TEST_SUITE_P(NativeTasks, PrefillCache,
                         testing::Values("gqa_paged_prefill_bf16", "gqa_ragged_prefill"), NameOf);

}  // namespace
}  // namespace kw::eval
