// Methods: what the next attempt at a task is asked for. Every method makes `parallel` chains of
// `iterations` attempts; they differ in what an attempt sees of its chain.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "attempt.h"
#include "prompt_views.h"
#include "prompts.h"

namespace kw {

// What a method may look at when it plans an attempt.
struct ChainView {
  const eval::Task& task;
  const eval::DeviceSheet& sheet;
  const Lessons& lessons;
  const std::vector<AttemptRecord>& chain;  // the attempts so far, in order
  std::string step;                         // of the attempt to come
};

class Method {
 public:
  virtual ~Method() = default;
  // The prompt of the next attempt, and its parent. Called from several threads.
  [[nodiscard]] virtual Result<AttemptPlan> Plan(const ChainView& view) = 0;
};

// `name`: base | best_of_n | refine | metr. Prompts and steps outlive the method.
[[nodiscard]] Result<std::unique_ptr<Method>> MakeMethod(const std::string& name,
                                                         const PromptSet& prompts, Steps& steps);

// All attempts at one task, in order of chain and iteration. `prefix`: "e1/b0/softmax".
[[nodiscard]] Result<std::vector<AttemptRecord>> SolveTask(const AttemptRooms& rooms,
                                                           Method& method, const eval::Task& task,
                                                           const Lessons& lessons,
                                                           const std::string& prefix);

}  // namespace kw
