#include <array>
#include <utility>

#include "kw/base/text.h"
#include "kw/eval/oracle.h"

namespace kw::eval {
namespace {

constexpr std::array<std::pair<Status, std::string_view>, 10> kStatuses = {{
    {Status::kPassed, "PASSED"},
    {Status::kIncorrectShape, "INCORRECT_SHAPE"},
    {Status::kIncorrectDtype, "INCORRECT_DTYPE"},
    {Status::kIncorrectNumerical, "INCORRECT_NUMERICAL"},
    {Status::kRuntimeError, "RUNTIME_ERROR"},
    {Status::kCompileError, "COMPILE_ERROR"},
    {Status::kTimeout, "TIMEOUT"},
    {Status::kMalformed, "MALFORMED"},
    {Status::kRejected, "REJECTED"},
    {Status::kUnsupported, "UNSUPPORTED"},
}};

struct EffortRow {
  Effort effort;
  std::string_view name;
  int cases;
};
constexpr std::array<EffortRow, 3> kEfforts = {{
    {Effort::kQuick, "quick", 8},
    {Effort::kStandard, "standard", 32},
    {Effort::kDeep, "deep", 128},
}};

}  // namespace

std::string_view StatusName(Status status) {
  for (const auto& [known, name] : kStatuses) {
    if (known == status) return name;
  }
  KW_CHECK(false, "every status has a name");
}

std::optional<Status> StatusFromName(std::string_view name) {
  for (const auto& [status, known] : kStatuses) {
    if (known == name) return status;
  }
  return std::nullopt;
}

std::string_view EffortName(Effort effort) {
  for (const EffortRow& row : kEfforts) {
    if (row.effort == effort) return row.name;
  }
  KW_CHECK(false, "every effort has a name");
}

std::optional<Effort> EffortFromName(std::string_view name) {
  for (const EffortRow& row : kEfforts) {
    if (row.name == name) return row.effort;
  }
  return std::nullopt;
}

Result<Effort> EffortNamed(std::string_view name) {
  if (const std::optional<Effort> effort = EffortFromName(name)) return *effort;
  std::vector<std::string> known;
  for (const EffortRow& row : kEfforts) known.emplace_back(row.name);
  return Fail(ErrorCode::kInvalid, UnknownName("effort", name, known));
}

std::string_view OracleName(OracleKind kind) {
  return kind == OracleKind::kFull ? "full" : "allclose";
}

Result<OracleKind> OracleNamed(std::string_view name) {
  for (const OracleKind kind : {OracleKind::kFull, OracleKind::kAllclose}) {
    if (OracleName(kind) == name) return kind;
  }
  // Both are named, however near the wrong one comes to one of them.
  return Fail(ErrorCode::kInvalid,
              "unknown oracle '" + std::string(name) + "' (known: full, allclose)");
}

int CaseCount(Effort effort) {
  for (const EffortRow& row : kEfforts) {
    if (row.effort == effort) return row.cases;
  }
  KW_CHECK(false, "every effort has a number of cases");
}

}  // namespace kw::eval
