#include "reference_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>

#include "kw/base/clock.h"
#include "kw/base/text.h"

namespace kw::eval {
namespace {

// It stops itself after 20 s of CPU time a call; this is for a machine that gives it none.
constexpr int64_t kWallUs = 45'000'000;
constexpr int64_t kAddressSpaceBytes = 16LL << 30;
constexpr uint64_t kMaxFaultBytes = 1 << 12;

}  // namespace

ReferenceProcess::ReferenceProcess(Child child, int64_t memory_bytes)
    : child_(std::move(child)), memory_(child_.pid(), {.bytes = memory_bytes, .shared = true}) {}

Patience ReferenceProcess::WatchedPatience() {
  return {SystemClock().MonotonicMicros() + kWallUs, [this]() -> Result<void> {
            if (!memory_.Exceeded()) return {};
            child_.Kill();
            const std::string text =
                fmt::format("it held {} MiB of memory; it may hold {} MiB",
                            memory_.held_bytes() >> 20, memory_.allowed_bytes() >> 20);
            if (memory_.short_of_machine()) {
              return Fail(ErrorCode::kUnavailable,
                          "the reference's process: " + text + " on this machine");
            }
            return Fail(ErrorCode::kInvalid, text);
          }};
}

Result<std::unique_ptr<ReferenceProcess>> ReferenceProcess::Start(const std::string& program,
                                                                  const std::string& object,
                                                                  int64_t memory_bytes) {
  KW_ASSIGN(Child child, Child::Start({
                             .argv = {program, object},
                             .no_new_privileges = true,
                             .expendable = true,
                             .discard_stderr = true,
                             .limits = {.memory_bytes = kAddressSpaceBytes},
                         }));
  fcntl(child.in(), F_SETFL, O_NONBLOCK);
  std::unique_ptr<ReferenceProcess> process(new ReferenceProcess(std::move(child), memory_bytes));
  KW_TRY(process->TakeAnswer('R', kMaxFaultBytes, process->WatchedPatience()));
  return process;
}

Result<std::string> ReferenceProcess::TakeAnswer(char kind, uint64_t max_bytes,
                                                 const Patience& patience) {
  Result<std::string> answer = TakeFrame(child_.out(), max_bytes, patience);
  const auto failed_with = [&](ErrorCode code) { return !answer && answer.error().code == code; };
  if (failed_with(ErrorCode::kTimeout) || failed_with(ErrorCode::kInvalid) ||
      failed_with(ErrorCode::kUnavailable)) {
    child_.Kill();
    return Fail(std::move(answer).error());
  }
  if (failed_with(ErrorCode::kNotFound)) {
    const std::optional<ProcessExit> exit = child_.Wait(1000);
    if (exit && exit->signal == SIGKILL) {
      return Fail(ErrorCode::kUnavailable, "the reference's process was killed from outside");
    }
    return Fail(ErrorCode::kInvalid, "it ended its process instead of returning");
  }
  if (!answer) {
    child_.Kill();
    return Fail(ErrorCode::kInvalid, "it wrote to the oracle's pipe");
  }
  if (answer->size() >= 5 && answer->front() == 'F') {
    return Fail(ErrorCode::kInvalid,
                Shorten(ToValidUtf8(std::string_view(*answer).substr(5)), 300));
  }
  if (answer->empty() || answer->front() != kind) {
    child_.Kill();
    return Fail(ErrorCode::kInvalid, "it wrote to the oracle's pipe");
  }
  return answer->substr(1);
}

Result<std::string> ReferenceProcess::Call(const std::vector<ReferenceArgument>& arguments) {
  uint64_t output_bytes = 0;
  for (const ReferenceArgument& argument : arguments) {
    if (argument.is_output()) output_bytes += argument.count * 8;
  }
  const Patience patience = WatchedPatience();
  Result<void> sent = SendFrame(child_.in(), EncodeReferenceCall(arguments), patience);
  // A process that ended may have said why.
  if (!sent && sent.error().code != ErrorCode::kIo) return Fail(std::move(sent).error());
  KW_ASSIGN(std::string outputs,
            TakeAnswer('O', std::max<uint64_t>(output_bytes + 1, kMaxFaultBytes), patience));
  if (outputs.size() != output_bytes) {
    child_.Kill();
    return Fail(ErrorCode::kInvalid, "it wrote to the oracle's pipe");
  }
  return outputs;
}

}  // namespace kw::eval
