#include "baseline_times.h"

#include <cmath>

#include "build_target.h"
#include "kw/base/clock.h"
#include "kw/base/file.h"
#include "kw/base/hash.h"
#include "kw/base/json.h"
#include "kw/base/log.h"
#include "limited_session.h"
#include "program_identity.h"

namespace kw::eval {
namespace {

// The same for every run, so that a time in the cache does not depend on who asked first.
constexpr uint64_t kSeed = 0;

std::optional<std::map<std::string, double>> ReadCached(const Task& task, const std::string& path) {
  const auto text = ReadFile(path);
  if (!text) return std::nullopt;
  const auto json = ParseJson(*text, path);
  if (!json || !json->is_object() || json->size() != task.workloads.size()) return std::nullopt;
  std::map<std::string, double> times;
  for (const Workload& workload : task.workloads) {
    const auto it = json->find(workload.uuid);
    if (it == json->end() || !it->is_number() || !(it->get<double>() > 0)) return std::nullopt;
    times[workload.uuid] = it->get<double>();
  }
  return times;
}

tl::unexpected<Error> TaskFault(const Task& task, const std::string& what) {
  return Fail(ErrorCode::kInvalid,
              "task " + task.name + ": its baseline.cu " + what +
                  "; no speedup can be told until the task folder is repaired");
}

}  // namespace

std::string BaselineCachePath(const Task& task, const JudgeRooms& rooms) {
  const DeviceSheet& sheet = rooms.device->sheet();
  const std::string key = Hasher()
                              .Add(task.hash)
                              .Add(task.BaselineFor(sheet.sm))
                              .Add(sheet.hash)
                              .Add(rooms.builder->toolchain().nvcc_version)
                              .Add(ProgramIdentity())
                              .Hex();
  return rooms.cache + "/baselines/" + key + ".json";
}

Result<std::map<std::string, double>> BaselineTimes(const Task& task, const JudgeRooms& rooms) {
  const std::string path = BaselineCachePath(task, rooms);
  if (auto cached = ReadCached(task, path)) return *cached;

  const DeviceSheet& sheet = rooms.device->sheet();
  const std::string& source = task.BaselineFor(sheet.sm);
  if (source.empty()) return TaskFault(task, "is missing");
  KW_ASSIGN(const BuildOutcome built, rooms.builder->BuildCandidate(source, TargetOf(task, sheet)));
  if (!built.ok) return TaskFault(task, "does not build: " + built.feedback);
  KW_ASSIGN(OpenOutcome opened, rooms.device->Open({.object_path = built.object_path,
                                                    .parameters = CandidateParameters(task),
                                                    .seed = kSeed,
                                                    .registers = RegistersOf(built.resources),
                                                    .libraries = task.allowed_libraries}));
  if (!opened.session) return TaskFault(task, "cannot be loaded: " + opened.message);
  LimitedSession session(*opened.session, {}, SystemClock());
  KW_ASSIGN(const TimingReport report,
            TimeWorkloads(task, session, sheet, built.resources, *rooms.reference, {}, kSeed));
  if (report.failure.environmental) {
    return Fail(ErrorCode::kTimeout,
                "timing the baseline of task " + task.name + ": " + report.failure.feedback);
  }
  if (!report.ok) return TaskFault(task, "fails: " + report.failure.feedback);

  std::map<std::string, double> times;
  Json json = Json::object();
  for (const WorkloadTime& workload : report.workloads) {
    times[workload.uuid] = workload.time.us;
    json[workload.uuid] = workload.time.us;
  }
  if (auto made = MakeDirectories(rooms.cache + "/baselines"); made) {
    if (auto written = WriteFileAtomic(path, DumpJson(json)); !written) {
      log::Warn("the baseline's times are not cached: " + written.error().ToString());
    }
  }
  return times;
}

}  // namespace kw::eval
