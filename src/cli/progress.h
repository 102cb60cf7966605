// Shows a run as it goes, on stderr: a bar with the tasks in flight on a terminal, a line an
// attempt elsewhere.
#pragma once

#include <map>
#include <mutex>
#include <string>

#include "kw/agent.h"

namespace kw::cli {

class ProgressView : public RunObserver {
 public:
  ProgressView(bool terminal, bool quiet) : terminal_(terminal), quiet_(quiet) {}
  ~ProgressView() override;

  void Began(const RunRecord& run, int attempts_done) override;
  void Stage(const std::string& task, const std::string& stage) override;
  void Attempted(const AttemptRecord& attempt) override;
  void EpochEnded(const EpochRecord& epoch) override;

 private:
  void Draw();
  void Erase();

  const bool terminal_, quiet_;
  bool drawn_ = false;
  int done_ = 0, planned_ = 0, passed_ = 0;
  std::map<std::string, std::string> stages_;  // task -> stage, of those in flight
};

}  // namespace kw::cli
