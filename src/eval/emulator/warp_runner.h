// One warp of a block, run until it has ended, is blocked, or gives way.
#pragma once

#include <algorithm>

#include "runtime.h"

namespace kw::eval::emu {

// The lanes of `group` become those that the warp's handlers work on.
void Restore(WarpState& ws, const Group& group);

class WarpRunner {
 public:
  WarpRunner(Block& block, WarpState& ws)
      : block_(block), ws_(ws), launch_(*block.launch), ops_(block.launch->program->ops.data()) {}

  // Runs until the warp has ended, is blocked, or gives way. False: the launch stops.
  bool Run();

 private:
  int Pick();
  void MergeReady();
  bool RunGroup(size_t index);
  bool Resolve(bool* progress);
  bool Arrive();
  bool Terminate(Group& group, const Op& op, bool* leave);
  void Split(Group& group, uint32_t lanes, uint32_t pc);
  bool TakeBack(Group& group, uint32_t target);
  bool AtCollective(Group& group, const Op& op, bool* leave);
  bool AtBarrier(Group& group, const Op& op, bool* leave);
  bool CallFunction(Group& group, const Op& op, bool* leave);
  bool Enter(Group& group, const Op& op, const CallSite& site, uint32_t callee);
  void ReturnFrom(Group& group);
  void RemoveEmpty() {
    std::erase_if(ws_.groups, [](const Group& g) { return g.mask == 0; });
  }

  Block& block_;
  WarpState& ws_;
  Launch& launch_;
  const Op* ops_;
  bool gave_way_ = false;
};

}  // namespace kw::eval::emu
