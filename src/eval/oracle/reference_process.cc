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
constexpr int64_t kMemoryBytes = 16LL << 30;
constexpr uint64_t kMaxFaultBytes = 1 << 12;

}  // namespace

Result<std::unique_ptr<ReferenceProcess>> ReferenceProcess::Start(const std::string& program,
                                                                  const std::string& object) {
  KW_ASSIGN(Child child, Child::Start({
                             .argv = {program, object},
                             .no_new_privileges = true,
                             .discard_stderr = true,
                             .limits = {.memory_bytes = kMemoryBytes},
                         }));
  fcntl(child.in(), F_SETFL, O_NONBLOCK);
  std::unique_ptr<ReferenceProcess> process(new ReferenceProcess(std::move(child)));
  const int64_t deadline_us = SystemClock().MonotonicMicros() + kWallUs;
  KW_TRY(process->TakeAnswer('R', kMaxFaultBytes, deadline_us));
  return process;
}

Result<std::string> ReferenceProcess::TakeAnswer(char kind, uint64_t max_bytes,
                                                 int64_t deadline_us) {
  Result<std::string> answer = TakeFrame(child_.out(), max_bytes, deadline_us);
  if (!answer && answer.error().code == ErrorCode::kTimeout) {
    child_.Kill();
    return Fail(std::move(answer).error());
  }
  if (!answer && answer.error().code == ErrorCode::kNotFound) {
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
  const int64_t deadline_us = SystemClock().MonotonicMicros() + kWallUs;
  Result<void> sent = SendFrame(child_.in(), EncodeReferenceCall(arguments), deadline_us);
  // A process that ended may have said why.
  if (!sent && sent.error().code != ErrorCode::kIo) return Fail(std::move(sent).error());
  KW_ASSIGN(std::string outputs,
            TakeAnswer('O', std::max<uint64_t>(output_bytes + 1, kMaxFaultBytes), deadline_us));
  if (outputs.size() != output_bytes) {
    child_.Kill();
    return Fail(ErrorCode::kInvalid, "it wrote to the oracle's pipe");
  }
  return outputs;
}

}  // namespace kw::eval
