// device: what runs a candidate's `run`: the emulator (a CUDA GPU comes beside it).
//
// Processes (design 4.7). The worker, who calls this, starts two for each candidate:
//   kwright-emulator   our code: owns device memory, runs the PTX of the artefact that the worker
//                      names; outputs, hazards and counters go from it to the worker only
//   kwright-guest      untrusted: loads the candidate's shared object; its libcudart.so.13 is a
//                      thin client of the emulator over a shared ring; it sees what its calls
//                      return and nothing else
// Whatever the guest writes is copied once and validated.
//
//   std::unique_ptr<Device> device = MakeEmulatorDevice({.sheet = sheet});
//   KW_ASSIGN(OpenOutcome opened, device->Open({.object_path = path, .parameters = ..., .seed =
//   7})); if (!opened.session) verdict = RUNTIME_ERROR at stage load, opened.message;
//   KW_ASSIGN(CallOutcome done, opened.session->Call(request));
//
// A Session serves one thread, the one that opened it: its processes end with that thread.
// Sessions are independent of each other.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kw/base/confine.h"
#include "kw/eval/emulator.h"
#include "kw/eval/task.h"

namespace kw::eval {

// One argument of `run`, in the prototype's order, without the stream.
struct CallArgument {
  Parameter parameter;
  std::string bytes;          // kInput: the contents, in the tensor's dtype
  uint64_t output_bytes = 0;  // kOutput: size to allocate
  double real = 0;            // kScalar of a float dtype
  int64_t integer = 0;        // kScalar of an integer or bool dtype; kAxis
};

struct CallRequest {
  std::vector<CallArgument> arguments;
  uint64_t seed = 0;  // places and poisons the buffers, orders warps
  // In the buffers of the call before, where that had buffers of the same sizes: what a benchmark
  // does that allocates once. Their contents are fresh all the same.
  bool reuse_buffers = false;
  // Large launches run in part (Emulator::BeginSampling), and the outcome says which.
  std::optional<Sampling> sampling;
  uint64_t lane_instruction_budget = 2'000'000'000;
  int64_t host_cpu_ms = 5'000;  // of the guest
  int64_t wall_ms = 50'000;     // backstop; such an outcome is environmental
};

struct LaunchRecord {
  std::string kernel;  // mangled
  Dim3 grid, block;
  uint32_t dynamic_shared = 0;
  Counters counters;  // of the whole grid
  uint64_t blocks_run = 0;
  double error = 0;  // of a sampled launch, as in LaunchOutcome
};

// What of a call with sampled launches can be looked at.
struct SampledCall {
  std::string unusable;          // SampledStores::unusable
  std::vector<ByteRuns> stored;  // for each output the bytes that may be compared
};

// What a program did with the runtime; of a candidate's calls nothing is kept here. A site is where
// its code called from, as an offset in its object (addr2line tells the line); 0 unknown.
struct CallFailure {
  std::string call;   // "cudaMemcpy"; "a kernel launch"
  std::string error;  // "cudaErrorInvalidValue"
  std::string text;   // what the device says of it, or ""
  uint64_t site = 0;
  bool launch = false;     // a launch that hardware refuses
  bool looked_at = false;  // cudaGetLastError, cudaGetErrorString, ... asked for it afterwards
  bool last = false;       // no other call of the runtime came after it
};
struct DeviceAllocation {
  std::string name;  // as hazards call it
  uint64_t bytes = 0, site = 0;
  bool freed = false;
};
struct ProgramTrace {
  int exit_code = -1;        // -1: it did not end by itself
  uint64_t left_undone = 0;  // operations that nothing waited for; they were run at its end
  std::vector<CallFailure> failures;          // the first 100
  std::vector<DeviceAllocation> allocations;  // the first 10000
};

struct CallOutcome {
  enum class Status {
    kOk,
    kGuestCrashed,  // a signal ended the guest: `message` names it
    kGuestExited,   // it called exit, or its process ended
    kHostLimit,     // CPU time of its host code
    kDeviceLimit,   // instruction budget: an endless or far too slow kernel
    kHostMemory,    // its host code holds more memory than a guest may
    kDeviceMemory,  // the emulator would hold more for it than it lends
    kDeviceFault,   // see hazards
    kLaunchFailed,  // a launch or runtime call that hardware refuses; the CUDA error is named
    kUnsupported,   // the emulator does not have it; never the author's fault
    kProtocol,      // the guest wrote nonsense to the ring
    kWallLimit,     // environmental
  };
  Status status = Status::kOk;
  std::string message;                 // for the author; with kOk a note on work that the call
                                       // left undone on other streams, or ""
  std::vector<std::string> outputs;    // contents, in the order of the kOutput arguments
  std::vector<bool> output_written;    // some byte of it was written
  std::vector<Hazard> hazards;         // input_written and guard zones included
  std::vector<LaunchRecord> launches;  // in the order in which they ran
  uint64_t host_to_device_bytes = 0, device_to_host_bytes = 0;
  // Copies and fills within device memory: how many, and the bytes that they read and wrote.
  uint64_t device_moves = 0, device_moved_bytes = 0;
  // Device memory that the candidate has allocated and not freed, from this call and those before.
  uint64_t kept_allocations = 0, kept_bytes = 0;
  // Some output's last writer was a copy from host memory, or what the outputs hold went through
  // the host: inputs or partial results were copied down, and work followed that could bring them
  // back (docs/formats/guest-protocol.md).
  bool result_from_host = false;
  std::optional<SampledCall> sampled;  // some launch ran in part
  std::string printed;                 // device printf
  ProgramTrace program;
};

// A loaded candidate. It keeps its state (statics, workspaces) between calls.
class Session {
 public:
  virtual ~Session() = default;
  // An error only when our own processes fail (environmental); the guest's misdeeds are outcomes.
  // After any status but kOk, kLaunchFailed the session is dead: open another.
  [[nodiscard]] virtual Result<CallOutcome> Call(const CallRequest& request) = 0;
};

// What ptxas said of kernels: registers a thread, by the mangled name.
using KernelRegisters = std::map<std::string, int, std::less<>>;

struct OpenRequest {
  std::string object_path;                 // the build artefact
  std::vector<Parameter> parameters = {};  // CandidateParameters(task)
  uint64_t seed = 0;
  KernelRegisters registers = {};  // empty where ptxas did not run
  // What the task allows besides the runtime ("cublas"): who is not given one here does not find
  // it.
  std::vector<std::string> libraries = {};
};

struct OpenOutcome {
  std::unique_ptr<Session> session;  // empty when the object cannot be loaded
  bool unsupported = false;          // ... because the emulator lacks something
  bool rejected = false;             // ... because it redefines functions of the CUDA runtime
  std::string message;               // why, for the author
};

class Device {
 public:
  virtual ~Device() = default;
  virtual std::string kind() const = 0;  // "emulator" | "cuda"
  virtual std::string name() const = 0;  // "a100_sxm4"
  virtual const DeviceSheet& sheet() const = 0;
  [[nodiscard]] virtual Result<OpenOutcome> Open(const OpenRequest& request) = 0;
  // Starts what the calling thread's next Open will need, so that it finds it waiting in its cage.
  // Every candidate has a guest of its own, warm or not.
  virtual void Prepare() {}
};

// Takes what a program writes to its standard output and error, on threads of its own, so that the
// program never waits. Serves one program.
class GuestOutput {
 public:
  // Of each stream that many bytes are kept.
  explicit GuestOutput(size_t kept_bytes);
  ~GuestOutput();
  struct Streams {
    std::string out, err;
    uint64_t dropped = 0;  // bytes
  };
  // All of it; waits for the program's end, so its session is gone by then.
  Streams Take();

  struct Impl;  // of this room
  Impl& impl() { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

// A whole program in a candidate's place: the function `entry`, int (int, char**), is called with
// `arguments` by the session's first Call, which takes none, and the process ends when it returns.
struct GuestProgram {
  std::string entry = "main";
  std::vector<std::string> arguments;  // argv, the program's name first
  std::shared_ptr<GuestOutput> output;
};

struct EmulatorDeviceConfig {
  DeviceSheet sheet;
  std::string programs;  // folder of kwright-emulator, kwright-guest and
                         // lib/lib{cudart,cublas}.so.13; "" = beside this program
  // That run the blocks of a large launch. No outcome depends on it.
  int threads = 1;
  int64_t device_memory_bytes = 4LL << 30;  // that a candidate may have allocated at once
  int64_t guest_memory_bytes = 2LL << 30;
  // Of the emulator besides what it lends: programs and their variables, queued copies.
  int64_t emulator_memory_bytes = 2LL << 30;
  std::optional<GuestProgram> program;
};
std::unique_ptr<Device> MakeEmulatorDevice(EmulatorDeviceConfig config);

// The layers of the cage that guests run in, and which of them this machine has: a missing required
// one means that no candidate runs; a missing optional one, that the others carry its weight
// (docs/design/sandbox.md).
[[nodiscard]] std::vector<CageLayer> ProbeCage();

}  // namespace kw::eval
