// Every row of the tables on the emulator, with both builds of the handlers: each lane's result
// against the scalar reference, plainly, with the result in an operand's register, and guarded.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../ptx_source.h"
#include "fmt/format.h"
#include "src/eval/emulator/program.h"
#include "table.h"

namespace kw::eval::conformance {
namespace {

enum class Form { kPlain, kAliased, kGuarded };

char Prefix(char kind) {
  switch (BytesOf(kind)) {
    case 1:
      return 'p';
    case 2:
      return 'h';
    case 4:
      return 'w';
    default:
      return 'd';
  }
}

// The operand whose register can take the result as well, or 0.
size_t Alias(const Row& row) {
  for (size_t i = row.kinds.size() - 1; i > 0; --i) {
    if (Prefix(row.kinds[i]) == Prefix(row.kinds[0])) return i;
  }
  return 0;
}

void Replace(std::string* text, std::string_view what, const std::string& with) {
  for (size_t at = 0; (at = text->find(what, at)) != std::string::npos; at += with.size()) {
    text->replace(at, what.size(), with);
  }
}

std::string Body(const Row& row, Form form) {
  std::string body = row.body;
  if (body.empty()) {
    body = row.opcode + " %0";
    for (size_t i = 1; i < row.kinds.size(); ++i) body += fmt::format(", %{}", i);
    body += ";";
    if (form == Form::kGuarded) body = "@%odd " + body;
  }
  const char prefix = Prefix(row.kinds[0]);
  // A predicate or narrow temporary first: "%wx" before "%x".
  for (const char t : {'x', 'y'}) {
    Replace(&body, fmt::format("%{}", t), fmt::format("%{}{}", prefix, t));
  }
  for (size_t i = 0; i < row.kinds.size(); ++i) {
    const size_t reg = i == 0 && form == Form::kAliased ? Alias(row) : i;
    Replace(&body, fmt::format("%{}", i), fmt::format("%{}{}", Prefix(row.kinds[i]), reg));
  }
  return body;
}

// One entry: operands from three arrays of 64-bit values, the result into a fourth.
std::string Entry(const Row& row, const std::string& name, Form form) {
  std::string text = fmt::format(R"(
.visible .entry {}(.param .u64 pa, .param .u64 pb, .param .u64 pc, .param .u64 pr, .param .u32 n) {{
.reg .pred %p<4>; .reg .pred %px, %py, %end, %odd; .reg .b16 %h<4>; .reg .b16 %hx, %hy;
.reg .b32 %w<4>; .reg .b32 %wx, %wy, %i, %j, %k; .reg .b64 %d<4>; .reg .b64 %dx, %dy, %at, %from, %v;
mov.u32 %i, %tid.x; mov.u32 %j, %ctaid.x; mov.u32 %k, %ntid.x; mad.lo.u32 %i, %j, %k, %i;
ld.param.u32 %j, [n]; setp.ge.u32 %end, %i, %j; @%end ret;
mul.wide.u32 %at, %i, 8; and.b32 %j, %i, 1; setp.ne.u32 %odd, %j, 0;
mov.u16 %h0, 77; mov.u32 %w0, 77; mov.u64 %d0, 77; setp.ne.u32 %p0, %j, %j;
)",
                                 name);
  const std::string& kinds = row.kinds;
  for (size_t i = 1; i < kinds.size(); ++i) {
    text += fmt::format(
        "ld.param.u64 %from, [p{}]; add.s64 %from, %from, %at; ld.global.u64 %v, [%from];\n",
        "abc"[i - 1]);
    switch (Prefix(kinds[i])) {
      case 'p':
        text += fmt::format("cvt.u32.u64 %k, %v; setp.ne.u32 %p{}, %k, 0;\n", i);
        break;
      case 'h':
        text += fmt::format("cvt.u16.u64 %h{}, %v;\n", i);
        break;
      case 'w':
        text += fmt::format("cvt.u32.u64 %w{}, %v;\n", i);
        break;
      default:
        text += fmt::format("mov.u64 %d{}, %v;\n", i);
    }
  }
  text += Body(row, form) + "\n";
  const size_t result = form == Form::kAliased ? Alias(row) : 0;
  switch (Prefix(kinds[0])) {
    case 'p':
      text += fmt::format("selp.u64 %v, 1, 0, %p{};\n", result);
      break;
    case 'h':
      text += fmt::format("cvt.u64.u16 %v, %h{};\n", result);
      break;
    case 'w':
      text += fmt::format("cvt.u64.u32 %v, %w{};\n", result);
      break;
    default:
      text += fmt::format("mov.u64 %v, %d{};\n", result);
  }
  return text +
         "ld.param.u64 %from, [pr]; add.s64 %from, %from, %at; st.global.u64 [%from], "
         "%v;\nret;\n}\n";
}

// Operands of every lane: all pairs of edge values, with a third that goes round.
struct Operands {
  std::vector<u64> of[3];
  explicit Operands(const std::string& kinds) {
    std::vector<u64> values[3];
    for (size_t i = 0; i < 3; ++i) {
      values[i] = i + 1 < kinds.size() ? ValuesOf(kinds[i + 1], 11 + static_cast<u32>(i))
                                       : std::vector<u64>{0};
    }
    const size_t rounds = kinds.size() == 4 ? 2 : 1;
    size_t k = 0;
    for (size_t round = 0; round < rounds; ++round) {
      for (const u64 a : values[0]) {
        for (const u64 b : values[1]) {
          of[0].push_back(a), of[1].push_back(b), of[2].push_back(values[2][k % values[2].size()]);
          k += 1 + round;
        }
        ++k;
      }
    }
  }
  size_t size() const { return of[0].size(); }
};

bool NearEnough(double got, double want, const Bound& bound) {
  if (std::isnan(want) || std::isnan(got)) return std::isnan(want) && std::isnan(got);
  if (std::isinf(want) || std::isinf(got)) {
    return want == got ||
           (bound.relative > 0 && std::fabs(std::isinf(want) ? got : want) >= 0x1.fffff8p127);
  }
  return std::fabs(got - want) <= bound.relative * std::fabs(want) + bound.absolute;
}

bool Same(char kind, u64 got, u64 want, const Bound& bound) {
  const auto real = [&](double g, double w, u64 g_bits, u64 w_bits) {
    if (!bound.exact()) return NearEnough(g, w, bound);
    return g_bits == w_bits || (std::isnan(g) && std::isnan(w));
  };
  switch (kind) {
    case 'F':
      return real(FromBits<float>(got), FromBits<float>(want), got, want);
    case 'D':
      return real(FromBits<double>(got), FromBits<double>(want), got, want);
    case 'H':
    case 'B': {
      const Format& format = kind == 'H' ? kHalf : kBfloat;
      return real(Decode(static_cast<u32>(got), format), Decode(static_cast<u32>(want), format),
                  got, want);
    }
    case 'P':
    case 'Q': {
      const char one = kind == 'P' ? 'H' : 'B';
      return Same(one, got & 0xffff, want & 0xffff, bound) &&
             Same(one, got >> 16, want >> 16, bound);
    }
    default:
      return got == want;
  }
}

class Conformance : public testing::TestWithParam<std::pair<size_t, bool>> {
 protected:
  void SetUp() override {
    emu::SetVectorHandlers(GetParam().second);
    if (GetParam().second && !emu::VectorHandlersInUse())
      GTEST_SKIP() << "this machine has no AVX2";
  }
  void TearDown() override { emu::SetVectorHandlers(true); }
};

TEST_P(Conformance, OfEveryRow) {
  const Table& table = Tables()[GetParam().first];
  std::string ptx = ".version 9.0\n.target sm_90\n.address_size 64\n";
  const auto name = [](size_t row, Form form) {
    return fmt::format("k{}_{}", row, static_cast<int>(form));
  };
  const auto has = [](const Row& row, Form form) {
    if (!row.body.empty()) return form == Form::kPlain;
    return form != Form::kAliased || Alias(row) != 0;
  };
  constexpr Form kForms[] = {Form::kPlain, Form::kAliased, Form::kGuarded};
  for (size_t i = 0; i < table.rows.size(); ++i) {
    for (const Form form : kForms) {
      if (has(table.rows[i], form)) ptx += Entry(table.rows[i], name(i, form), form);
    }
  }
  Bench bench(ptx);
  ASSERT_GE(bench.module, 0);
  std::map<std::string, std::pair<Operands, std::array<uint64_t, 4>>> uploaded;
  for (size_t i = 0; i < table.rows.size(); ++i) {
    const Row& row = table.rows[i];
    const std::string key = row.kinds.substr(1);
    auto at = uploaded.find(key);
    if (at == uploaded.end()) {
      Operands operands(row.kinds);
      const std::array<uint64_t, 4> buffers = {
          bench.Upload(operands.of[0], "a"), bench.Upload(operands.of[1], "b"),
          bench.Upload(operands.of[2], "c"), bench.Make(operands.size() * 8, "result")};
      at = uploaded.emplace(key, std::pair{std::move(operands), buffers}).first;
    }
    const auto& [operands, buffers] = at->second;
    for (const Form form : kForms) {
      if (!has(row, form)) continue;
      // Where registers lie matters little to values: a part of them will do.
      const size_t n =
          form == Form::kPlain ? operands.size() : std::min<size_t>(operands.size(), 1500);
      const LaunchOutcome done =
          bench.Run(name(i, form), {static_cast<uint32_t>((n + 127) / 128)}, {128}, 0, buffers[0],
                    buffers[1], buffers[2], buffers[3], static_cast<uint32_t>(n));
      if (done.status != LaunchOutcome::Status::kOk) {
        ADD_FAILURE() << row.opcode << ": " << done.message;
        break;
      }
      const auto got = bench.Download<uint64_t>(buffers[3], n);
      size_t wrong = 0;
      std::string first;
      for (size_t k = 0; k < n; ++k) {
        const u64 a = operands.of[0][k], b = operands.of[1][k], c = operands.of[2][k];
        if (row.defined && !row.defined(a, b, c)) continue;
        const bool skipped = form == Form::kGuarded && k % 2 == 0;
        const u64 want = skipped ? (row.kinds[0] == 'p' ? 0 : 77) : row.want(a, b, c);
        if (Same(row.kinds[0], got[k], want, skipped ? Bound{} : row.bound)) continue;
        if (wrong++ == 0) {
          first = fmt::format("{} of {:#x}, {:#x}, {:#x} gives {:#x}, not {:#x}", row.opcode, a, b,
                              c, got[k], want);
        }
      }
      EXPECT_EQ(wrong, 0u) << first
                           << (form == Form::kPlain     ? ""
                               : form == Form::kAliased ? " (aliased)"
                                                        : " (guarded)");
      if (wrong != 0) break;
    }
  }
  EXPECT_EQ(bench.HazardKinds(), "");
}

std::vector<std::pair<size_t, bool>> Cases() {
  std::vector<std::pair<size_t, bool>> cases;
  for (size_t i = 0; i < Tables().size(); ++i)
    cases.emplace_back(i, false), cases.emplace_back(i, true);
  return cases;
}

INSTANTIATE_TEST_SUITE_P(Tables, Conformance, testing::ValuesIn(Cases()), [](const auto& info) {
  return Tables()[info.param.first].name + (info.param.second ? "Vector" : "Plain");
});

}  // namespace
}  // namespace kw::eval::conformance
