// bench_hostile [--count N] [--out FILE]: N hostile candidates in a row through one worker, and
// what they leave behind. Exit status 1 when anything is left or any of them passed.
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <set>

#include "attacks/attack_files.h"
#include "kw/base/json.h"

namespace kw::eval {
namespace {

namespace fs = std::filesystem;

// Kinds whose candidates use up a limit on purpose: seconds each.
const std::set<std::string> kSlowKinds = {"hangs", "allocations", "compile", "output"};

std::string FirstLine(const std::string& path) {
  std::ifstream in(path);
  std::string line;
  std::getline(in, line, '\0');
  return line;
}

std::multimap<int, int> Parents() {
  std::multimap<int, int> children;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const std::string name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != name.npos) continue;
    // "PID (COMMAND) STATE PARENT ...", where the command may hold anything.
    const std::string stat = FirstLine(entry.path().string() + "/stat");
    const size_t end = stat.rfind(')');
    if (end != stat.npos && end + 4 < stat.size()) {
      children.emplace(std::atoi(stat.c_str() + end + 4), std::atoi(name.c_str()));
    }
  }
  return children;
}

std::vector<int> Descendants(int ancestor) {
  const auto children = Parents();
  std::vector<int> found = {ancestor};
  for (size_t i = 0; i < found.size(); ++i) {
    const auto [first, last] = children.equal_range(found[i]);
    for (auto it = first; it != last; ++it) found.push_back(it->second);
  }
  found.erase(found.begin());
  return found;
}

int WorkerOf(int controller) {
  for (const int pid : Descendants(controller)) {
    if (FirstLine("/proc/" + std::to_string(pid) + "/comm").starts_with("kwright-worker"))
      return pid;
  }
  return 0;
}

int64_t EntriesOf(const std::string& folder, const std::string& prefix) {
  std::error_code error;
  int64_t count = 0;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    count += entry.path().filename().string().starts_with(prefix) ? 1 : 0;
  }
  return count;
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
  traces.processes = static_cast<int64_t>(Descendants(getpid()).size());
  traces.worker_descriptors = EntriesOf(proc + "/fd", "");
  traces.own_descriptors = EntriesOf("/proc/self/fd", "");
  traces.shared_memory = EntriesOf("/dev/shm", "kwright");
  traces.scratch = EntriesOf(std::getenv("TMPDIR"), "");
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

int Run(int64_t count, const std::string& out) {
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
  const auto start = std::chrono::steady_clock::now();
  for (int64_t i = 0; i < count; ++i) judge((*hostile)[static_cast<size_t>(i) % hostile->size()]);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  const Traces after = Look();

  const bool alive = after.worker != 0 && after.worker == before.worker;
  const bool clean = after.processes <= before.processes &&
                     after.worker_descriptors <= before.worker_descriptors &&
                     after.own_descriptors <= before.own_descriptors &&
                     after.shared_memory <= before.shared_memory && after.scratch <= before.scratch;
  Json json = {{"command", "build/release/bench_hostile --count " + std::to_string(count)},
               {"candidates", count},
               {"different_candidates", hostile->size()},
               {"seconds", took.count()},
               {"candidates_a_second", static_cast<double>(count) / took.count()},
               {"passed", passed},
               {"unexpected_status", unexpected},
               {"environmental", environmental},
               {"statuses", statuses},
               {"worker_alive", alive},
               {"nothing_left", clean},
               {"before", TracesJson(before)},
               {"after", TracesJson(after)}};
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
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string flag = argv[i];
    if (flag == "--count") {
      count = std::atoll(argv[i + 1]);
    } else if (flag == "--out") {
      out = argv[i + 1];
    } else {
      std::fprintf(stderr, "%s: the flags are --count N and --out FILE\n", flag.c_str());
      return 2;
    }
  }
  return kw::eval::Run(count, out);
}
