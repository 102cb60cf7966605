#include "progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <iostream>

#include "kw/base/text.h"
#include "kw/report.h"

namespace kw::cli {

constexpr int kBarWidth = 28;

ProgressView::~ProgressView() { Erase(); }

void ProgressView::Erase() {
  if (drawn_) std::cerr << "\r\033[K";
  drawn_ = false;
}

void ProgressView::Draw() {
  if (!terminal_ || quiet_) return;
  const int filled = planned_ > 0 ? kBarWidth * std::min(done_, planned_) / planned_ : 0;
  std::string flight;
  for (const auto& [task, stage] : stages_) flight += fmt::format("  {}:{}", task, stage);
  std::cerr << fmt::format("\r\033[K[{:#<{}}{:.<{}}] {}/{} attempts, {} passed{}", "", filled, "",
                           kBarWidth - filled, done_, planned_, passed_, Shorten(flight, 70))
            << std::flush;
  drawn_ = true;
}

void ProgressView::Began(const RunRecord& run, int attempts_done) {
  done_ = attempts_done;
  planned_ = run.attempts_planned;
  passed_ = static_cast<int>(std::count_if(run.attempts.begin(), run.attempts.end(),
                                           [](const auto& a) { return a.verdict.passed(); }));
  if (quiet_) return;
  std::cerr << fmt::format(
      "{}: {} tasks, {} epochs, {} attempts; method {}, learner {}, model {}, "
      "device {}\n",
      run.name, run.tasks_planned, run.epochs_planned, planned_, run.method, run.learner,
      run.simulated ? "the simulated author" : run.model, run.device);
  if (attempts_done > 0) std::cerr << fmt::format("{} attempts are done already\n", attempts_done);
  Draw();
}

void ProgressView::Stage(const std::string& task, const std::string& stage) {
  if (stage.empty()) {
    stages_.erase(task);
  } else {
    stages_[task] = stage;
  }
  Draw();
}

void ProgressView::Attempted(const AttemptRecord& attempt) {
  ++done_;
  passed_ += attempt.verdict.passed();
  stages_.erase(attempt.task);
  if (quiet_) return;
  if (!terminal_) {
    const eval::Verdict& verdict = attempt.verdict;
    std::cerr << fmt::format(
        "[{}/{}] epoch {} {:<14} {}{}\n", done_, planned_, attempt.epoch + 1, attempt.task,
        eval::StatusName(verdict.status),
        verdict.passed() ? fmt::format(" {:.2f}x ({})", verdict.speedup, verdict.timing_kind)
                         : " " + verdict.reason);
  }
  Draw();
}

void ProgressView::EpochEnded(const EpochRecord& epoch) {
  if (quiet_) return;
  Erase();
  std::cerr << fmt::format("epoch {}: {} of {} tasks correct; {}\n", epoch.epoch + 1, epoch.correct,
                           epoch.tasks, UsageLine(TotalOf(epoch.usage)));
  Draw();
}

}  // namespace kw::cli
