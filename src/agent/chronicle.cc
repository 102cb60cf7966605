#include "chronicle.h"

#include <fmt/format.h>

#include <algorithm>

#include "kw/base/file.h"

namespace kw {
namespace {

bool CheckedInFull(const eval::Verdict& verdict) {
  return std::all_of(verdict.workloads.begin(), verdict.workloads.end(),
                     [](const eval::WorkloadTime& time) { return time.checked == "full"; });
}

bool IsBetter(const eval::Verdict& a, const eval::Verdict& b) {
  if (a.passed() && b.passed() && CheckedInFull(a) != CheckedInFull(b)) return CheckedInFull(a);
  if (a.passed() || b.passed()) return CompareVerdicts(a, b) > 0;
  return a.progress() > b.progress();
}

}  // namespace

size_t BestOf(const std::vector<const AttemptRecord*>& attempts) {
  size_t best = 0;
  for (size_t i = 1; i < attempts.size(); ++i) {
    if (IsBetter(attempts[i]->verdict, attempts[best]->verdict)) best = i;
  }
  return best;
}

EpochRecord SummariseEpoch(int epoch, const std::vector<const AttemptRecord*>& attempts) {
  EpochRecord record{.epoch = epoch};
  std::map<std::string, std::vector<const AttemptRecord*>> by_task;
  for (const AttemptRecord* attempt : attempts) {
    if (IsVoid(attempt->verdict)) continue;
    by_task[attempt->task].push_back(attempt);
    ++record.attempts;
    record.attempts_correct += attempt->verdict.passed();
  }
  std::vector<double> speedups;
  for (const auto& [task, of_task] : by_task) {
    const eval::Verdict& best = of_task[BestOf(of_task)]->verdict;
    ++record.tasks;
    if (!best.passed()) continue;
    ++record.correct;
    record.fast_1 += best.speedup > 1;
    speedups.push_back(best.speedup);
  }
  record.speedup = eval::GeometricMean(speedups);
  return record;
}

void SetUsage(EpochRecord& record, UsageByRole usage) {
  const Usage total = TotalOf(usage);
  record.model_calls = total.calls;
  record.prompt_tokens = total.prompt_tokens;
  record.completion_tokens = total.completion_tokens;
  record.cost_usd = total.cost_usd;
  record.usage = std::move(usage);
}

Chronicle::Chronicle(std::string folder, Journal& journal, Bank* bank, Reporter& reporter)
    : folder_(std::move(folder)), journal_(journal), bank_(bank), reporter_(reporter) {}

Result<void> Chronicle::EndBatch(std::vector<Trajectory> trajectories) {
  for (Trajectory& trajectory : trajectories) {
    for (AttemptRecord& attempt : trajectory.attempts) {
      attempt.prompt.clear();  // the journal has them; a long run's would fill the memory
      attempt.answer.clear();
      history_[trajectory.task->name].push_back(std::move(attempt));
    }
    KW_TRY(WriteBest(trajectory.task->name));
  }
  return {};
}

Result<void> Chronicle::WriteBest(const std::string& task) {
  std::vector<const AttemptRecord*> attempts;
  for (const AttemptRecord& attempt : history_[task]) attempts.push_back(&attempt);
  if (attempts.empty()) return {};
  const AttemptRecord& best = *attempts[BestOf(attempts)];
  if (!best.verdict.passed() || written_[task] == best.step) return {};
  KW_TRY(MakeDirectories(folder_ + "/best"));
  KW_TRY(WriteFileAtomic(fmt::format("{}/best/{}.cu", folder_, task), best.source));
  written_[task] = best.step;
  return {};
}

Result<void> Chronicle::EndEpoch(int epoch) {
  KW_ASSIGN(std::vector<EpochRow> rows, journal_.Epochs());
  for (const EpochRow& row : rows) {
    if (row.epoch == epoch) return {};
  }
  EpochRow row{.epoch = epoch};
  if (bank_ != nullptr) {
    KW_ASSIGN(BankStats stats, bank_->Stats());
    row.memory_items = stats.items;
    row.rules = stats.rules_kept;
  }
  KW_TRY(journal_.SetEpoch(row));

  std::vector<const AttemptRecord*> attempts;
  for (const auto& [task, of_task] : history_) {
    for (const AttemptRecord& attempt : of_task) {
      if (attempt.epoch == epoch) attempts.push_back(&attempt);
    }
  }
  EpochRecord record = SummariseEpoch(epoch, attempts);
  record.memory_items = row.memory_items;
  record.rules = row.rules;
  KW_ASSIGN(UsageByRole usage, journal_.UsageBelow(fmt::format("e{}/", epoch)));
  SetUsage(record, std::move(usage));
  reporter_.EpochEnded(record);
  return {};
}

}  // namespace kw
