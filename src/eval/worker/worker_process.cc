#include "worker_process.h"

#include <algorithm>

#include "kw/base/clock.h"
#include "kw/base/text.h"
#include "now.h"

namespace kw::eval {
namespace {

std::optional<ErrorCode> CodeFromName(std::string_view name) {
  for (int code = 0; code <= static_cast<int>(ErrorCode::kInternal); ++code) {
    if (CodeName(static_cast<ErrorCode>(code)) == name) return static_cast<ErrorCode>(code);
  }
  return std::nullopt;
}

Error ErrorOf(const ErrorMessage& message) {
  return {CodeFromName(message.code).value_or(ErrorCode::kInternal), message.text, {}};
}

Result<void> CheckHello(const HelloMessage& hello, const DeviceSheet& sheet) {
  if (hello.protocol != kProtocolVersion) {
    return Fail(ErrorCode::kInvalid, "the worker speaks protocol " +
                                         std::to_string(hello.protocol) + ", this program " +
                                         std::to_string(kProtocolVersion));
  }
  std::vector<std::string> names;
  for (const auto& device : hello.devices) {
    if (device.name == sheet.name && device.hash == sheet.hash) return {};
    names.push_back(device.name);
  }
  return Fail(ErrorCode::kInvalid, "the worker judges for " + Join(names, ", ") + ", not for " +
                                       sheet.name +
                                       " as this program's data sheet describes it: start it with "
                                       "--device " +
                                       sheet.name + " and the same data/devices");
}

}  // namespace

Result<std::unique_ptr<WorkerProcess>> WorkerProcess::Start(const std::vector<std::string>& command,
                                                            const DeviceSheet& sheet,
                                                            int64_t hello_timeout_ms) {
  const std::string doing = "starting a worker (" + Join(command, " ") + ")";
  Result<Child> child = Child::Start({.argv = command, .inherit_environment = true});
  if (!child) return Fail(std::move(child).error().While(doing));
  std::unique_ptr<WorkerProcess> worker(new WorkerProcess(std::move(*child)));
  const int64_t deadline_ms = NowMs() + hello_timeout_ms;
  while (true) {
    Result<std::optional<std::string>> line =
        worker->reader_.Next(std::max<int64_t>(0, deadline_ms - NowMs()));
    if (!line) return Fail(std::move(line).error().While(doing));
    if (!*line) {
      return Fail(Error{ErrorCode::kUnavailable, "it ended before its hello", {}}.While(doing));
    }
    Result<Message> message = ParseMessage(**line);
    if (!message) continue;
    if (const auto* error = std::get_if<ErrorMessage>(&*message)) {
      return Fail(ErrorOf(*error).While(doing));
    }
    auto* hello = std::get_if<HelloMessage>(&*message);
    if (hello == nullptr) continue;
    if (auto fits = CheckHello(*hello, sheet); !fits) {
      return Fail(std::move(fits).error().While(doing));
    }
    worker->hello_ = std::move(*hello);
    break;
  }
  HelloMessage own;
  own.build = worker->hello_.build;
  if (auto sent = WriteAll(worker->child_.in(), FormatMessage(own)); !sent) {
    return Fail(std::move(sent).error().While(doing));
  }
  return worker;
}

Result<void> WorkerProcess::SendBlobs(const std::vector<std::string>& hashes,
                                      const Provider& provider) {
  for (const std::string& hash : hashes) {
    KW_ASSIGN(const std::string bytes, provider(hash));
    size_t offset = 0;
    do {
      BlobMessage blob;
      blob.hash = hash;
      blob.offset = offset;
      blob.data = bytes.substr(offset, kBlobChunk);
      offset += blob.data.size();
      blob.last = offset >= bytes.size();
      KW_TRY(WriteAll(child_.in(), FormatMessage(blob)));
    } while (offset < bytes.size());
  }
  return {};
}

WorkerProcess::Outcome WorkerProcess::Evaluate(
    const EvaluateMessage& message, const Provider& provider,
    const std::function<void(const std::string&)>& progress, int64_t timeout_ms) {
  Outcome outcome;
  const auto lost = [&](const std::string& text) {
    outcome.lost = true;
    outcome.lost_text = text;
    return outcome;
  };
  const int64_t deadline_ms = NowMs() + timeout_ms;
  if (auto sent = WriteAll(child_.in(), FormatMessage(message)); !sent) {
    return lost(sent.error().ToString());
  }
  while (true) {
    Result<std::optional<std::string>> line =
        reader_.Next(std::max<int64_t>(0, deadline_ms - NowMs()));
    if (!line && line.error().code == ErrorCode::kTimeout) {
      outcome.timed_out = true;
      return outcome;
    }
    if (!line) return lost(line.error().ToString());
    if (!*line) return lost("the worker ended");
    Result<Message> got = ParseMessage(**line);
    if (!got) return lost("the worker sent a line that is no message: " + got.error().ToString());
    if (const auto* need = std::get_if<NeedMessage>(&*got)) {
      if (auto sent = SendBlobs(need->hashes, provider); !sent) {
        if (sent.error().code == ErrorCode::kIo) return lost(sent.error().ToString());
        outcome.error = std::move(sent).error();
        // The worker would wait for the rest for ever.
        outcome.lost = true;
        return outcome;
      }
    } else if (const auto* stage = std::get_if<ProgressMessage>(&*got)) {
      if (progress && stage->id == message.id) progress(stage->stage);
    } else if (auto* result = std::get_if<ResultMessage>(&*got)) {
      if (result->id != message.id) continue;
      outcome.verdict = std::move(result->verdict);
      return outcome;
    } else if (const auto* error = std::get_if<ErrorMessage>(&*got)) {
      if (!error->id.empty() && error->id != message.id) continue;
      outcome.error = ErrorOf(*error);
      return outcome;
    }
  }
}

}  // namespace kw::eval
