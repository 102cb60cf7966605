#include <algorithm>

#include "kw/base/file.h"
#include "kw/base/log.h"
#include "kw/base/process.h"
#include "kw/eval/worker.h"
#include "protocol.h"
#include "worker_server.h"

namespace kw::eval {
namespace {

// What a worker works with; made in an order that lets each outlive its user.
struct WorkerRooms {
  std::unique_ptr<Device> device;
  std::optional<Builder> builder;
  std::unique_ptr<Reference> reference;
  JudgeRooms rooms;
};

Result<WorkerRooms> MakeRooms(const EvaluatorConfig& config) {
  WorkerRooms made;
  KW_ASSIGN(const DeviceSheet sheet, LoadDeviceSheet(config.home + "/data/devices", config.device));
  KW_TRY(MakeDirectories(config.cache));
  made.device = MakeEmulatorDevice({.sheet = sheet, .threads = std::max(1, config.threads)});
  KW_ASSIGN(Builder builder, Builder::Make({.cache = config.cache + "/build"}));
  made.builder.emplace(std::move(builder));
  made.rooms.device = made.device.get();
  made.rooms.cache = config.cache;
  made.rooms.replays = config.replays.empty() ? config.cache + "/replays" : config.replays;
  return made;
}

}  // namespace

int ServeWorker(int in, int out, const EvaluatorConfig& config) {
  IgnoreBrokenPipes();
  Result<WorkerRooms> made = MakeRooms(config);
  if (!made) {
    const Error& error = made.error();
    const std::string line =
        FormatMessage(ErrorMessage{"", std::string(CodeName(error.code)), error.ToString()});
    if (!WriteAll(out, line)) log::Error(error.ToString());
    return 1;
  }
  made->reference = MakeReference(*made->builder, {.folder = config.cache + "/expected"});
  made->rooms.builder = &*made->builder;
  made->rooms.reference = made->reference.get();
  return WorkerServer(in, out, made->rooms, ContentStore(config.cache)).Serve();
}

}  // namespace kw::eval
