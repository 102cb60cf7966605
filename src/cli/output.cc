#include "output.h"

#include <fmt/format.h>

#include <iostream>
#include <vector>

#include "commands.h"
#include "kw/base/json.h"

namespace kw::cli {

int PrintError(const Error& error, bool json) {
  if (json) {
    std::cout << DumpJson(
                     {{"error", {{"code", CodeName(error.code)}, {"message", error.ToString()}}}})
              << "\n";
  }
  std::cerr << "kwright: " << error.ToString() << "\n";
  return kTrouble;
}

namespace {

// As a file of the same size would be refused, but before it is all there.
Result<std::string> ReadStandardInput(size_t max_bytes) {
  std::string text;
  std::vector<char> piece(1 << 16);
  while (std::cin) {
    std::cin.read(piece.data(), static_cast<std::streamsize>(piece.size()));
    text.append(piece.data(), static_cast<size_t>(std::cin.gcount()));
    if (text.size() > max_bytes) {
      return Fail(
          ErrorCode::kLimit,
          fmt::format("the standard input has more than {} bytes; no more are read", max_bytes));
    }
  }
  return text;
}

}  // namespace

Result<std::string> ReadInput(const std::string& path) {
  constexpr size_t kMaxBytes = 64 << 20;
  return path == "-" ? ReadStandardInput(kMaxBytes) : ReadFile(path, kMaxBytes);
}

std::string DescribeVerdict(const eval::Verdict& verdict) {
  std::string text = fmt::format("{}  {} at {}\n", eval::StatusName(verdict.status),
                                 verdict.reason.empty() ? "-" : verdict.reason, verdict.stage);
  if (verdict.passed() && verdict.oracle == eval::OracleKind::kAllclose) {
    text = fmt::format("PASSED  {} trials of allclose\n", verdict.cases.size());
  } else if (verdict.passed()) {
    text = fmt::format("PASSED  {} cases, {:.2f}x the baseline ({} on {}), hazards: {}\n",
                       verdict.cases.size(), verdict.speedup, verdict.timing_kind,
                       verdict.device_name, verdict.hazards);
  }
  for (const eval::WorkloadTime& workload : verdict.workloads) {
    text += fmt::format("  {:<28} {:>10.2f} us  {:>6.2f}x  {:>5.1f} % of the roofline  {}\n",
                        workload.uuid, workload.time.us, workload.speedup, workload.roofline * 100,
                        workload.checked);
  }
  if (!verdict.feedback.empty()) text += "\n" + verdict.feedback + "\n";
  if (!verdict.replay_id.empty()) text += "\nreplay: kwright replay " + verdict.replay_id + "\n";
  return text;
}

}  // namespace kw::cli
