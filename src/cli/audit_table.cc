// The table of a corpus: the benchmarks' check beside ours, on several devices, failures replayed.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <iostream>
#include <set>

#include "audit.h"
#include "commands.h"
#include "kw/base/json.h"
#include "output.h"
#include "rooms.h"

namespace kw::cli {
namespace {

struct AuditConfig {
  std::string folder;
  std::vector<std::string> devices;
  bool allclose = false;
  uint64_t seed = 1;
  eval::Effort effort = eval::Effort::kStandard;
  int workers = 0;
};

struct AuditDevice {
  std::string name;
  int sm = 0;
  std::vector<JudgedKernel> judged;  // in the order of the kernels
};

struct AuditTable {
  AuditConfig config;
  std::vector<CertifiedKernel> kernels;
  std::vector<eval::Verdict> allclose;  // empty where it was not asked for
  std::vector<AuditDevice> devices;
};

struct AuditSums {
  size_t faults = 0, controls = 0;
  size_t allclose_found = 0, allclose_passed = 0;  // by what benchmarks check
  size_t found = 0, passed = 0;                    // by ours, on every device
  size_t agree = 0;                                // kernels of one verdict on all devices
  size_t failing = 0, replayed = 0;                // verdicts; of them, the same once more
  std::vector<std::string> misses;
};

Error InFile(Error error, const std::string& where) {
  error.message = where + ": " + error.message;
  return error;
}

Result<void> CheckNumber(int64_t value, int64_t least, int64_t most, const std::string& where) {
  if (value >= least && value <= most) return {};
  return Fail(ErrorCode::kInvalid, fmt::format("{} = {} is out of range: it must lie in [{}, {}]",
                                               where, value, least, most));
}

Result<void> ReadOracles(ObjectReader& reader, AuditConfig& config) {
  KW_ASSIGN(const auto oracles,
            reader.Optional<std::vector<std::string>>("oracles", {"allclose", "full"}));
  bool full = false;
  for (const std::string& name : oracles) {
    const auto kind = eval::OracleNamed(name);
    if (!kind) return Fail(InFile(kind.error(), reader.where() + ".oracles"));
    (*kind == eval::OracleKind::kFull ? full : config.allclose) = true;
  }
  if (full) return {};
  return Fail(ErrorCode::kInvalid, reader.where() +
                                       ".oracles must hold \"full\": the table says what it finds; "
                                       "\"allclose\" stands beside it");
}

Result<AuditConfig> ParseAuditConfig(std::string_view text, const std::string& path) {
  KW_ASSIGN(const Json json, ParseToml(text, path));
  ObjectReader top(json, path);
  const Json* table = top.Find("audit");
  if (table == nullptr || !table->is_object()) {
    return Fail(ErrorCode::kInvalid, path + ": an audit wants a table [audit]");
  }
  KW_TRY(top.RejectUnknown());
  ObjectReader reader(*table, path + ": audit");
  AuditConfig config;
  KW_ASSIGN(config.folder, reader.Required<std::string>("folder"));
  KW_ASSIGN(config.devices, reader.Optional<std::vector<std::string>>("devices", {"a100_sxm4"}));
  KW_ASSIGN(const int64_t seed, reader.Optional<int64_t>("seed", 1));
  KW_ASSIGN(const std::string effort, reader.Optional<std::string>("effort", "standard"));
  KW_ASSIGN(const int64_t workers, reader.Optional<int64_t>("workers", 0));
  KW_TRY(ReadOracles(reader, config));
  KW_TRY(reader.RejectUnknown());
  const auto named = eval::EffortNamed(effort);
  if (!named) return Fail(InFile(named.error(), reader.where() + ".effort"));
  config.effort = *named;
  KW_TRY(CheckNumber(seed, 0, int64_t{1} << 53, reader.where() + ".seed"));
  KW_TRY(CheckNumber(workers, 0, 64, reader.where() + ".workers"));
  config.seed = static_cast<uint64_t>(seed);
  config.workers = static_cast<int>(workers);
  return config;
}

Result<void> Override(AuditConfig& config, const AuditOverrides& overrides) {
  if (!overrides.devices.empty()) config.devices = overrides.devices;
  if (overrides.seed) config.seed = *overrides.seed;
  if (!overrides.effort.empty()) {
    KW_ASSIGN(config.effort, eval::EffortNamed(overrides.effort));
  }
  if (overrides.workers > 0) config.workers = overrides.workers;
  if (config.workers == 0) config.workers = DefaultWorkers();
  return {};
}

// Before anything is judged: a name that is wrong should not be found out after minutes.
Result<std::vector<AuditDevice>> DevicesOf(const AuditConfig& config, const std::string& path) {
  KW_ASSIGN(const std::string home, ProgramHome());
  std::vector<AuditDevice> devices;
  for (const std::string& name : config.devices) {
    const auto sheet = eval::LoadDeviceSheet(home + "/data/devices", name);
    if (!sheet) return Fail(InFile(sheet.error(), path + ": audit.devices"));
    for (const AuditDevice& device : devices) {
      if (device.name != name) continue;
      return Fail(ErrorCode::kInvalid, path + ": audit.devices holds " + name + " twice");
    }
    devices.push_back({name, sheet->sm, {}});
  }
  if (devices.empty()) return Fail(ErrorCode::kInvalid, path + ": audit.devices names no device");
  return devices;
}

// A corpus is complete or it is none: every file says what it is.
Result<std::vector<CertifiedKernel>> CorpusOf(const AuditConfig& config) {
  std::string folder = config.folder;
  if (!IsDirectory(folder)) {
    KW_ASSIGN(const std::string home, ProgramHome());
    if (IsDirectory(home + "/" + folder)) folder = home + "/" + folder;
  }
  KW_ASSIGN(const eval::TaskLibrary tasks, OpenTasks());
  KW_ASSIGN(CertifiedKernels found, KernelsOfFolder(folder, "", tasks));
  if (!found.refused.empty()) return Fail(found.refused.front());
  for (const CertifiedKernel& kernel : found.kernels) {
    if (!kernel.label.kind.empty()) continue;
    return Fail(ErrorCode::kInvalid,
                folder + "/" + kernel.name +
                    ": its second line must be '// control: ...' or '// fault: ...' "
                    "(docs/formats/corpus.md)");
  }
  return std::move(found.kernels);
}

// "h100_sxm: 12 of 26" on a terminal.
class AuditProgress {
 public:
  AuditProgress(std::string what, size_t count, bool quiet)
      : what_(std::move(what)), count_(count), shown_(!quiet && isatty(STDERR_FILENO) != 0) {}
  ~AuditProgress() {
    if (shown_) std::cerr << "\r\033[K";
  }
  void Next() {
    const size_t done = ++done_;
    if (shown_) std::cerr << fmt::format("\r\033[K{}: {} of {}", what_, done, count_);
  }

 private:
  const std::string what_;
  const size_t count_;
  const bool shown_;
  std::atomic<size_t> done_ = 0;
};

Result<std::vector<JudgedKernel>> JudgeOn(const AuditTable& table, eval::Evaluator& evaluator,
                                          eval::OracleKind oracle, bool quiet) {
  const std::string what = std::string(eval::OracleName(oracle)) + " on " + evaluator.sheet().name;
  AuditProgress progress(what, table.kernels.size(), quiet);
  AuditJudging judging;
  judging.options = {.seed = table.config.seed, .effort = table.config.effort, .oracle = oracle};
  judging.workers = table.config.workers;
  judging.replay = oracle == eval::OracleKind::kFull;
  judging.judged = [&] { progress.Next(); };
  return JudgeKernels(table.kernels, evaluator, judging);
}

Result<AuditTable> JudgeTable(const std::string& path, const AuditOverrides& overrides) {
  AuditTable table;
  KW_ASSIGN(const std::string text, ReadFile(path, 1 << 20));
  KW_ASSIGN(table.config, ParseAuditConfig(text, path));
  KW_TRY(Override(table.config, overrides));
  KW_ASSIGN(table.devices, DevicesOf(table.config, path));
  KW_ASSIGN(table.kernels, CorpusOf(table.config));
  for (AuditDevice& device : table.devices) {
    KW_ASSIGN(const auto evaluator,
              OpenEvaluator(device.name, table.config.workers, !overrides.fresh));
    if (table.config.allclose && &device == &table.devices.front()) {
      KW_ASSIGN(auto judged,
                JudgeOn(table, *evaluator, eval::OracleKind::kAllclose, overrides.json));
      for (JudgedKernel& kernel : judged) table.allclose.push_back(std::move(kernel.verdict));
    }
    KW_ASSIGN(device.judged, JudgeOn(table, *evaluator, eval::OracleKind::kFull, overrides.json));
  }
  return table;
}

std::string WordOf(const eval::Verdict& verdict) {
  return verdict.environmental ? "(" + verdict.reason + ")" : verdict.reason;
}

// What one kernel adds to the sums.
void AddKernel(const AuditTable& table, size_t i, AuditSums& sums) {
  const CertifiedKernel& kernel = table.kernels[i];
  const bool fault = kernel.label.kind == "fault";
  const eval::Verdict& first = table.devices[0].judged[i].verdict;
  bool as_it_is = true, agree = true;
  for (const AuditDevice& device : table.devices) {
    const JudgedKernel& judged = device.judged[i];
    const eval::Verdict& verdict = judged.verdict;
    const bool right = fault ? judged.wrong() : verdict.passed();
    as_it_is = as_it_is && right;
    agree = agree && verdict.status == first.status && verdict.reason == first.reason;
    if (!right) {
      sums.misses.push_back(fmt::format("{}: a {} that is {} on {}", kernel.name, kernel.label.kind,
                                        WordOf(verdict), device.name));
    }
    if (!judged.wrong()) continue;
    ++sums.failing;
    sums.replayed += judged.same_verdict_again() ? 1 : 0;
    if (!judged.same_verdict_again()) {
      sums.misses.push_back(fmt::format(
          "{}: {} on {}", kernel.name,
          judged.replay ? "its replay gives another verdict" : "there is nothing to replay",
          device.name));
    }
  }
  if (!agree) sums.misses.push_back(kernel.name + ": the devices disagree");
  sums.agree += agree ? 1 : 0;
  (fault ? sums.faults : sums.controls) += 1;
  if (as_it_is) (fault ? sums.found : sums.passed) += 1;
  if (table.allclose.empty()) return;
  const bool close = table.allclose[i].passed();
  if (fault && !close) ++sums.allclose_found;
  if (!fault && close) ++sums.allclose_passed;
}

AuditSums SumsOf(const AuditTable& table) {
  AuditSums sums;
  for (size_t i = 0; i < table.kernels.size(); ++i) AddKernel(table, i, sums);
  return sums;
}

// "same" where each failing verdict came again, "-" where there was none.
std::string ReplayWord(const AuditTable& table, size_t i) {
  size_t failing = 0, same = 0;
  for (const AuditDevice& device : table.devices) {
    failing += device.judged[i].wrong() ? 1 : 0;
    same += device.judged[i].same_verdict_again() ? 1 : 0;
  }
  if (failing == 0) return "-";
  return same == failing ? "same" : fmt::format("{} of {}", same, failing);
}

std::string TableForPeople(const AuditTable& table, const AuditSums& sums) {
  const AuditConfig& config = table.config;
  std::string text =
      fmt::format("{}: {} faults and {} controls; seed {}, effort {}\n\n{:<28} {:<8} {:<18}",
                  config.folder, sums.faults, sums.controls, config.seed,
                  eval::EffortName(config.effort), "kernel", "is a", "task");
  if (config.allclose) text += fmt::format(" {:<10}", "allclose");
  for (const AuditDevice& device : table.devices) {
    text += fmt::format(" {:<17}",
                        fmt::format("{} {}.{}", device.name, device.sm / 10, device.sm % 10));
  }
  text += " replay\n";
  for (size_t i = 0; i < table.kernels.size(); ++i) {
    const CertifiedKernel& kernel = table.kernels[i];
    text += fmt::format("{:<28} {:<8} {:<18}", kernel.name, kernel.label.kind, kernel.task.name);
    if (config.allclose) text += fmt::format(" {:<10}", WordOf(table.allclose[i]));
    for (const AuditDevice& device : table.devices) {
      text += fmt::format(" {:<17}", WordOf(device.judged[i].verdict));
    }
    text += " " + ReplayWord(table, i) + "\n";
  }
  text += fmt::format("\nfaults found      {}/{}", sums.found, sums.faults);
  if (config.allclose)
    text += fmt::format("   (allclose: {}/{})", sums.allclose_found, sums.faults);
  text += fmt::format("\ncontrols passed   {}/{}", sums.passed, sums.controls);
  if (config.allclose) {
    text += fmt::format("   (allclose: {}/{})", sums.allclose_passed, sums.controls);
  }
  text += fmt::format("\ndevices agree on  {}/{}\nreplayed the same {}/{}\n", sums.agree,
                      table.kernels.size(), sums.replayed, sums.failing);
  for (const std::string& miss : sums.misses) text += "MISS: " + miss + "\n";
  return text;
}

Json VerdictCell(const JudgedKernel& judged) {
  const eval::Verdict& verdict = judged.verdict;
  Json cell = {{"status", eval::StatusName(verdict.status)}, {"reason", verdict.reason}};
  if (verdict.environmental) cell["environmental"] = true;
  if (verdict.failing) {
    cell["case"] = {{"id", verdict.failing->id},
                    {"axes", verdict.failing->axes},
                    {"group", verdict.failing->group}};
  }
  if (judged.replay) {
    cell["replay"] = {{"id", verdict.replay_id},
                      {"inputs_hash", judged.replay->inputs_hash},
                      {"same_inputs", judged.replay->same_inputs},
                      {"same_verdict", judged.same_verdict_again()}};
  }
  return cell;
}

std::string TableAsJson(const AuditTable& table, const AuditSums& sums) {
  Json json = {{"folder", table.config.folder},
               {"seed", table.config.seed},
               {"effort", eval::EffortName(table.config.effort)},
               {"devices", Json::array()},
               {"sums",
                {{"faults", sums.faults},
                 {"controls", sums.controls},
                 {"faults_found", sums.found},
                 {"controls_passed", sums.passed}}}};
  for (const AuditDevice& device : table.devices) {
    json["devices"].push_back(
        {{"name", device.name},
         {"compute_capability", fmt::format("{}.{}", device.sm / 10, device.sm % 10)}});
  }
  if (table.config.allclose) {
    json["sums"]["allclose_faults_found"] = sums.allclose_found;
    json["sums"]["allclose_controls_passed"] = sums.allclose_passed;
  }
  json["sums"]["devices_agree"] = sums.agree;
  json["sums"]["failing_verdicts"] = sums.failing;
  json["sums"]["replayed_the_same"] = sums.replayed;
  json["misses"] = sums.misses;
  json["kernels"] = Json::array();
  for (size_t i = 0; i < table.kernels.size(); ++i) {
    const CertifiedKernel& kernel = table.kernels[i];
    Json row = {{"name", kernel.name},
                {"task", kernel.task.name},
                {"is", kernel.label.kind},
                {"about", kernel.label.about}};
    if (table.config.allclose) row["allclose"] = VerdictCell({table.allclose[i], {}});
    for (const AuditDevice& device : table.devices) {
      row["full"][device.name] = VerdictCell(device.judged[i]);
    }
    json["kernels"].push_back(std::move(row));
  }
  return DumpJson(json);
}

}  // namespace

bool IsAuditExperiment(const std::string& path) {
  const auto text = ReadFile(path, 1 << 20);
  if (!text) return false;
  const auto json = ParseToml(*text, path);
  return json && json->contains("audit");
}

int PrintAuditTable(const std::string& path, const AuditOverrides& overrides) {
  const Result<AuditTable> table = JudgeTable(path, overrides);
  if (!table) return PrintError(table.error(), overrides.json);
  const AuditSums sums = SumsOf(*table);
  std::cout << (overrides.json ? TableAsJson(*table, sums) + "\n" : TableForPeople(*table, sums));
  return sums.misses.empty() ? kDone : kNo;
}

}  // namespace kw::cli
