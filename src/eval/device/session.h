// The worker's side of one candidate: its two processes and the conversation with them.
#pragma once

#include <memory>
#include <optional>

#include "kw/base/memory_watch.h"
#include "kw/eval/device.h"
#include "process_pair.h"

namespace kw::eval {

class EmulatorSession : public Session {
 public:
  // Loads the object into `ready`, or into processes that it starts.
  static Result<OpenOutcome> Open(const EmulatorDeviceConfig& config, const OpenRequest& request,
                                  std::optional<ProcessPair> ready);

  Result<CallOutcome> Call(const CallRequest& request) override;

 private:
  // What a wait for the guest's next packet ended with.
  enum class Event { kPacket, kEnded, kStopped, kCpuLimit, kMemoryLimit, kWallLimit, kNonsense };
  struct Limits {
    int64_t cpu_ms = 0, deadline_us = 0;
  };

  EmulatorSession(const EmulatorDeviceConfig& config, std::vector<Parameter> parameters,
                  ProcessPair pair);

  Result<OpenOutcome> Load(const Constructors& constructors, const OpenRequest& request);
  Result<CallOutcome> Converse(const CallRequest& request);
  Result<Event> WaitForGuest(Message expected, const Limits& limits, std::string* payload);
  Result<Frame> FromEmulator(Message expected, int64_t deadline_us);
  Result<CallOutcome> Collect(bool drain, int64_t deadline_us);
  Result<BeginMessage> LayOut(const CallRequest& request);
  void TakeOutputs(const BeginMessage& begin, CallOutcome* outcome);
  Result<CallOutcome> Finish(Event event, const CallRequest& request, const BeginMessage& begin,
                             int64_t deadline_us);
  CallOutcome GuestEnded(CallOutcome collected);
  bool HoldsTooMuch();
  Result<CallOutcome> MemoryOutcome() const;
  Result<int64_t> GuestCpuMicros() const;
  void End();

  const EmulatorDeviceConfig config_;
  std::vector<Parameter> parameters_;
  Child emulator_, guest_;
  MemoryWatch emulator_memory_, guest_memory_;
  const MemoryWatch* exceeded_ = nullptr;  // the one for which both were killed
  Channel channel_;
  Descriptor control_;
  Ring ring_;
  Exchange exchange_;
  std::optional<ProcessExit> guest_exit_;  // when it ended by itself
  uint64_t calls_ = 0;
  bool dead_ = false;
};

}  // namespace kw::eval
