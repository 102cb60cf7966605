#include "loop.h"

#include <fmt/format.h>

#include <algorithm>

#include "kw/base/hash.h"
#include "kw/base/parallel.h"
#include "kw/base/random.h"

namespace kw {

using eval::Task;

Result<void> RunEpochs(const LoopRooms& run) {
  for (int epoch = 0; epoch < run.config.epochs; ++epoch) {
    std::vector<std::vector<const Task*>> batches = BatchesOf(run.tasks, run.config, epoch);
    for (size_t b = 0; b < batches.size(); ++b) {
      const std::string batch = fmt::format("e{}/b{}", epoch, b);

      auto solve = [&](size_t i) -> Result<Trajectory> {
        const Task& task = *batches[b][i];
        KW_ASSIGN(Lessons lessons, run.learner.Recall(task, batch));
        KW_ASSIGN(std::vector<AttemptRecord> attempts,
                  SolveTask(run.attempts, run.method, task, lessons, batch + "/" + task.name));
        return Trajectory{&task, std::move(lessons), std::move(attempts)};
      };
      KW_ASSIGN(std::vector<Trajectory> trajectories,
                ParallelMap<Trajectory>(batches[b].size(), run.config.parallel_tasks, solve));

      KW_TRY(run.learner.Learn(batch, trajectories));
      KW_TRY(run.chronicle.EndBatch(std::move(trajectories)));
    }
    KW_TRY(run.chronicle.EndEpoch(epoch));
  }
  return {};
}

std::vector<std::vector<const Task*>> BatchesOf(const std::vector<Task>& tasks,
                                                const RunConfig& config, int epoch) {
  std::vector<const Task*> order;
  for (const Task& task : tasks) order.push_back(&task);
  Random random(DeriveSeed(config.seed, fmt::format("e{}/order", epoch)));
  for (size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.Below(i)]);

  std::vector<std::vector<const Task*>> batches;
  for (size_t i = 0; i < order.size(); ++i) {
    if (i % static_cast<size_t>(config.batch) == 0) batches.emplace_back();
    batches.back().push_back(order[i]);
  }
  return batches;
}

}  // namespace kw
