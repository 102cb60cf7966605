// ReasoningBank (arXiv 2509.25140): memory items from each task's trajectory, recalled by
// similarity. One attempt gives items by success or failure; several give them by contrast.
#include <fmt/format.h>

#include "kw/base/parallel.h"
#include "kw/base/text.h"
#include "learner.h"
#include "model_output.h"

namespace kw {
namespace {

using eval::Task;

std::string QueryOf(const Task& task) {
  std::string query =
      fmt::format("{} {} {}", task.name, task.op_type, ToValidUtf8(Trim(task.description)));
  for (const std::vector<eval::Tensor>* tensors : {&task.inputs, &task.outputs}) {
    for (const eval::Tensor& tensor : *tensors) {
      std::string dtype(eval::DTypeName(tensor.dtype));
      if (query.find(dtype) == std::string::npos) query += " " + dtype;
    }
  }
  return query;
}

class ReasoningBank : public Learner {
 public:
  explicit ReasoningBank(const LearnerRooms& rooms) : rooms_(rooms) {}

  Result<Lessons> Recall(const Task& task, const std::string& batch) override {
    const RunHeader& header = rooms_.journal.header();
    SearchRequest request{.text = QueryOf(task),
                          .k = rooms_.config.k,
                          .as_of = header.bank_sequence,
                          .own_run = header.uuid};
    Hasher inputs;
    inputs.Add(request.text).Add(request.k).Add(request.as_of);
    const std::string step = fmt::format("{}/{}/recall", batch, task.name);
    if (request.k > 0) {
      KW_ASSIGN(Steps::Vectors vectors,
                rooms_.steps.Embed(step + "/embed", {TextToEmbed(request)}));
      if (!vectors.empty()) request.vector = std::move(vectors[0]);
    }
    KW_ASSIGN(Steps::Outcome done, rooms_.steps.Once(step, inputs, [&]() -> Result<std::string> {
      KW_ASSIGN(Lessons lessons, Search(request));
      KW_ASSIGN(int64_t sequence, rooms_.bank->Sequence());
      return LessonsToJson(lessons, sequence);
    }));
    return LessonsFromJson(done.result);
  }

  // The model is asked for all tasks at once; what it says reaches the bank in the tasks' order.
  Result<void> Learn(const std::string& batch,
                     const std::vector<Trajectory>& trajectories) override {
    auto step_of = [&](size_t i) {
      return fmt::format("{}/{}/learn/items", batch, trajectories[i].task->name);
    };
    KW_TRY(ParallelMap<bool>(trajectories.size(), rooms_.config.max_in_flight,
                             [&](size_t i) { return Extract(step_of(i), trajectories[i]); }));
    for (size_t i = 0; i < trajectories.size(); ++i) {
      KW_TRY(BringEffect(rooms_, step_of(i)));
      KW_TRY(BringEffect(rooms_, step_of(i) + "/retry"));
    }
    return CountOutcomes(batch + "/learn/commit", trajectories);
  }

 private:
  Result<Lessons> Search(const SearchRequest& request) {
    Lessons lessons;
    if (request.k == 0) return lessons;
    KW_ASSIGN(std::vector<Found> found, rooms_.bank->Search(request));
    for (const Found& hit : found) {
      lessons.lessons.push_back(
          {hit.item.id, hit.item.title, hit.item.description, hit.item.content});
    }
    return lessons;
  }

  // Asks for the items of one trajectory. True when there was something to learn from.
  Result<bool> Extract(const std::string& step, const Trajectory& trajectory) {
    std::vector<const AttemptRecord*> attempts;
    for (const AttemptRecord& attempt : trajectory.attempts) {
      if (!IsVoid(attempt.verdict)) attempts.push_back(&attempt);
    }
    if (attempts.empty()) return false;
    bool contrast = attempts.size() > 1;
    std::string outcome = contrast                        ? "contrast"
                          : attempts[0]->verdict.passed() ? "success"
                                                          : "failure";
    int most = contrast ? rooms_.config.max_contrast_items : rooms_.config.max_items;

    PromptValues values = TaskInBrief(*trajectory.task);
    values.Text("max_items", fmt::format("{}", most));
    std::vector<PromptValues> views;
    for (const AttemptRecord* attempt : attempts) {
      views.push_back(AttemptView(*attempt, fmt::format("Kernel {}", views.size() + 1)));
    }
    values.List("attempts", std::move(views));
    KW_ASSIGN(std::string prompt, rooms_.prompts.Render("items_" + outcome, values));

    std::set<std::string> authors;
    for (const AttemptRecord* attempt : attempts) authors.insert(attempt->author);
    Provenance from = ProvenanceOf(rooms_, step, std::move(authors));
    from.task = trajectory.task->name;
    from.op_type = trajectory.task->op_type;
    from.outcome = outcome;
    from.candidate_hash = attempts.back()->verdict.candidate_hash;
    using Items = std::vector<ItemText>;
    KW_ASSIGN(std::optional<Items> items,
              Inquire<Items>(rooms_, {.step = step,
                                      .prompt = {"user", prompt},
                                      .queue = trajectory.task->name,
                                      .read =
                                          [most, prompt](const ChatAnswer& answer) {
                                            return ParseItems(answer.content, most, prompt);
                                          },
                                      .effect =
                                          [&](const Items& read, const std::string& at) {
                                            return ChangeOf(read, from, at);
                                          }}));
    for (const std::string& asked : {step, step + "/retry"}) KW_TRY(PrepareEffect(rooms_, asked));
    return items.has_value();
  }

  std::optional<BankChange> ChangeOf(const std::vector<ItemText>& items, Provenance from,
                                     const std::string& step) {
    if (items.empty()) return std::nullopt;
    const RunHeader& header = rooms_.journal.header();
    BankChange change{.run = header.uuid, .step = step, .as_of = header.bank_sequence};
    from.step = step;
    for (const ItemText& text : items) {
      MemoryItem& item = change.new_items.emplace_back();
      item.title = text.title;
      item.description = text.description;
      item.content = text.content;
      item.from = from;
      item.from.ordinal = static_cast<int>(change.new_items.size()) - 1;
    }
    return change;
  }

  // Each attempt counts for each item that its prompt held.
  Result<void> CountOutcomes(const std::string& step, const std::vector<Trajectory>& trajectories) {
    const RunHeader& header = rooms_.journal.header();
    BankChange change{.run = header.uuid, .step = step, .as_of = header.bank_sequence};
    Hasher inputs;
    for (const Trajectory& trajectory : trajectories) {
      for (const AttemptRecord& attempt : trajectory.attempts) {
        bool judged = !IsVoid(attempt.verdict), passed = attempt.verdict.passed();
        inputs.Add(attempt.step).Add(judged ? 1 + passed : 0);
        for (int64_t item : attempt.lessons) {
          change.outcomes.push_back(
              {.item = item, .used = true, .wins = judged && passed, .losses = judged && !passed});
        }
      }
    }
    auto nothing = [&]() -> Result<std::string> {
      return fmt::format("{{\"outcomes\":{}}}", change.outcomes.size());
    };
    KW_TRY(rooms_.steps.Once(step, inputs, nothing, change.outcomes.empty() ? nullptr : &change));
    KW_TRY(rooms_.journal.ApplyEffect(step, *rooms_.bank));
    return {};
  }

  LearnerRooms rooms_;
};

}  // namespace

std::unique_ptr<Learner> MakeReasoningBank(const LearnerRooms& rooms) {
  return std::make_unique<ReasoningBank>(rooms);
}

}  // namespace kw
