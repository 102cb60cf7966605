#include "session.h"

#include <fmt/format.h>
#include <poll.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "kw/base/clock.h"
#include "kw/base/file.h"
#include "kw/base/process.h"
#include "load_errors.h"
#include "wire.h"

namespace kw::eval {

using Status = CallOutcome::Status;

namespace {

// Static constructors may work, but not for long.
constexpr int64_t kLoadCpuMs = 5'000, kLoadWallMs = 50'000;
// How often the guest's CPU time, and the memory of both, are looked at.
constexpr int kTickMs = 20;
// A process that has closed its end is about to be gone, or only pretends to.
constexpr int64_t kDyingMs = 200;
constexpr uint64_t kBufferAlignment = 64;

int64_t Now() { return SystemClock().MonotonicMicros(); }

// What an emulator may hold that lends the candidate's own memory and the buffers of a call: they
// have shadows of an eighth and a bit, and outputs are kept a second time, as they were before.
int64_t EmulatorLimit(const EmulatorDeviceConfig& config, uint64_t buffer_bytes) {
  const int64_t lent = config.device_memory_bytes + 2 * static_cast<int64_t>(buffer_bytes);
  return config.emulator_memory_bytes + lent + lent / 7;
}

GuestValue ValueOf(const CallArgument& argument, uint64_t address) {
  auto bits = [](auto value) {
    uint64_t raw = 0;
    std::memcpy(&raw, &value, sizeof value);
    return raw;
  };
  switch (argument.parameter.role) {
    case Parameter::Role::kInput:
    case Parameter::Role::kOutput:
    case Parameter::Role::kStream:
      return {ValueKind::kPointer, address};
    case Parameter::Role::kAxis:
      return {ValueKind::kInt64, bits(argument.integer)};
    case Parameter::Role::kScalar:
      break;
  }
  switch (argument.parameter.dtype) {
    case DType::kFloat64:
      return {ValueKind::kDouble, bits(argument.real)};
    case DType::kInt64:
      return {ValueKind::kInt64, bits(argument.integer)};
    case DType::kInt32:
      return {ValueKind::kInt32, bits(argument.integer)};
    case DType::kInt16:
      return {ValueKind::kInt16, bits(argument.integer)};
    case DType::kInt8:
      return {ValueKind::kInt8, bits(argument.integer)};
    case DType::kUInt8:
      return {ValueKind::kUInt8, bits(argument.integer)};
    case DType::kBool:
      return {ValueKind::kUInt8, argument.integer != 0 ? 1u : 0u};
    default:
      return {ValueKind::kFloat, bits(static_cast<float>(argument.real))};
  }
}

// The guest's library for what the candidate's task allows; "": none.
Result<std::string> LibraryFor(const EmulatorDeviceConfig& config, const OpenRequest& request) {
  const bool allowed = std::find(request.libraries.begin(), request.libraries.end(), "cublas") !=
                       request.libraries.end();
  if (!allowed) return std::string();
  return ReadFile((config.programs.empty() ? ProgramDirectory() : config.programs) +
                  "/lib/libcublas.so.13");
}

bool IsBuffer(const CallArgument& argument) {
  return argument.parameter.role == Parameter::Role::kInput ||
         argument.parameter.role == Parameter::Role::kOutput;
}

}  // namespace

// The emulator's shared memory is the exchange and the ring, which are the worker's; the guest's,
// but for a mebibyte of ring, is of its own making.
EmulatorSession::EmulatorSession(const EmulatorDeviceConfig& config,
                                 std::vector<Parameter> parameters, ProcessPair pair)
    : config_(config),
      parameters_(std::move(parameters)),
      emulator_(std::move(pair.emulator)),
      guest_(std::move(pair.guest)),
      emulator_memory_(emulator_.pid(), {.bytes = EmulatorLimit(config, 0)}),
      guest_memory_(guest_.pid(), {.bytes = config.guest_memory_bytes, .shared = true}),
      channel_(std::move(pair.channel)),
      control_(std::move(pair.control)),
      ring_(std::move(pair.ring)),
      exchange_(std::move(pair.exchange)) {}

Result<OpenOutcome> EmulatorSession::Open(const EmulatorDeviceConfig& config,
                                          const OpenRequest& request,
                                          std::optional<ProcessPair> ready) {
  KW_ASSIGN(std::string object, ReadFile(request.object_path));
  if (LoadedMessage checked = CheckObject(object); !checked.ok) {
    return OpenOutcome{.message = checked.text};
  }
  if (const std::string name = RedefinedFunction(object); !name.empty()) {
    return OpenOutcome{
        .rejected = true,
        .message = fmt::format("the object defines {}, a function of the CUDA runtime: call the "
                               "runtime's own, and give yours another name",
                               name)};
  }
  if (!ready) {
    KW_ASSIGN(ProcessPair started, ProcessPair::Start(config));
    ready.emplace(std::move(started));
  }
  // Copies that nobody can change from here on. The guest's own does nothing while it is being
  // loaded.
  KW_TRY(FillAndSeal(ready->object, object));
  const Constructors constructors = TakeConstructors(&object);
  KW_TRY(FillAndSeal(ready->guest_object, object));
  KW_ASSIGN(const std::string library, LibraryFor(config, request));
  KW_TRY(FillAndSeal(ready->guest_library, library));
  std::unique_ptr<EmulatorSession> session(
      new EmulatorSession(config, request.parameters, *std::move(ready)));
  Result<OpenOutcome> outcome = session->Load(constructors, request);
  if (session->exceeded_) {
    KW_ASSIGN(CallOutcome exceeded, session->MemoryOutcome());
    return OpenOutcome{.message = "while the object was being loaded: " + exceeded.message};
  }
  if (outcome && outcome->message.empty()) outcome->session = std::move(session);
  return outcome;
}

Result<OpenOutcome> EmulatorSession::Load(const Constructors& constructors,
                                          const OpenRequest& request) {
  const Limits limits{kLoadCpuMs, Now() + kLoadWallMs * 1000};
  OpenMessage open{config_.sheet,
                   request.seed,
                   config_.device_memory_bytes,
                   config_.threads,
                   config_.program.has_value(),
                   request.registers};
  KW_TRY(channel_.Send(Message::kOpen, Encode(open)));
  std::string payload;
  KW_ASSIGN(Event caged, WaitForGuest(Message::kCaged, limits, &payload));
  auto cage = DecodeLoaded(payload);
  if (caged != Event::kPacket || !cage || !cage->ok) {
    return Fail(ErrorCode::kUnavailable,
                "the guest process could not be confined: " + (cage ? cage->text : "it ended"));
  }
  KW_ASSIGN(Frame ready, FromEmulator(Message::kReady, limits.deadline_us));
  auto loaded = DecodeLoaded(ready.payload);
  if (!loaded) return Fail(ErrorCode::kInternal, "the emulator sent a broken message");
  if (!loaded->ok) return OpenOutcome{.unsupported = loaded->unsupported, .message = loaded->text};

  KW_TRY(SendPacket(control_.get(), Message::kLoad, Encode(constructors)));
  KW_ASSIGN(Event event, WaitForGuest(Message::kLoaded, limits, &payload));
  switch (event) {
    case Event::kPacket:
      break;
    case Event::kEnded: {
      guest_exit_ = guest_.Wait(kDyingMs);
      KW_ASSIGN(CallOutcome collected, Collect(false, limits.deadline_us));
      CallOutcome ended = GuestEnded(std::move(collected));
      return OpenOutcome{.unsupported = ended.status == Status::kUnsupported,
                         .message = "while the object was being loaded: " + ended.message};
    }
    case Event::kStopped: {
      KW_ASSIGN(CallOutcome stopped, Collect(false, limits.deadline_us));
      return OpenOutcome{.unsupported = stopped.status == Status::kUnsupported,
                         .message = "while the object was being loaded: " + stopped.message};
    }
    case Event::kCpuLimit:
      return OpenOutcome{
          .message = fmt::format("loading the object took more than {} ms of CPU time: its static "
                                 "constructors do not end",
                                 kLoadCpuMs)};
    case Event::kMemoryLimit:
      return Fail(ErrorCode::kLimit, "too much memory");
    case Event::kWallLimit:
      return Fail(ErrorCode::kTimeout, "loading the object took too long");
    case Event::kNonsense:
      return OpenOutcome{.message = "the object wrote to the guest's control socket"};
  }
  loaded = DecodeLoaded(payload);
  if (!loaded) return OpenOutcome{.message = "the object wrote to the guest's control socket"};
  if (loaded->ok) return OpenOutcome{};
  LoadedMessage explained = ExplainLoadError(loaded->text);
  return OpenOutcome{.unsupported = explained.unsupported, .message = explained.text};
}

Result<Frame> EmulatorSession::FromEmulator(Message expected, int64_t deadline_us) {
  for (;;) {
    while (!channel_.Readable(kTickMs) && Now() < deadline_us) {
      if (HoldsTooMuch()) return Fail(ErrorCode::kLimit, "too much memory");
    }
    KW_ASSIGN(std::optional<Frame> frame, channel_.Receive(deadline_us));
    if (!frame) {
      auto exit = emulator_.Wait(kDyingMs);
      return Fail(ErrorCode::kInternal, exit && exit->signal
                                            ? "the emulator ended: " + SignalText(exit->signal)
                                            : std::string("the emulator ended"));
    }
    if (frame->type == expected) return std::move(*frame);
    if (frame->type != Message::kStopped) {
      return Fail(ErrorCode::kInternal, "the emulator sent a message out of turn");
    }
  }
}

Result<int64_t> EmulatorSession::GuestCpuMicros() const {
  clockid_t clock;
  timespec used;
  if (clock_getcpuclockid(guest_.pid(), &clock) != 0 || clock_gettime(clock, &used) != 0) {
    return Fail(ErrorCode::kNotFound, "the guest has ended");
  }
  return int64_t{used.tv_sec} * 1'000'000 + used.tv_nsec / 1000;
}

Result<EmulatorSession::Event> EmulatorSession::WaitForGuest(Message expected, const Limits& limits,
                                                             std::string* payload) {
  auto started = GuestCpuMicros();
  for (;;) {
    if (HoldsTooMuch()) return Event::kMemoryLimit;
    pollfd waiting[] = {{control_.get(), POLLIN, 0}, {channel_.fd(), POLLIN, 0}};
    // Until it is loaded the emulator may answer kReady, which FromEmulator takes.
    nfds_t watched = expected == Message::kCaged ? 1 : 2;
    int events = poll(waiting, watched, kTickMs);
    if (events > 0 && waiting[0].revents != 0) {
      KW_ASSIGN(std::optional<Frame> packet, ReceivePacket(control_.get()));
      if (!packet) return Event::kEnded;
      if (packet->type != expected) return Event::kNonsense;
      *payload = std::move(packet->payload);
      return Event::kPacket;
    }
    if (events > 0 && waiting[1].revents != 0) {
      KW_TRY(FromEmulator(Message::kStopped, limits.deadline_us));
      return Event::kStopped;
    }
    auto used = GuestCpuMicros();
    if (started && used && *used - *started > limits.cpu_ms * 1000) return Event::kCpuLimit;
    if (Now() > limits.deadline_us) return Event::kWallLimit;
  }
}

Result<BeginMessage> EmulatorSession::LayOut(const CallRequest& request) {
  BeginMessage begin;
  begin.seed = request.seed;
  begin.budget = request.lane_instruction_budget;
  begin.reuse_buffers = request.reuse_buffers;
  begin.sampling = request.sampling;
  for (const CallArgument& argument : request.arguments) {
    if (!IsBuffer(argument)) continue;
    bool output = argument.parameter.role == Parameter::Role::kOutput;
    uint64_t bytes = output ? argument.output_bytes : argument.bytes.size();
    begin.buffers.push_back({argument.parameter.name, output, begin.exchange_bytes, bytes});
    begin.exchange_bytes += (bytes + kBufferAlignment - 1) / kBufferAlignment * kBufferAlignment;
  }
  KW_TRY(exchange_.Need(std::max<uint64_t>(1, begin.exchange_bytes)));
  size_t buffer = 0;
  for (const CallArgument& argument : request.arguments) {
    if (!IsBuffer(argument)) continue;
    const BufferSpec& spec = begin.buffers[buffer++];
    if (!spec.output)
      std::memcpy(exchange_.data() + spec.offset, argument.bytes.data(), spec.bytes);
  }
  return begin;
}

Result<CallOutcome> EmulatorSession::Call(const CallRequest& request) {
  if (dead_) return Fail(ErrorCode::kInvalid, "the session has ended: open another");
  size_t expected = static_cast<size_t>(std::count_if(
      parameters_.begin(), parameters_.end(),
      [](const Parameter& parameter) { return parameter.role != Parameter::Role::kStream; }));
  if (request.arguments.size() != expected) {
    return Fail(ErrorCode::kInvalid, fmt::format("`run` takes {} arguments, {} are given", expected,
                                                 request.arguments.size()));
  }
  // Until proven otherwise: any way out of here but the last leaves the processes useless.
  dead_ = true;
  Result<CallOutcome> outcome = Converse(request);
  if (exceeded_) outcome = MemoryOutcome();
  if (!outcome) return outcome;
  dead_ = outcome->status != Status::kOk && outcome->status != Status::kLaunchFailed;
  if (dead_) End();
  return outcome;
}

Result<CallOutcome> EmulatorSession::Converse(const CallRequest& request) {
  const Limits limits{request.host_cpu_ms, Now() + request.wall_ms * 1000};
  KW_ASSIGN(BeginMessage begin, LayOut(request));
  emulator_memory_.set_limit_bytes(EmulatorLimit(config_, begin.exchange_bytes));
  KW_TRY(channel_.Send(Message::kBegin, Encode(begin)));
  KW_ASSIGN(Frame answer, FromEmulator(Message::kBegan, limits.deadline_us));
  auto began = DecodeBegan(answer.payload);
  if (!began) return Fail(ErrorCode::kInternal, "the emulator sent a broken message");
  if (!began->ok) {
    CallOutcome outcome;
    outcome.status = Status::kUnsupported;
    outcome.message = began->text;
    return outcome;
  }
  GuestCall call{++calls_, {}};
  size_t buffer = 0;
  for (const CallArgument& argument : request.arguments) {
    call.values.push_back(
        ValueOf(argument, IsBuffer(argument) ? began->addresses.at(buffer++) : 0));
  }
  call.values.push_back({ValueKind::kPointer, began->stream});
  ring_.header().crash_signal = 0;
  std::string payload;
  Event event = Event::kEnded;
  if (SendPacket(control_.get(), Message::kCall, Encode(call))) {
    KW_ASSIGN(event, WaitForGuest(Message::kDone, limits, &payload));
  }
  if (event == Event::kPacket &&
      (payload.size() != sizeof calls_ || WireReader(payload).Number<uint64_t>() != calls_)) {
    event = Event::kNonsense;
  }
  return Finish(event, request, begin, limits.deadline_us);
}

Result<CallOutcome> EmulatorSession::Collect(bool drain, int64_t deadline_us) {
  KW_TRY(channel_.Send(Message::kEnd, Encode(EndMessage{drain})));
  KW_ASSIGN(Frame frame, FromEmulator(Message::kEnded, deadline_us));
  auto outcome = DecodeOutcome(frame.payload);
  if (!outcome) return Fail(ErrorCode::kInternal, "the emulator sent a broken message");
  return std::move(*outcome);
}

Result<CallOutcome> EmulatorSession::Finish(Event event, const CallRequest& request,
                                            const BeginMessage& begin, int64_t deadline_us) {
  if (event == Event::kWallLimit) {
    CallOutcome outcome;
    outcome.status = Status::kWallLimit;
    outcome.message = fmt::format("the call took more than {} ms", request.wall_ms);
    return outcome;
  }
  if (event == Event::kMemoryLimit) return Fail(ErrorCode::kLimit, "too much memory");
  if (event == Event::kEnded) guest_exit_ = guest_.Wait(kDyingMs);
  if (event != Event::kPacket) guest_.Kill();
  auto collected = Collect(event == Event::kPacket, deadline_us);
  if (!collected && collected.error().code == ErrorCode::kTimeout) {
    return Finish(Event::kWallLimit, request, begin, deadline_us);
  }
  if (!collected) return collected;
  CallOutcome outcome = std::move(*collected);
  switch (event) {
    case Event::kPacket:
      if (outcome.status == Status::kOk || outcome.status == Status::kLaunchFailed) {
        TakeOutputs(begin, &outcome);
      }
      break;
    case Event::kEnded:
      return GuestEnded(std::move(outcome));
    case Event::kCpuLimit:
      outcome.status = Status::kHostLimit;
      outcome.message = fmt::format("the host code of `run` used more than {} ms of CPU time",
                                    request.host_cpu_ms);
      break;
    case Event::kNonsense:
      outcome.status = Status::kProtocol;
      outcome.message = "the candidate wrote to the guest's control socket";
      break;
    case Event::kStopped:
    case Event::kMemoryLimit:
    case Event::kWallLimit:
      break;
  }
  return outcome;
}

// Ends both processes when one holds more memory than it may.
bool EmulatorSession::HoldsTooMuch() {
  for (MemoryWatch* watch : {&guest_memory_, &emulator_memory_}) {
    if (!exceeded_ && watch->Exceeded()) exceeded_ = watch;
  }
  if (!exceeded_) return false;
  guest_.Kill();
  emulator_.Kill();
  return true;
}

Result<CallOutcome> EmulatorSession::MemoryOutcome() const {
  const bool of_host = exceeded_ == &guest_memory_;
  CallOutcome outcome;
  outcome.status = of_host ? Status::kHostMemory : Status::kDeviceMemory;
  outcome.message = fmt::format("{} held {} MiB of memory; it may hold {} MiB",
                                of_host ? "the host code" : "the device, for this candidate,",
                                exceeded_->held_bytes() >> 20, exceeded_->allowed_bytes() >> 20);
  if (exceeded_->short_of_machine()) {
    return Fail(ErrorCode::kUnavailable, "this machine has too little memory: " + outcome.message);
  }
  return outcome;
}

CallOutcome EmulatorSession::GuestEnded(CallOutcome collected) {
  const std::optional<ProcessExit>& exit = guest_exit_;
  // What stopped the device explains why the host code gave up.
  if (collected.status != Status::kOk && collected.status != Status::kLaunchFailed) {
    return collected;
  }
  std::string before = collected.message.empty() || collected.status == Status::kOk
                           ? ""
                           : "; before that, " + collected.message;
  if (!exit) {
    collected.status = Status::kProtocol;
    collected.message = "the candidate closed the guest's control socket" + before;
    return collected;
  }
  if (exit->signal == 0) {
    collected.status = Status::kGuestExited;
    collected.program.exit_code = exit->code;
    collected.message =
        fmt::format("the host code ended its process (exit code {}){}", exit->code, before);
    return collected;
  }
  collected.status = Status::kGuestCrashed;
  collected.message = fmt::format("the host code crashed: {}", SignalText(exit->signal));
  uint64_t address = ring_.header().crash_address;
  if (ring_.header().crash_signal == static_cast<uint32_t>(exit->signal)) {
    collected.message += fmt::format(" at address 0x{:x}", address);
    if (ring::IsDeviceAddress(address)) {
      collected.message +=
          ", which is device memory: host code must not dereference device pointers";
    }
  }
  collected.message += before;
  return collected;
}

void EmulatorSession::TakeOutputs(const BeginMessage& begin, CallOutcome* outcome) {
  for (const BufferSpec& spec : begin.buffers) {
    if (spec.output) outcome->outputs.emplace_back(exchange_.data() + spec.offset, spec.bytes);
  }
  outcome->output_written.resize(outcome->outputs.size());
}

void EmulatorSession::End() {
  guest_.Kill();
  emulator_.Kill();
  (void)guest_.Wait(kDyingMs);
  (void)emulator_.Wait(kDyingMs);
}

}  // namespace kw::eval
