// The emulator device's answers: executes the guest's requests on an Emulator, and keeps what
// the worker wants to know of a call. What the guest sends is checked here, field by field.
//
// Two ways for a request to go wrong: as CUDA has it (an error code goes back, and a refused
// launch or copy makes the call kLaunchFailed), or for good (fault, budget, unsupported, nonsense
// on the ring): then stopped() is true and every later request gets the same sticky error.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "kw/eval/blas.h"
#include "kw/eval/device.h"
#include "launch_rules.h"
#include "messages.h"
#include "program_tracker.h"
#include "ring.h"
#include "timeline.h"

namespace kw::eval {

struct ServiceReply {
  int error = 0, sticky = 0;
  uint64_t values[2] = {0, 0};
  std::string body;
};
inline ServiceReply ErrorReply(int error) { return {.error = error}; }

class DeviceService {
 public:
  explicit DeviceService(OpenMessage open);

  // Loads the PTX of a shared object. The message is for the author.
  LoadedMessage LoadObject(std::string_view object);
  LoadedMessage LoadPtx(const std::vector<std::string>& images);

  // Allocates and fills the buffers of a call; `exchange` holds the inputs.
  BeganMessage Begin(const BeginMessage& begin, std::string_view exchange);
  // Finishes the call's stream and writes the outputs into the exchange. The buffers are freed
  // when the next call begins, which may want them again.
  CallOutcome End(const EndMessage& end, char* exchange);

  // One request of the guest, already copied out of the ring.
  ServiceReply Serve(const ring::Request& request, std::string_view body);
  bool stopped() const { return fatal_.has_value(); }

 private:
  struct Kernel {
    int module = 0;
    std::string name;
    Emulator::KernelInfo info;
    uint64_t dynamic_shared_allowed = 0;
  };
  struct Buffer {
    BufferSpec spec;
    uint64_t address = 0;
    std::string poison;  // what an output held before the call
  };
  struct Area {  // rows of a copy or fill
    uint64_t address, pitch, width, rows;
  };
  struct Fatal {
    CallOutcome::Status status;
    std::string message;
    int error;
  };
  using Values = const uint64_t*;

  ServiceReply Dispatch(ring::Op op, Values v, std::string_view body);
  ServiceReply Hello() const;
  ServiceReply FindKernel(std::string_view name);
  ServiceReply FindSymbol(std::string_view name);
  ServiceReply Allocate(uint64_t bytes, uint64_t stream, uint64_t site, uint64_t kind);
  ServiceReply NotOwned(uint64_t address);
  ServiceReply Free(uint64_t address);
  ServiceReply FreeAsync(uint64_t address, uint64_t stream);
  ServiceReply CopyIn(const Area& to, uint64_t stream, bool wait, std::string_view body);
  ServiceReply CopyOut(const Area& from, uint64_t stream);
  ServiceReply CopyDevice(const Area& to, const Area& from, uint64_t stream);
  ServiceReply FillArea(const Area& to, uint8_t value, uint64_t stream);
  ServiceReply Launch(Values v, std::string_view parameters);
  ServiceReply Blas(uint64_t stream, std::string_view body);
  ServiceReply SetMaxDynamicShared(uint64_t kernel, uint64_t bytes);
  ServiceReply Occupancy(Values v);
  ServiceReply StreamCall(ring::Op op, Values v);
  ServiceReply EventCall(ring::Op op, Values v);
  ServiceReply MemoryInfo() const;
  ServiceReply PointerInfo(uint64_t address) const;
  ServiceReply Pinned(uint64_t address, uint64_t bytes);

  // What queued work does when its time comes.
  void RunLaunch(LaunchRequest request);
  double RunBlas(const BlasCall& call);
  void RunWrite(const Area& to, const std::string& bytes);
  void RunCopy(const Area& to, const Area& from);
  void RunFill(const Area& to, uint8_t value);
  void RunFree(uint64_t address);

  ServiceReply Refused(int error, std::string what);  // makes the call kLaunchFailed
  void Stop(CallOutcome::Status status, std::string message, int error);
  void StopAtFault(const std::string& message);
  std::optional<std::string> AreaFault(const Area& area) const;
  bool WritesInput(const Area& area, const char* how);
  bool Enqueue(uint64_t stream, uint64_t captured_bytes, Timeline::Work work);
  std::optional<Emulator::Allocation> FindMemory(uint64_t address) const;
  void TakeHazards();
  void NoteLaunch(LaunchRecord launch, LaunchOutcome::Status status, const std::string& message);
  void UntaintWrittenBy(const LaunchRequest& request);
  void UntaintWrittenBy(const BlasCall& call);
  bool WentThroughHost() const;
  void NoteWorkAfterCopyOut(uint64_t bytes);
  bool Moves(uint64_t bytes);
  Result<uint64_t> PlaceBuffer(const BufferSpec& spec);
  bool HasSizesOf(const std::vector<BufferSpec>& buffers) const;
  void FreeBuffers();
  void CheckInputs(const char* exchange);
  void ReadOutputs(char* exchange);
  std::string LeftUndone() const;
  void FinishProgram();
  void TakeSample();

  DeviceSheet sheet_;
  Emulator emulator_;
  uint64_t memory_limit_;
  Timeline timeline_;
  std::vector<int> modules_;
  std::vector<Kernel> kernels_;
  std::map<uint64_t, uint64_t> symbols_;  // address -> bytes
  std::map<uint64_t, uint64_t> owned_;    // the guest's allocations: address -> bytes
  std::unordered_set<uint64_t> freed_;    // addresses of those that it had
  std::map<uint64_t, uint64_t> pinned_;   // host address -> bytes
  std::set<uint64_t> from_host_;          // allocations whose last writer was a host copy
  uint64_t allocations_made_ = 0;
  uint64_t captured_bytes_ = 0;  // held by queued copies
  double now_us_ = 0;            // modelled

  std::vector<Buffer> buffers_;
  uint64_t call_stream_ = 0;
  uint64_t moved_bytes_ = 0;       // copied and filled in this call
  uint64_t brought_up_bytes_ = 0;  // to the device, after something came down in this call
  bool worked_after_copy_out_ = false;
  CallOutcome outcome_;
  std::string refused_;  // the first refusal of this call
  std::string note_;     // what a library would not do, which the candidate may have taken well
  size_t blas_on_default_stream_ = 0;  // that wait
  std::optional<Fatal> fatal_;

  bool program_;  // a whole program runs, not a candidate
  const KernelRegisters registers_;
  ProgramTracker tracker_;
};

}  // namespace kw::eval
