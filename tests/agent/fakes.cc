#include "agent/fakes.h"

#include <fmt/format.h>

#include <cstdlib>

namespace kw::test {

using eval::Task;
using eval::Verdict;

Task MadeTask(const std::string& name) {
  Task task;
  task.name = name;
  task.op_type = "elementwise";
  task.description = "Multiplies every element of x by a factor.";
  task.axes = {{.name = "rows", .is_var = true, .description = "independent rows"},
               {.name = "cols", .is_var = false, .value = 64}};
  task.inputs = {{.name = "x", .shape = {"rows", "cols"}, .description = "the values"},
                 {.name = "factor", .is_scalar = true, .range = std::pair(-4.0, 4.0)}};
  task.outputs = {{.name = "y", .shape = {"rows", "cols"}}};
  task.workloads = {{.uuid = "w0", .axes = {{"rows", 4096}}, .scalars = {{"factor", 0.5}}}};
  task.tolerance[eval::DType::kFloat32] = {1e-5, 0};
  task.constraints = {"rows >= 1"};
  task.reference_python = "def run(x, factor):\n    return x * factor\n";
  task.baseline_cu = "__global__ void baseline();  // the baseline\n";
  task.hash = "hash of " + name;
  return task;
}

std::string SourceSaying(const std::string& verdict) {
  return "__global__ void k();  // " + verdict + "\n";
}

std::string AnswerSaying(const std::string& verdict, const std::string& prompt) {
  if (verdict == "MALFORMED") return "I cannot do this.";
  size_t begin = prompt.rfind("extern \"C\" void run("), end = prompt.find(')', begin);
  KW_CHECK(begin != std::string::npos && end != std::string::npos, "the prompt has no prototype");
  return fmt::format("Here it is.\n```cuda\n{}{} {{ k<<<1, 1, 0, stream>>>(); }}\n```\n",
                     SourceSaying(verdict), prompt.substr(begin, end + 1 - begin));
}

Verdict FakeEvaluator::Base(const Task& task, const std::string& source, uint64_t seed) const {
  Verdict verdict;
  verdict.task_name = task.name;
  verdict.task_hash = task.hash;
  verdict.candidate_hash = ContentHash(source);
  verdict.seed = seed;
  verdict.device_kind = "emulator";
  verdict.device_name = sheet_.name;
  return verdict;
}

Verdict FakeEvaluator::Malformed(const Task& task, const eval::Extraction& extraction,
                                 uint64_t seed) {
  Verdict verdict = Base(task, extraction.source, seed);
  verdict.status = eval::Status::kMalformed;
  verdict.stage = "extract";
  verdict.reason = extraction.reason;
  verdict.feedback = extraction.feedback;
  return verdict;
}

Result<eval::BuildOutcome> FakeEvaluator::Build(const Task&, const std::string& source) {
  ++builds;
  eval::BuildOutcome outcome;
  outcome.ok = source.find("COMPILE_ERROR") == std::string::npos;
  outcome.object_hash = ContentHash("object of " + source);
  outcome.object_path = "/nowhere/" + outcome.object_hash;
  outcome.resources = {{.kernel = "k", .registers = 32}};
  outcome.wall_us = builds;  // a timing: must not reach the canonical journal
  if (!outcome.ok) {
    outcome.reason = "compile_error";
    outcome.feedback = "k.cu:1: error: expected ';'";
  }
  return outcome;
}

Verdict FakeEvaluator::BuildFailed(const Task& task, const std::string& source,
                                   const eval::BuildOutcome& outcome, uint64_t seed) {
  Verdict verdict = Base(task, source, seed);
  verdict.status = eval::Status::kCompileError;
  verdict.stage = "build";
  verdict.reason = outcome.reason;
  verdict.feedback = outcome.feedback;
  return verdict;
}

Result<Verdict> FakeEvaluator::Judge(const Task& task, const std::string& source,
                                     const eval::BuildOutcome&,
                                     const eval::EvaluateOptions& options) {
  ++judged;
  if (fail_next) return Fail(*std::exchange(fail_next, std::nullopt));
  if (options.progress) options.progress("oracle");
  Verdict verdict = Base(task, source, options.seed);
  verdict.stage = "oracle";
  size_t passed = source.find("// PASSED ");
  if (passed != std::string::npos) {
    verdict.status = eval::Status::kPassed;
    verdict.stage = "timing";
    verdict.speedup = std::strtod(source.c_str() + passed + 10, nullptr);
    verdict.feedback = "Correct on all cases.";
    verdict.hazards = "none";
    eval::WorkloadTime time{.uuid = "w0", .time = {10 / verdict.speedup, 9, 11, "dram"}};
    time.baseline_us = 10;
    time.speedup = verdict.speedup;
    verdict.workloads = {time};
    return verdict;
  }
  verdict.status = eval::Status::kIncorrectNumerical;
  verdict.feedback = "element 3 is wrong";
  for (eval::Status status : {eval::Status::kRuntimeError, eval::Status::kTimeout,
                              eval::Status::kUnsupported, eval::Status::kRejected}) {
    if (source.find(eval::StatusName(status)) != std::string::npos) verdict.status = status;
  }
  verdict.environmental = source.find("ENVIRONMENTAL") != std::string::npos;
  return verdict;
}

Result<Verdict> FakeEvaluator::Evaluate(const Task& task, const std::string& source,
                                        const eval::EvaluateOptions& options) {
  KW_ASSIGN(eval::BuildOutcome built, Build(task, source));
  if (!built.ok) return BuildFailed(task, source, built, options.seed);
  return Judge(task, source, built, options);
}

Result<eval::Evaluator::ReplayOutcome> FakeEvaluator::RunReplay(const std::string&,
                                                                const std::string&) {
  return Fail(ErrorCode::kNotFound, "no replays here");
}

namespace {

bool Holds(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

std::string WriteKernel(const std::string& prompt, Random& random) {
  bool advised = Holds(prompt, "# What earlier work taught") || Holds(prompt, "# Rules that");
  double point = random.Uniform();
  if (point < 0.1) return AnswerSaying("MALFORMED", prompt);
  if (point < 0.2) return AnswerSaying("COMPILE_ERROR", prompt);
  if (point < (advised ? 0.25 : 0.6)) return AnswerSaying("INCORRECT_NUMERICAL", prompt);
  return AnswerSaying(fmt::format("PASSED {:.2f}", 0.5 + random.Uniform()), prompt);
}

}  // namespace

Result<ChatAnswer> AnswerAnything(const ChatRequest& request) {
  const std::string& prompt = request.messages.back().content;
  Random random(request.seed.value_or(0));
  std::string number = fmt::format("{}", random.Below(1000));
  std::string content;
  if (Holds(prompt, "end with exactly one of [[Yes]] and [[No]]")) {
    content = Holds(prompt, "PASSED") == random.Chance(0.9) ? "[[Yes]]" : "[[No]]";
  } else if (Holds(prompt, "A JSON array of at most") && Holds(prompt, "memory items")) {
    content = fmt::format(
        R"([{{"title": "Guard the tail {0}", "description": "When the size is odd {0}.", )"
        R"("content": "Check the index {0} against the size."}}])",
        number);
  } else if (Holds(prompt, "Turn it into rules")) {
    content = "[\"The kernel guards the tail of variant " + number + ".\"]";
  } else if (Holds(prompt, "Merge them")) {
    content = R"([{"rule": "The kernel guards the tail.", "from": [1]}])";
  } else if (Holds(prompt, "Compare the best with the worst")) {
    content = "The best kernel guards the tail.";
  } else {
    content = WriteKernel(prompt, random);
  }
  return ChatAnswer{.content = content,
                    .finish_reason = "stop",
                    .model = "scripted",
                    .usage = {.prompt = static_cast<int64_t>(prompt.size() / 4),
                              .completion = static_cast<int64_t>(content.size() / 4)},
                    .cost_usd = 0.001,
                    .latency_us = 1000};
}

ScratchDirectory FastScratch() {
  if (IsDirectory("/dev/shm")) setenv("TMPDIR", "/dev/shm", /*overwrite=*/0);
  return Must(ScratchDirectory::Make("agent_test"));
}

TestRooms::TestRooms(ScriptedModel::Script script)
    : scratch(FastScratch()),
      model(std::move(script)),
      tasks(Must(eval::TaskLibrary::Open(std::string(KW_SOURCE_DIR) + "/data/tasks"))) {
  OpenBank("memory.db");
}

void TestRooms::OpenBank(const std::string& name) {
  bank = nullptr;
  bank = Must(Bank::Open(scratch.path() + "/" + name,
                         embedder ? MakeBankEmbedder(embedder) : MakeHashEmbedder()));
}

FakeEmbeddings& TestRooms::EmbedByModel() {
  auto model = std::make_unique<FakeEmbeddings>();
  FakeEmbeddings& counted = *model;
  embedder = std::make_shared<ModelEmbedder>(std::move(model), "fake/embed");
  OpenBank("by_model.db");
  return counted;
}

Result<EmbeddingModel::Embeddings> FakeEmbeddings::Embed(const std::vector<std::string>& texts) {
  ++calls;
  Embeddings made{.usage = {.prompt = static_cast<int64_t>(texts.size())}, .cost_usd = 0.01};
  KW_ASSIGN(made.vectors, inner_->Embed(texts));
  return made;
}

ChatModel::Bound FakeEmbeddings::MostOf(const std::vector<std::string>& texts) const {
  return {.tokens = static_cast<int64_t>(texts.size()), .cost_usd = 0.01};
}

RunRooms TestRooms::View() {
  return {.model = &model,
          .embedder = embedder.get(),
          .evaluator = &evaluator,
          .tasks = &tasks,
          .bank = bank.get(),
          .prompts = std::string(KW_SOURCE_DIR) + "/prompts",
          .clock = &clock};
}

RunConfig TestRooms::Config(const std::string& method, const std::string& learner) {
  RunConfig config;
  config.name = "run";
  config.dir = scratch.path();
  config.seed = 7;
  config.epochs = 2;
  config.batch = 2;
  config.tasks = {"softmax", "gelu", "row_sum"};
  config.method = method;
  config.learner = learner;
  return config;
}

}  // namespace kw::test
