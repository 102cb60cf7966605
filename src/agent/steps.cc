#include "steps.h"

#include <fmt/format.h>

#include "kw/base/json.h"
#include "kw/base/text.h"
#include "kw/vector_text.h"

namespace kw {
namespace {

// The last part of the key that is no retry, without what counts it: ".../align/r3/k5e2f" is of
// kind "align".
std::string KindOf(const std::string& key) {
  std::vector<std::string_view> parts = Split(key, '/');
  if (parts.back() == "retry") parts.pop_back();
  if (parts.size() > 2 && parts[parts.size() - 3] == "align") return "align";
  return std::string(parts.back());
}

Json AnswerToJson(const ChatAnswer& answer) {
  const TokenUsage& usage = answer.usage;
  Json json{{"content", answer.content},
            {"finish_reason", answer.finish_reason},
            {"model", answer.model},
            {"prompt_tokens", usage.prompt},
            {"completion_tokens", usage.completion},
            {"cost_usd", answer.cost_usd},
            {"latency_us", answer.latency_us},
            {"retries", answer.retries}};
  // What many answers do not have.
  if (!answer.reasoning.empty()) json["reasoning"] = answer.reasoning;
  if (usage.cached > 0) json["cached_tokens"] = usage.cached;
  if (usage.reasoning > 0) json["reasoning_tokens"] = usage.reasoning;
  if (usage.estimated) json["estimated_tokens"] = true;
  if (answer.first_token_us > 0) json["first_token_us"] = answer.first_token_us;
  if (answer.runaway) {
    const RunawayLoop& loop = *answer.runaway;
    json["runaway"] = {{"unit", loop.unit},
                       {"repeats", loop.repeats},
                       {"in_reasoning", loop.in_reasoning},
                       {"dropped_bytes", loop.dropped_bytes},
                       {"tokens_saved", loop.tokens_saved}};
  }
  return json;
}

Result<RunawayLoop> ReadRunaway(const Json& json) {
  ObjectReader reader(json, "the journal: runaway");
  RunawayLoop loop;
  KW_ASSIGN(loop.unit, reader.Required<std::string>("unit"));
  KW_ASSIGN(loop.repeats, reader.Required<int64_t>("repeats"));
  KW_ASSIGN(loop.in_reasoning, reader.Required<bool>("in_reasoning"));
  KW_ASSIGN(loop.dropped_bytes, reader.Required<int64_t>("dropped_bytes"));
  KW_ASSIGN(loop.tokens_saved, reader.Required<int64_t>("tokens_saved"));
  return loop;
}

std::string ModelCallToJson(const std::string& model, const Steps::Question& question,
                            const ChatAnswer& answer) {
  Json messages = Json::array();
  for (const ChatMessage& message : question.messages) {
    messages.push_back({{"role", message.role}, {"content", message.content}});
  }
  Json json{{"model", model},
            {"messages", std::move(messages)},
            {"answer", AnswerToJson(answer)},
            {"notes", question.notes}};
  return DumpJson(json);
}

Result<ChatAnswer> ReadAnswer(const Json& json) {
  ObjectReader reader(json, "the journal: answer");
  ChatAnswer answer;
  KW_ASSIGN(answer.content, reader.Required<std::string>("content"));
  KW_ASSIGN(answer.finish_reason, reader.Required<std::string>("finish_reason"));
  KW_ASSIGN(answer.model, reader.Required<std::string>("model"));
  KW_ASSIGN(answer.usage.prompt, reader.Required<int64_t>("prompt_tokens"));
  KW_ASSIGN(answer.usage.completion, reader.Required<int64_t>("completion_tokens"));
  KW_ASSIGN(answer.cost_usd, reader.Required<double>("cost_usd"));
  KW_ASSIGN(answer.latency_us, reader.Required<int64_t>("latency_us"));
  KW_ASSIGN(int64_t retries, reader.Required<int64_t>("retries"));
  answer.retries = static_cast<int>(retries);
  KW_ASSIGN(answer.reasoning, reader.Optional<std::string>("reasoning", ""));
  KW_ASSIGN(answer.usage.cached, reader.Optional<int64_t>("cached_tokens", 0));
  KW_ASSIGN(answer.usage.reasoning, reader.Optional<int64_t>("reasoning_tokens", 0));
  KW_ASSIGN(answer.usage.estimated, reader.Optional<bool>("estimated_tokens", false));
  KW_ASSIGN(answer.first_token_us, reader.Optional<int64_t>("first_token_us", 0));
  if (const Json* loop = reader.Find("runaway")) {
    KW_ASSIGN(answer.runaway, ReadRunaway(*loop));
  }
  return answer;
}

Amount UsedBy(const ChatAnswer& answer) {
  return {.calls = 1,
          .tokens = answer.usage.prompt + answer.usage.completion,
          .cost_usd = answer.cost_usd};
}

Amount AmountOf(const Usage& usage) {
  return {.calls = usage.calls, .tokens = usage.tokens(), .cost_usd = usage.cost_usd};
}

// Whoever cannot read its journal has other trouble, and will say so.
UsageByRole SpentSoFar(const Journal& journal) {
  return journal.UsageBelow("").value_or(UsageByRole());
}

void SetUsage(ModelRole role, const ChatAnswer& answer, StepRow& row) {
  row.role = RoleName(role);
  row.model = answer.model;
  row.model_calls = 1;
  row.prompt_tokens = answer.usage.prompt;
  row.completion_tokens = answer.usage.completion;
  row.cached_tokens = answer.usage.cached;
  row.reasoning_tokens = answer.usage.reasoning;
  row.estimated_calls = answer.usage.estimated ? 1 : 0;
  row.cost_usd = answer.cost_usd;
  if (!answer.runaway) return;
  row.stopped_answers = 1;
  row.saved_tokens = answer.runaway->tokens_saved;
}

void SetUsage(const std::string& model, const ModelEmbedder::Answer& answer, StepRow& row) {
  row.role = RoleName(ModelRole::kEmbedder);
  row.model = model;
  row.model_calls = answer.calls;
  row.prompt_tokens = answer.usage.prompt;
  row.completion_tokens = answer.usage.completion;
  row.cached_tokens = answer.usage.cached;
  row.estimated_calls = answer.usage.estimated ? answer.calls : 0;
  row.cost_usd = answer.cost_usd;
}

std::string VectorsToJson(const std::string& model, const Steps::Vectors& vectors) {
  Json list = Json::array();
  for (const std::vector<float>& vector : vectors) list.push_back(VectorToText(vector));
  return DumpJson(Json{{"model", model}, {"vectors", std::move(list)}});
}

Result<Steps::Vectors> VectorsFromJson(std::string_view text, size_t count) {
  KW_ASSIGN(Json json, ParseJson(text, "the journal: embed"));
  ObjectReader reader(json, "the journal: embed");
  KW_ASSIGN(std::vector<std::string> list, reader.Required<std::vector<std::string>>("vectors"));
  Steps::Vectors vectors;
  for (const std::string& entry : list) {
    KW_ASSIGN(vectors.emplace_back(), VectorFromText(entry, "the journal: embed"));
  }
  if (vectors.size() == count) return vectors;
  return Fail(ErrorCode::kCorrupt,
              fmt::format("the journal: {} vectors of {} texts", vectors.size(), count));
}

}  // namespace

Result<ModelCall> ModelCallFromJson(std::string_view result) {
  KW_ASSIGN(Json json, ParseJson(result, "the journal"));
  ObjectReader reader(json, "the journal");
  ModelCall call;
  KW_ASSIGN(call.model, reader.Optional<std::string>("model", ""));
  const Json* messages = reader.Find("messages");
  const Json* answer = reader.Find("answer");
  if (messages == nullptr || !messages->is_array() || answer == nullptr) {
    return Fail(ErrorCode::kCorrupt, "the journal: a model call without messages or answer");
  }
  for (const Json& entry : *messages) {
    ObjectReader message(entry, "the journal: message");
    ChatMessage& to = call.messages.emplace_back();
    KW_ASSIGN(to.role, message.Required<std::string>("role"));
    KW_ASSIGN(to.content, message.Required<std::string>("content"));
  }
  KW_ASSIGN(call.answer, ReadAnswer(*answer));
  KW_ASSIGN(call.notes, reader.Optional<std::string>("notes", ""));
  call.result = result;
  return call;
}

Steps::Steps(const RunConfig& config, const RunRooms& rooms, Journal& journal,
             std::function<bool()> cancelled)
    : Steps(config, rooms, journal, std::move(cancelled), SpentSoFar(journal)) {}

Steps::Steps(const RunConfig& config, const RunRooms& rooms, Journal& journal,
             std::function<bool()> cancelled, UsageByRole spent)
    : config_(config),
      rooms_(rooms),
      journal_(journal),
      cancelled_(std::move(cancelled)),
      budget_({config.max_calls, config.max_total_tokens, config.max_cost_usd},
              AmountOf(TotalOf(spent))) {
  const auto cap = [&](ModelRole role, const std::string& section, const Amount& caps) {
    budget_.CapRole(role, section, caps, AmountOf(spent[role]));
  };
  cap(ModelRole::kAuthor, "model",
      {config.author_max_calls, config.author_max_total_tokens, config.author_max_cost_usd});
  for (const auto& [role, own] :
       {std::pair(ModelRole::kExtractor, &config.extractor),
        std::pair(ModelRole::kMerger, &config.merger), std::pair(ModelRole::kJudge, &config.judge),
        std::pair(ModelRole::kEmbedder, &config.embedder)}) {
    cap(role, fmt::format("model.{}", RoleName(role)),
        {own->max_calls, own->max_total_tokens, own->max_cost_usd});
  }
}

uint64_t Steps::SeedOf(const std::string& key) const { return DeriveSeed(config_.seed, key); }

RoleConfig Steps::RoleOf(ModelRole role, int turn) const {
  RoleConfig own = role == ModelRole::kExtractor ? config_.extractor
                   : role == ModelRole::kMerger  ? config_.merger
                   : role == ModelRole::kJudge   ? config_.judge
                                                 : RoleConfig{.model = AuthorOfTurn(config_, turn),
                                                              .temperature = config_.temperature,
                                                              .max_tokens = config_.max_tokens};
  if (own.model.empty()) own.model = AuthorOfTurn(config_, 0);
  return own;
}

ChatModel& Steps::ModelOf(ModelRole role) const {
  ChatModel* own = role == ModelRole::kExtractor ? rooms_.extractor
                   : role == ModelRole::kMerger  ? rooms_.merger
                   : role == ModelRole::kJudge   ? rooms_.judge
                                                 : nullptr;
  return own != nullptr ? *own : *rooms_.model;
}

Result<void> Steps::KeepGoing() const {
  if (stopped_) return Fail(ErrorCode::kCancelled, "the run is stopping");
  if (cancelled_ && cancelled_()) {
    return Fail(ErrorCode::kCancelled, "the run was asked to stop");
  }
  return {};
}

Amount Steps::MostOf(const ChatRequest& request, ModelRole role) const {
  const ChatModel::Bound bound = ModelOf(role).MostOf(request);
  return {.calls = 1, .tokens = bound.tokens, .cost_usd = bound.cost_usd};
}

template <class T>
Result<T> Steps::StopOnError(Result<T> result) {
  if (!result) stopped_ = true;
  return result;
}

Result<void> Steps::Commit(StepRow row, const BankChange* effect) {
  row.finished_unix_us = rooms_.clock->UnixMicros();
  return StopOnError(journal_.Commit(row, effect));
}

Result<Steps::Outcome> Steps::Once(const std::string& key, const Hasher& inputs,
                                   const std::function<Result<std::string>()>& work,
                                   const BankChange* effect) {
  StepRow row{.key = key, .kind = KindOf(key), .input_hash = inputs.Hex()};
  KW_ASSIGN(std::optional<StepRow> done, StopOnError(journal_.Find(key, row.input_hash)));
  if (done) return Outcome{std::move(done->result), false};
  KW_TRY(KeepGoing());
  int64_t began = rooms_.clock->MonotonicMicros();
  KW_ASSIGN(row.result, StopOnError(work()));
  row.duration_us = rooms_.clock->MonotonicMicros() - began;
  KW_TRY(Commit(row, effect));
  return Outcome{std::move(row.result), true};
}

Result<ModelCall> Steps::Ask(const std::string& key, const Question& question) {
  const RoleConfig role = RoleOf(question.role, question.turn);
  ChatRequest request{.model = role.model,
                      .messages = question.messages,
                      .temperature = role.temperature,
                      .max_tokens = role.max_tokens,
                      .seed = SeedOf(key),
                      .queue = question.queue,
                      .is_complete = question.is_complete};
  Hasher inputs;
  inputs.Add(request.model).Add(fmt::format("{}", request.temperature));
  inputs.Add(request.max_tokens).Add(static_cast<int64_t>(*request.seed)).Add(question.notes);
  for (const ChatMessage& message : request.messages) inputs.Add(message.role).Add(message.content);

  StepRow row{.key = key, .kind = KindOf(key), .input_hash = inputs.Hex()};
  KW_ASSIGN(std::optional<StepRow> done, StopOnError(journal_.Find(key, row.input_hash)));
  if (done) return ModelCallFromJson(done->result);
  KW_TRY(KeepGoing());
  const Amount most = MostOf(request, question.role);
  KW_TRY(StopOnError(budget_.Take(most, question.role)));
  int64_t began = rooms_.clock->MonotonicMicros();
  auto answered = StopOnError(ModelOf(question.role).Complete(request));
  budget_.Settle(most, answered ? UsedBy(*answered) : Amount{}, question.role);
  if (!answered) return Fail(std::move(answered.error()).While("asking the model for " + key));
  row.duration_us = rooms_.clock->MonotonicMicros() - began;
  row.result = ModelCallToJson(role.model, question, *answered);
  SetUsage(question.role, *answered, row);
  std::optional<BankChange> effect;
  if (question.effect) effect = question.effect(*answered);
  KW_TRY(Commit(row, effect ? &*effect : nullptr));
  return ModelCall{role.model,     question.messages, std::move(*answered),
                   question.notes, row.result,        true};
}

Result<Steps::Vectors> Steps::Embed(const std::string& key, const std::vector<std::string>& texts) {
  if (rooms_.embedder == nullptr || texts.empty()) return Vectors();
  // Not by whom it is served: an endpoint may move.
  const std::string& model = config_.embedder.model;
  Hasher inputs;
  inputs.Add(model);
  for (const std::string& text : texts) inputs.Add(text);
  StepRow row{.key = key, .kind = KindOf(key), .input_hash = inputs.Hex()};
  KW_ASSIGN(std::optional<StepRow> done, StopOnError(journal_.Find(key, row.input_hash)));
  if (done) return VectorsFromJson(done->result, texts.size());
  KW_TRY(KeepGoing());
  const ModelEmbedder::Bound bound = rooms_.embedder->MostOf(texts);
  const Amount most = {bound.calls, bound.tokens, bound.cost_usd};
  KW_TRY(StopOnError(budget_.Take(most, ModelRole::kEmbedder)));
  const int64_t began = rooms_.clock->MonotonicMicros();
  auto answer = StopOnError(rooms_.embedder->Ask(texts));
  const Amount used =
      answer
          ? Amount{answer->calls, answer->usage.prompt + answer->usage.completion, answer->cost_usd}
          : Amount{};
  budget_.Settle(most, used, ModelRole::kEmbedder);
  if (!answer) return Fail(std::move(answer.error()).While("asking the embedder for " + key));
  row.duration_us = rooms_.clock->MonotonicMicros() - began;
  row.result = VectorsToJson(model, answer->vectors);
  SetUsage(model, *answer, row);
  KW_TRY(Commit(row, nullptr));
  return std::move(answer->vectors);
}

}  // namespace kw
