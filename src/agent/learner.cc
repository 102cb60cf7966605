#include "learner.h"

#include "kw/base/json.h"
#include "kw/base/text.h"

namespace kw {
namespace {

class NoLearner : public Learner {
 public:
  Result<Lessons> Recall(const eval::Task&, const std::string&) override { return Lessons{}; }
  Result<void> Learn(const std::string&, const std::vector<Trajectory>&) override { return {}; }
};

}  // namespace

Result<std::unique_ptr<Learner>> MakeLearner(const std::string& name, const LearnerRooms& rooms) {
  std::unique_ptr<Learner> none = std::make_unique<NoLearner>();
  if (name == "none") return none;
  if (name != "reasoning_bank" && name != "evolrule") {
    return Fail(ErrorCode::kInvalid,
                UnknownName("learner.name", name, {"none", "reasoning_bank", "evolrule"}));
  }
  KW_CHECK(rooms.bank != nullptr, "a learner needs a bank");
  if (name == "evolrule") return MakeEvolRule(rooms);
  return MakeReasoningBank(rooms);
}

std::string LessonsToJson(const Lessons& lessons, int64_t sequence) {
  Json list = Json::array();
  for (const Lesson& lesson : lessons.lessons) {
    list.push_back({{"id", lesson.id},
                    {"title", lesson.title},
                    {"description", lesson.description},
                    {"content", lesson.content}});
  }
  return DumpJson(Json{{"sequence", sequence},
                       {"kind", lessons.rules ? "rules" : "items"},
                       {"lessons", std::move(list)}});
}

Result<Lessons> LessonsFromJson(std::string_view text) {
  KW_ASSIGN(Json json, ParseJson(text, "the journal: recall"));
  ObjectReader reader(json, "the journal: recall");
  Lessons lessons;
  KW_ASSIGN(std::string kind, reader.Required<std::string>("kind"));
  lessons.rules = kind == "rules";
  const Json* list = reader.Find("lessons");
  if (list == nullptr || !list->is_array()) {
    return Fail(ErrorCode::kCorrupt, "the journal: recall without lessons");
  }
  for (const Json& entry : *list) {
    ObjectReader lesson(entry, "the journal: lesson");
    Lesson& to = lessons.lessons.emplace_back();
    KW_ASSIGN(to.id, lesson.Required<int64_t>("id"));
    KW_ASSIGN(to.title, lesson.Required<std::string>("title"));
    KW_ASSIGN(to.description, lesson.Required<std::string>("description"));
    KW_ASSIGN(to.content, lesson.Required<std::string>("content"));
  }
  return lessons;
}

Provenance ProvenanceOf(const LearnerRooms& rooms, const std::string& step,
                        std::set<std::string> authors) {
  const RunHeader& header = rooms.journal.header();
  Provenance from;
  from.run = header.uuid;
  from.run_name = header.name;
  from.step = step;
  const std::vector<std::string> all = AuthorsOf(rooms.config);
  if (authors.empty()) authors.insert(all.begin(), all.end());
  for (const std::string& author : authors) {
    const bool simulated = header.simulated && (author == "simulated" || all.size() == 1);
    from.model += (from.model.empty() ? "" : ", ") + (simulated ? "simulated author" : author);
  }
  return from;
}

Result<Steps::Vectors> PrepareEffect(const LearnerRooms& rooms, const std::string& step) {
  KW_ASSIGN(const std::optional<EffectRow> effect, rooms.journal.Effect(step));
  if (!effect || effect->applied) return Steps::Vectors();
  KW_ASSIGN(const BankChange change, BankChangeFromJson(effect->change));
  return rooms.steps.Embed(step + "/embed", TextsToEmbed(change));
}

Result<void> BringEffect(const LearnerRooms& rooms, const std::string& step) {
  KW_ASSIGN(Steps::Vectors vectors, PrepareEffect(rooms, step));
  KW_TRY(rooms.journal.ApplyEffect(step, *rooms.bank, std::move(vectors)));
  return {};
}

}  // namespace kw
