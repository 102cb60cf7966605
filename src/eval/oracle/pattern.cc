#include "pattern.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

namespace kw::eval {
namespace {

// An output as rows of its last axis.
struct Grid {
  explicit Grid(const WrongOutput& wrong)
      : cols(wrong.shape.empty() ? 1 : wrong.shape.back()),
        rows(static_cast<int64_t>(wrong.bad.size()) / std::max<int64_t>(cols, 1)),
        many_rows(wrong.shape.size() > 1),
        bad_in_row(static_cast<size_t>(rows)),
        bad_in_col(static_cast<size_t>(cols)) {
    for (int64_t row = 0; row < rows; ++row) {
      for (int64_t col = 0; col < cols; ++col) {
        if (wrong.bad[static_cast<size_t>(row * cols + col)] == 0) continue;
        ++bad;
        ++bad_in_row[static_cast<size_t>(row)];
        ++bad_in_col[static_cast<size_t>(col)];
      }
    }
  }
  int64_t total() const { return rows * cols; }

  int64_t cols, rows;
  bool many_rows;
  int64_t bad = 0;
  std::vector<int64_t> bad_in_row, bad_in_col;
};

// The part of a line of `counts.size()` places in which something is wrong.
struct Span {
  int64_t first = 0, last = 0, places = 0;  // places that are touched, of first..last
};
Span SpanOf(const std::vector<int64_t>& counts) {
  Span span{-1, -1, 0};
  for (size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] == 0) continue;
    if (span.first < 0) span.first = static_cast<int64_t>(i);
    span.last = static_cast<int64_t>(i);
    ++span.places;
  }
  return span;
}

std::string Places(std::string_view one, std::string_view many, int64_t first, int64_t last) {
  return first == last ? fmt::format("{} {}", one, first)
                       : fmt::format("{} {}..{}", many, first, last);
}

constexpr char kTailAdvice[] =
    "the end is not handled: check the bound of the loop and the guard for sizes that are no "
    "multiple of the block, tile or vector width";
constexpr char kGridAdvice[] =
    "part of the output is not covered: check the number of blocks (round up) and each block's "
    "offset";

// Indices that leave the same remainder by a power of two.
std::optional<std::pair<int64_t, int64_t>> Stride(const std::vector<int64_t>& counts) {
  const Span span = SpanOf(counts);
  if (span.places < 3) return std::nullopt;
  for (const int64_t modulus : {64, 32, 16, 8, 4, 2}) {
    if (static_cast<int64_t>(counts.size()) < 3 * modulus) continue;
    const int64_t remainder = span.first % modulus;
    bool all = true;
    int64_t places = 0;
    for (size_t i = 0; i < counts.size() && all; ++i) {
      const bool same = static_cast<int64_t>(i) % modulus == remainder;
      all = counts[i] == 0 || same;
      places += same ? 1 : 0;
    }
    if (all && span.places * 10 >= places * 8) return std::pair(modulus, remainder);
  }
  return std::nullopt;
}

struct Place {
  std::string text, advice;
  bool decides = false;  // what the elements hold says more than where they are
};

// One line: the columns of all rows together, or the rows.
std::optional<Place> PlaceInLine(const std::vector<int64_t>& counts, std::string_view one,
                                 std::string_view many, std::string_view suffix) {
  const auto size = static_cast<int64_t>(counts.size());
  const Span span = SpanOf(counts);
  if (size < 2) return std::nullopt;
  if (auto stride = span.places == size ? std::nullopt : Stride(counts)) {
    return Place{fmt::format("only every {}th of the {}, from {} on, is wrong{}", stride->first,
                             many, stride->second, suffix),
                 "check the indexing by lane, vector component or tile"};
  }
  if (span.first == 0 && span.last == size - 1) return std::nullopt;
  if (span.places * 10 < (span.last - span.first + 1) * 8) return std::nullopt;
  const std::string range = Places(one, many, span.first, span.last);
  const char* verb = span.first == span.last ? "is" : "are";
  if (span.last == size - 1) {
    return Place{fmt::format("only {} (the last {} of {}) {} wrong{}", range, size - span.first,
                             size, verb, suffix),
                 kTailAdvice};
  }
  if (span.first == 0) {
    return Place{fmt::format("only {} (the first {} of {}) {} wrong{}", range, span.last + 1, size,
                             verb, suffix),
                 "check what the first threads or blocks do differently"};
  }
  return Place{fmt::format("only {} of {} {} wrong{}", range, size, verb, suffix), ""};
}

Place FindPlace(const Grid& grid) {
  if (grid.bad == grid.total()) {
    return {grid.total() == 1 ? "the only element is wrong" : "every element is wrong", ""};
  }
  if (!grid.many_rows) {
    auto place = PlaceInLine(grid.bad_in_col, "element", "elements", "");
    return place.value_or(Place{});
  }
  const Span rows = SpanOf(grid.bad_in_row);
  const bool most_rows = rows.places * 10 >= grid.rows * 7;
  if (auto columns = PlaceInLine(grid.bad_in_col, "column", "columns",
                                 grid.rows == 1 ? ""
                                 : most_rows    ? " in each row"
                                                : "")) {
    if (!most_rows && grid.rows > 1) {
      columns->text += fmt::format(", in {} of {} rows", rows.places, grid.rows);
    }
    return *columns;
  }
  if (auto in_rows = PlaceInLine(grid.bad_in_row, "row", "rows", "")) {
    if (in_rows->advice == kTailAdvice) in_rows->advice = kGridAdvice;
    return *in_rows;
  }
  return {};
}

// All wrong elements, one after the other.
std::vector<size_t> BadIndices(const WrongOutput& wrong) {
  std::vector<size_t> indices;
  for (size_t i = 0; i < wrong.bad.size(); ++i) {
    if (wrong.bad[i] != 0) indices.push_back(i);
  }
  return indices;
}

// The factor between got and expected, where it is the same for nearly all of `indices`.
std::optional<double> CommonFactor(const WrongOutput& wrong, const std::vector<size_t>& indices) {
  std::vector<double> factors;
  for (const size_t i : indices) {
    if (wrong.expected[i] == 0 || !std::isfinite(wrong.got[i])) continue;
    if (!std::isfinite(wrong.expected[i])) continue;
    factors.push_back(wrong.got[i] / wrong.expected[i]);
  }
  if (factors.size() < 2 || factors.size() * 10 < indices.size() * 8) return std::nullopt;
  std::nth_element(factors.begin(), factors.begin() + static_cast<long>(factors.size() / 2),
                   factors.end());
  const double median = factors[factors.size() / 2];
  if (median == 0 || std::fabs(median - 1) < 1e-3) return std::nullopt;
  const auto near = std::count_if(factors.begin(), factors.end(), [&](double factor) {
    return std::fabs(factor - median) <= 2e-3 * std::fabs(median);
  });
  if (static_cast<size_t>(near) * 20 < factors.size() * 19) return std::nullopt;
  return median;
}

// "the size of cols", "1 / sqrt(head_dim)" where a factor is one.
std::string NameOfFactor(double factor, const std::map<std::string, int64_t>& axes) {
  const auto is = [&](double value) { return std::fabs(factor - value) <= 2e-3 * value; };
  if (std::fabs(factor + 1) <= 2e-3) return "the sign is flipped";
  for (const auto& [name, size] : axes) {
    const auto n = static_cast<double>(size);
    if (n < 3) continue;
    if (is(n)) return fmt::format("that is {}", name);
    if (is(1 / n)) return fmt::format("that is 1 / {}", name);
    if (is(std::sqrt(n))) return fmt::format("that is sqrt({})", name);
    if (is(1 / std::sqrt(n))) return fmt::format("that is 1 / sqrt({})", name);
    if (is(n / (n - 1)) || is((n - 1) / n)) {
      return fmt::format("that is the ratio of {0} and {0} - 1", name);
    }
  }
  if (is(std::log2(std::exp(1.0)))) return "that is log2(e)";
  if (is(std::log(2.0))) return "that is ln(2)";
  return "";
}

// Each row is off by a factor of its own.
std::optional<std::pair<double, double>> FactorsByRow(const WrongOutput& wrong, const Grid& grid) {
  if (!grid.many_rows || grid.cols < 3) return std::nullopt;
  int64_t with_factor = 0, bad_rows = 0;
  double least = 0, most = 0;
  for (int64_t row = 0; row < grid.rows; ++row) {
    if (grid.bad_in_row[static_cast<size_t>(row)] < 3) continue;
    ++bad_rows;
    std::vector<size_t> indices;
    for (int64_t col = 0; col < grid.cols; ++col) {
      const auto at = static_cast<size_t>(row * grid.cols + col);
      if (wrong.bad[at] != 0) indices.push_back(at);
    }
    const std::optional<double> factor = CommonFactor(wrong, indices);
    if (!factor) continue;
    least = with_factor == 0 ? *factor : std::min(least, *factor);
    most = with_factor == 0 ? *factor : std::max(most, *factor);
    ++with_factor;
  }
  if (bad_rows < 1 || with_factor * 10 < bad_rows * 8) return std::nullopt;
  return std::pair(least, most);
}

// Nearly all wrong elements hold what is expected at another place, which `source` names.
bool HoldValuesOf(const WrongOutput& wrong, const std::vector<size_t>& indices,
                  const std::function<int64_t(int64_t)>& source) {
  size_t tried = 0, met = 0;
  for (const size_t i : indices) {
    const int64_t from = source(static_cast<int64_t>(i));
    if (from < 0 || from >= static_cast<int64_t>(wrong.expected.size())) continue;
    ++tried;
    met += wrong.close(wrong.got[i], wrong.expected[static_cast<size_t>(from)]) ? 1 : 0;
  }
  return tried >= 2 && tried * 10 >= indices.size() * 7 && met * 20 >= tried * 19;
}

std::optional<Place> FindMove(const WrongOutput& wrong, const Grid& grid,
                              const std::vector<size_t>& indices) {
  const int64_t cols = grid.cols, rows = grid.rows;
  const auto moved = [&](auto source) { return HoldValuesOf(wrong, indices, source); };
  const char* advice = "check the index arithmetic: an offset or a stride is off by one";
  if (moved([](int64_t i) { return i + 1; })) {
    return Place{"they hold the values of the element after them", advice, true};
  }
  if (moved([](int64_t i) { return i - 1; })) {
    return Place{"they hold the values of the element before them", advice, true};
  }
  if (!grid.many_rows) return std::nullopt;
  if (moved([&](int64_t i) { return i + cols; })) {
    return Place{"they hold the values of the row below", advice, true};
  }
  if (moved([&](int64_t i) { return i - cols; })) {
    return Place{"they hold the values of the row above", advice, true};
  }
  if (rows > 1 && cols > 1 && moved([&](int64_t i) { return i % rows * cols + i / rows; })) {
    return Place{"the output is transposed", "rows and columns are swapped in an index", true};
  }
  if (rows > 1 && moved([&](int64_t i) { return i % cols; })) {
    return Place{"every row holds the values of row 0", "the row's offset is missing in an index",
                 true};
  }
  return std::nullopt;
}

// How far off the wrong elements are at most, in relation to the output's size; nothing when that
// is more than rounding could explain.
std::optional<double> SmallDistance(const WrongOutput& wrong, const std::vector<size_t>& indices) {
  double sum = 0, most = 0;
  for (const double expected : wrong.expected)
    sum += std::isfinite(expected) ? std::fabs(expected) : 0;
  const double scale = sum / static_cast<double>(wrong.expected.size());
  for (const size_t i : indices) {
    const double size = std::max(std::fabs(wrong.expected[i]), scale);
    const double error = std::fabs(wrong.got[i] - wrong.expected[i]);
    if (!(error <= 0.02 * size)) return std::nullopt;
    most = std::max(most, error / size);
  }
  return most;
}

constexpr char kNanAdvice[] =
    "NaN comes from values that were never written, exp() of values that were not shifted by "
    "their maximum, 0/0, or inf - inf";

// What the wrong elements hold.
Place FindContent(const WrongOutput& wrong, const Grid& grid) {
  const std::vector<size_t> indices = BadIndices(wrong);
  const auto all = [&](auto holds) {
    return std::all_of(indices.begin(), indices.end(),
                       [&](size_t i) { return holds(wrong.got[i], wrong.expected[i]); });
  };
  if (all([](double got, double) { return std::isnan(got); })) return {"they are NaN", kNanAdvice};
  if (all([](double got, double) { return std::isinf(got); })) {
    return {"they are infinite", "a value overflowed: shift by the maximum or use a wider type"};
  }
  if (all([](double got, double) { return got == 0; })) {
    return {"they are 0", "the result is not computed there, or not stored"};
  }
  if (auto move = FindMove(wrong, grid, indices)) return *move;
  const double first = wrong.got[indices[0]];
  if (indices.size() > 2 && all([&](double got, double) { return got == first; })) {
    return {fmt::format("they all hold {:.6g}", first), ""};
  }
  if (const std::optional<double> factor = CommonFactor(wrong, indices)) {
    const std::string name = NameOfFactor(*factor, wrong.axes);
    return {fmt::format("they are {:.5g} times what is expected{}", *factor,
                        name.empty() ? "" : " (" + name + ")"),
            "a scaling step is missing, doubled or inverted"};
  }
  if (const auto factors = FactorsByRow(wrong, grid)) {
    return {fmt::format("each row is off by a factor of its own ({:.4g} to {:.4g})", factors->first,
                        factors->second),
            "the reduction over the row is wrong: its identity, its bounds, its barriers, or how "
            "partial results are combined and shared"};
  }
  if (const std::optional<double> distance = SmallDistance(wrong, indices)) {
    return {fmt::format("they are close to what is expected (within {:.2g} %)", *distance * 100),
            "precision is lost (accumulate in float32, avoid differences of nearly equal numbers), "
            "or a few terms of a sum are missing or counted twice",
            true};
  }
  const auto nan = std::count_if(indices.begin(), indices.end(),
                                 [&](size_t i) { return std::isnan(wrong.got[i]); });
  if (nan > 0) {
    return {fmt::format("{} of them are NaN", nan), kNanAdvice};
  }
  return {};
}

}  // namespace

Pattern FindPattern(const WrongOutput& wrong) {
  const Grid grid(wrong);
  const Place place = FindPlace(grid);
  const Place content = FindContent(wrong, grid);
  Pattern pattern;
  pattern.text = place.text;
  if (!content.text.empty()) {
    pattern.text += (pattern.text.empty() ? "the wrong elements: " : "; ") + content.text;
  }
  const bool by_content = place.advice.empty() || content.decides;
  pattern.advice = by_content ? content.advice : place.advice;
  return pattern;
}

}  // namespace kw::eval
