#include "mock_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <iterator>

#include "kw/base/hash.h"
#include "kw/base/random.h"

namespace kw::mock {
namespace {

bool ContinuesCharacter(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

// The loop's base holds many units, so that few copies are needed for a long text.
constexpr size_t kLoopBytes = 16'384;

constexpr std::string_view kWords[] = {
    "row",   "tile",  "lane",  "warp",   "block", "shared", "stride", "column", "partial",
    "sum",   "load",  "store", "vector", "index", "bound",  "guard",  "buffer", "register",
    "fused", "split", "merge", "align",  "mask",  "shift",  "offset", "reduce", "accumulate"};

std::string CannedHead() {
  return "The kernel walks the input in a grid-stride loop, so that any size works; each step "
         "below is one fused stage (error ≤ 1 µs of drift, see → the last one).\n\n```cuda\n"
         "#include <cuda_runtime.h>\n#include <stdint.h>\n\n";
}

std::string CannedTail(int stages) {
  std::string calls;
  for (int i = 0; i < std::min(stages, 3); ++i) {
    calls += fmt::format("    v = stage_{}(v);\n", stages - 1 - i);
  }
  return "__global__ void apply(const float* x, float* y, int64_t n) {\n"
         "  const int64_t step = int64_t(gridDim.x) * blockDim.x;\n"
         "  for (int64_t i = int64_t(blockIdx.x) * blockDim.x + threadIdx.x; i < n; i += step) {\n"
         "    float v = x[i];\n" +
         calls +
         "    y[i] = v;\n  }\n}\n\n"
         "extern \"C\" void run(const float* x, float* y, int64_t n, cudaStream_t stream) {\n"
         "  apply<<<256, 256, 0, stream>>>(x, y, n);\n}\n```\n";
}

// One stage, different from all others.
std::string CannedStage(int number, Random& random) {
  const auto word = [&] { return kWords[random.Below(std::size(kWords))]; };
  const std::string a(word()), b(word());
  return fmt::format(
      "// Stage {0}: {1} {2}, then {3} the {4}.\n"
      "__device__ float stage_{0}(float v) {{\n"
      "  const float {1}_{5} = v * {6}.{7}f;\n"
      "  return {8}({1}_{5}, {9}.{10}f{11});\n}}\n\n",
      number, a, b, word(), word(), random.Below(100), random.Below(10), random.Below(100'000),
      number % 2 == 0 ? "fmaxf" : "fmaf", random.Below(10), random.Below(10'000),
      number % 2 == 0 ? "" : ", v");
}

}  // namespace

MockText MockText::Whole(std::string text) {
  const size_t size = text.size();
  return {.base = std::make_shared<const std::string>(std::move(text)), .size = size};
}

char MockText::At(size_t i) const {
  const size_t held = base->size();
  return (*base)[i < held ? i : loop_from + (i - loop_from) % (held - loop_from)];
}

void MockText::Append(size_t from, size_t to, std::string& out) const {
  const size_t held = base->size();
  while (from < to) {
    const size_t at = from < held ? from : loop_from + (from - loop_from) % (held - loop_from);
    const size_t bytes = std::min(to - from, held - at);
    out.append(*base, at, bytes);
    from += bytes;
  }
}

std::string MockText::ToString() const {
  std::string text;
  text.reserve(size);
  Append(0, size, text);
  return text;
}

size_t MockText::ChunkEnd(size_t from, size_t bytes) const {
  size_t end = std::min(from + bytes, size);
  while (end < size && ContinuesCharacter(At(end))) ++end;
  return end;
}

void MockText::Prepend(std::string_view text) {
  base = std::make_shared<const std::string>(std::string(text) + *base);
  loop_from += text.size();
  size += text.size();
}

bool MockText::CutTo(size_t bytes) {
  if (size <= bytes) return false;
  size = bytes;
  // The base may go on where the text ends: what stands behind the cut decides.
  while (size > 0 && ContinuesCharacter(At(size))) --size;
  return true;
}

std::string CannedKernel(size_t bytes) {
  Random random(DeriveSeed(0, "canned kernel"));
  std::string text = CannedHead();
  int stages = 0;
  const size_t tail_bytes = CannedTail(1'000'000).size() + 200;
  while (text.size() + tail_bytes + 200 < bytes || stages == 0) {
    text += CannedStage(stages++, random);
  }
  const std::string tail = CannedTail(stages);
  // A comment of the length that is missing.
  while (text.size() + tail.size() + 5 <= bytes) {
    const size_t missing = bytes - text.size() - tail.size();
    std::string line = "//";
    while (line.size() < 90) line.append(" ").append(kWords[random.Below(std::size(kWords))]);
    if (missing < line.size() + 6) line.resize(missing - 1, '.');
    text += line + "\n";
  }
  text += tail;
  MockText cut = MockText::Whole(std::move(text));
  cut.CutTo(bytes);
  return cut.ToString();
}

MockText RunawayText(std::string_view beginning, std::string_view unit) {
  std::string base(beginning);
  MockText text{.loop_from = base.size(), .size = SIZE_MAX / 2};
  do {
    base += unit;
  } while (base.size() < kLoopBytes);
  text.base = std::make_shared<const std::string>(std::move(base));
  return text;
}

std::string_view RunawayBeginning() {
  return "The sum is taken in double precision.\n\n```cuda\n#include <cuda_runtime.h>\n"
         "#include <stdint.h>\n\n"
         "__global__ void row_sum(const float* x, float* y, int64_t rows, int64_t cols) {\n"
         "  const int64_t row = blockIdx.x;\n  double acc = 0.0;\n";
}

std::string_view ReasoningText() {
  return "The task is an operation on each element or on each row, so the first question is "
         "whether memory or arithmetic limits it. Reads should be coalesced: neighbouring threads "
         "take neighbouring columns. A row longer than the block needs a loop with a stride, and a "
         "row shorter than a warp must not read beyond its end. The reduction can use shuffles "
         "within a warp and one word of shared memory for each warp; a barrier comes before it is "
         "read. Sizes that are no multiple of the block are the usual mistake, so every access "
         "gets a guard. All work goes to the given stream. Now the code.";
}

std::string_view UnicodeLine() {
  return "Größe ≤ 1 µs, naïve → schnell: 日本語 ✓ 🚀🧮.\n\n";
}

void AppendJsonEscaped(std::string_view text, std::string& out) {
  constexpr char kHex[] = "0123456789abcdef";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && c != '"' && c != '\\') {
      out += c;
      continue;
    }
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        out += "\\u00";
        out += kHex[byte >> 4];
        out += kHex[byte & 15];
    }
  }
}

}  // namespace kw::mock
