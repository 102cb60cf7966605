// bench_hostile [--count N] [--out FILE] [--context KEY=VALUE ...]: N hostile candidates in a row
// through one worker, and what they leave behind. Exit status 1 when anything is left or any of
// them passed. FILE gets the figures, below what the context says.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <set>

#include "attacks/attack_files.h"
#include "kw/base/clock.h"
#include "kw/base/json.h"
#include "process_tree.h"

namespace kw::eval {
namespace {

namespace fs = std::filesystem;

// Kinds whose candidates use up a limit on purpose: seconds each.
const std::set<std::string> kSlowKinds = {"hangs", "allocations", "compile", "output"};

int WorkerOf(int controller) {
  for (const int pid : test::DescendantsOf(controller)) {
    if (test::IsNamed(pid, "kwright-worker")) return pid;
  }
  return 0;
}

int64_t EntriesOf(const std::string& folder) {
  std::error_code error;
  return std::distance(fs::directory_iterator(folder, error), fs::directory_iterator());
}

// Files and folders at any depth whose path, below `folder`, holds `part`.
int64_t AllEntriesOf(const std::string& folder, const std::string& part) {
  // A walk ends early where a folder vanishes under it: then once more.
  for (int attempt = 0;; ++attempt) {
    std::error_code error;
    int64_t count = 0;
    fs::recursive_directory_iterator at(folder, fs::directory_options::skip_permission_denied,
                                        error);
    for (; !error && at != fs::recursive_directory_iterator(); at.increment(error)) {
      const std::string below = at->path().string().substr(folder.size());
      count += below.find(part) != below.npos ? 1 : 0;
    }
    if (!error || attempt == 5) return count;
  }
}

// What could be left behind.
struct Traces {
  int worker = 0;
  int64_t processes = 0, worker_descriptors = 0, own_descriptors = 0, shared_memory = 0,
          scratch = 0, worker_kib = 0;
};

// Once it is quiet: a guest that was killed is gone, and the pair of processes that the next
// candidate will have is ready.
Traces Look() {
  sleep(2);
  Traces traces;
  traces.worker = WorkerOf(getpid());
  const std::string proc = "/proc/" + std::to_string(traces.worker);
  traces.processes = static_cast<int64_t>(test::DescendantsOf(getpid()).size());
  traces.worker_descriptors = EntriesOf(proc + "/fd");
  traces.own_descriptors = EntriesOf("/proc/self/fd");
  traces.shared_memory = AllEntriesOf("/dev/shm", "kwright");
  traces.scratch = AllEntriesOf(std::getenv("TMPDIR"), "");
  std::ifstream status(proc + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmRSS:")) traces.worker_kib = std::atoll(line.c_str() + 6);
  }
  return traces;
}

Json TracesJson(const Traces& traces) {
  return {{"processes", traces.processes},
          {"worker_descriptors", traces.worker_descriptors},
          {"controller_descriptors", traces.own_descriptors},
          {"shared_memory_files", traces.shared_memory},
          {"scratch_files", traces.scratch},
          {"worker_resident_kib", traces.worker_kib}};
}

struct Hostile {
  AttackFile file;
  Task task;
  BuildOutcome built;
};

// Those that build: what is judged N times is the object.
Result<std::vector<Hostile>> BuildAll(Evaluator& evaluator) {
  std::vector<Hostile> hostile;
  for (const std::string& path : AttackPaths("kernels")) {
    AttackFile file = ReadAttackFile(path);
    if (kSlowKinds.contains(file.kind) ||
        (file.statuses.front() == "TIMEOUT" || path.ends_with("/endless.cu"))) {
      continue;
    }
    KW_ASSIGN(Task task, NativeTask(file.task));
    KW_ASSIGN(BuildOutcome built, evaluator.Build(task, file.source));
    if (built.ok) hostile.push_back({std::move(file), std::move(task), std::move(built)});
  }
  return hostile;
}

int Run(int64_t count, const std::string& out, Json json) {
  EvaluatorConfig config = E2eConfig();
  // All that anybody leaves in a temporary folder is left here.
  const auto scratch = ScratchDirectory::Make("hostile_bench");
  const std::string temporary = scratch->path() + "/tmp";
  fs::create_directory(temporary);
  setenv("TMPDIR", temporary.c_str(), 1);
  config.replays = scratch->path() + "/replays";
  const auto evaluator = MakeEvaluator(config);
  if (!evaluator) {
    std::fprintf(stderr, "%s\n", evaluator.error().ToString().c_str());
    return 2;
  }
  const auto hostile = BuildAll(**evaluator);
  if (!hostile) {
    std::fprintf(stderr, "%s\n", hostile.error().ToString().c_str());
    return 2;
  }
  std::map<std::string, int64_t> statuses;
  int64_t passed = 0, unexpected = 0, environmental = 0;
  const auto judge = [&](const Hostile& one) {
    const auto verdict = (*evaluator)->Judge(one.task, one.file.source, one.built, {.seed = 1});
    if (!verdict) {
      std::fprintf(stderr, "%s: %s\n", one.file.path.c_str(), verdict.error().ToString().c_str());
      ++unexpected;
      return;
    }
    ++statuses[std::string(StatusName(verdict->status))];
    environmental += verdict->environmental ? 1 : 0;
    if (verdict->passed()) {
      std::fprintf(stderr, "passed: %s\n", one.file.path.c_str());
      ++passed;
    } else if (!HasExpectedStatus(one.file, *verdict)) {
      std::fprintf(stderr, "%s: %s\n", one.file.path.c_str(), VerdictToJson(*verdict).c_str());
      ++unexpected;
    }
  };
  // Each task's reference process and baseline stay with the worker: they are there before.
  std::set<std::string> tasks;
  for (const Hostile& one : *hostile) {
    if (!tasks.insert(one.task.name).second) continue;
    const auto honest = (*evaluator)->Evaluate(one.task, one.task.baseline_cu, {.seed = 1});
    if (!honest || !honest->passed()) {
      std::fprintf(stderr, "the baseline of %s does not pass\n", one.task.name.c_str());
      return 2;
    }
  }
  const Traces before = Look();
  const int64_t start_us = SystemClock().MonotonicMicros();
  for (int64_t i = 0; i < count; ++i) judge((*hostile)[static_cast<size_t>(i) % hostile->size()]);
  const double seconds = static_cast<double>(SystemClock().MonotonicMicros() - start_us) / 1e6;
  const Traces after = Look();

  const bool alive = after.worker != 0 && after.worker == before.worker;
  const bool clean = after.processes <= before.processes &&
                     after.worker_descriptors <= before.worker_descriptors &&
                     after.own_descriptors <= before.own_descriptors &&
                     after.shared_memory <= before.shared_memory && after.scratch <= before.scratch;
  json.update(Json{{"command", "build/release/bench_hostile --count " + std::to_string(count)},
                   {"candidates", count},
                   {"different_candidates", hostile->size()},
                   {"seconds", seconds},
                   {"candidates_a_second", static_cast<double>(count) / seconds},
                   {"passed", passed},
                   {"unexpected_status", unexpected},
                   {"environmental", environmental},
                   {"statuses", statuses},
                   {"worker_alive", alive},
                   {"nothing_left", clean},
                   {"before", TracesJson(before)},
                   {"after", TracesJson(after)}});
  const std::string text = DumpJsonPretty(json) + "\n";
  std::printf("%s", text.c_str());
  if (!out.empty()) std::ofstream(out) << text;
  return alive && clean && passed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace kw::eval

int main(int argc, char** argv) {
  int64_t count = 200;
  std::string out;
  kw::Json context = kw::Json::object();
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string flag = argv[i], value = argv[i + 1];
    const size_t equals = value.find('=');
    if (flag == "--count") {
      count = std::atoll(value.c_str());
    } else if (flag == "--out") {
      out = value;
    } else if (flag == "--context" && equals != value.npos) {
      context[value.substr(0, equals)] = value.substr(equals + 1);
    } else {
      std::fprintf(stderr, "%s %s: the flags are --count N, --out FILE and --context KEY=VALUE\n",
                   flag.c_str(), value.c_str());
      return 2;
    }
  }
  return kw::eval::Run(count, out, std::move(context));
}
