#include "doctor_model.h"

#include <fmt/format.h>

#include <algorithm>

#include "kw/base.h"
#include "models.h"

namespace kw::cli {
namespace {

constexpr uint64_t kSeeds[] = {1, 42, 123};
constexpr int kMaxTokens = 128;
constexpr const char* kPrompt =
    "Write a CUDA kernel that adds two float vectors of n elements. Answer with the code only.";

struct Asked {
  std::vector<ChatAnswer> answers;  // one a seed
};

Result<Asked> Ask(ChatModel& model, const std::string& name) {
  Asked asked;
  for (const uint64_t seed : kSeeds) {
    ChatRequest request;
    request.model = name;
    request.messages = {{"user", kPrompt}};
    request.temperature = 0;
    request.max_tokens = kMaxTokens;
    request.seed = seed;
    KW_ASSIGN(ChatAnswer answer, model.Complete(std::move(request)));
    asked.answers.push_back(std::move(answer));
  }
  return asked;
}

// Where two texts first differ, in bytes; the length of both where they do not.
size_t FirstDifference(const std::string& a, const std::string& b) {
  const auto [at, other] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  return static_cast<size_t>(at - a.begin());
}

Finding Determinism(const Asked& asked) {
  const std::string first = asked.answers[0].reasoning + asked.answers[0].content;
  for (size_t i = 1; i < asked.answers.size(); ++i) {
    const std::string other = asked.answers[i].reasoning + asked.answers[i].content;
    if (other == first) continue;
    return {"repeats", "fallback",
            fmt::format("no: at temperature 0 the answers to seeds {} and {} differ from byte {} "
                        "on; a run is repeated from its journal or a recording (model.cache)",
                        kSeeds[0], kSeeds[i], FirstDifference(first, other))};
  }
  return {"repeats", "ok",
          fmt::format("at temperature 0 seeds 1, 42 and 123 gave the same {} bytes", first.size())};
}

Finding Streaming(const ChatAnswer& answer) {
  if (answer.first_token_us == 0) {
    return {"streaming", "fallback",
            "no: answers come whole, and loops cannot be stopped while they are written"};
  }
  const double seconds = static_cast<double>(answer.latency_us - answer.first_token_us) / 1e6;
  return {"streaming", "ok",
          fmt::format("first text after {:.2f} s, then {:.0f} tokens/s{}",
                      static_cast<double>(answer.first_token_us) / 1e6,
                      static_cast<double>(answer.usage.completion) / std::max(seconds, 1e-6),
                      answer.reasoning.empty() ? "" : "; reasoning is kept apart")};
}

Finding Usage(const ChatAnswer& answer) {
  const TokenUsage& usage = answer.usage;
  if (usage.estimated) {
    return {"usage", "fallback",
            "the endpoint counts no tokens: they are estimated from the texts' lengths"};
  }
  return {"usage", "ok",
          fmt::format("{} prompt tokens ({} cached), {} completion tokens ({} reasoning){}",
                      usage.prompt, usage.cached, usage.completion, usage.reasoning,
                      answer.cost_usd > 0 ? fmt::format(", {:.6f} USD", answer.cost_usd)
                                          : ", no price known")};
}

Finding Context(const ModelAddress& address, const Result<std::vector<ListedModel>>& listed) {
  int64_t tokens = 0;
  if (listed) {
    for (const ListedModel& model : *listed) {
      if (model.name == address.model || listed->size() == 1) tokens = model.context_tokens;
    }
  }
  if (tokens > 0) return {"context", "ok", fmt::format("{} tokens, says the endpoint", tokens)};
  if (address.context_tokens > 0) {
    return {"context", "ok",
            fmt::format("{} tokens, says the table of models", address.context_tokens)};
  }
  return {"context", "fallback", "not known: neither the endpoint nor the table of models says it"};
}

Result<void> CheckAll(const ModelQuestion& question, const std::string& home,
                      std::vector<Finding>& findings) {
  RunConfig config;
  config.max_retries = 1;
  KW_ASSIGN(const auto table, OpenModelTable(home, question.table));
  const NamedModel named = {question.model, question.base_url, question.api, config.api_key_env};
  KW_ASSIGN(const ModelAddress address, AddressOf(named, *table));
  KW_ASSIGN(const HttpModelConfig endpoint, EndpointOf(named, config, table));
  KW_ASSIGN(const std::unique_ptr<ChatModel> model, MakeHttpModel(endpoint));
  findings.push_back(
      {"model", "ok",
       fmt::format("{} is '{}', {}, {}", question.model, address.model, model->Describe(),
                   endpoint.api_key.empty() ? "without a key" : "with a key")});
  const auto listed = ListModels(endpoint);
  if (listed) findings.push_back(Listing(listed));
  KW_ASSIGN(const Asked asked, Ask(*model, question.model));
  findings.push_back(Determinism(asked));
  findings.push_back(Streaming(asked.answers[0]));
  findings.push_back(Usage(asked.answers[0]));
  findings.push_back(Context(address, listed));
  return {};
}

}  // namespace

Finding Listing(const Result<std::vector<ListedModel>>& listed) {
  if (!listed) return {"endpoint", "missing", listed.error().ToString()};
  std::vector<std::string> names;
  for (const ListedModel& model : *listed) names.push_back(model.name);
  return {"endpoint", "ok", "lists " + Shorten(Join(names, ", "), 200)};
}

void CheckModelAnswers(const ModelQuestion& question, const std::string& home,
                       std::vector<Finding>& findings) {
  if (question.model == "simulated") {
    findings.push_back({"model", "ok", "the simulated author: a seeded policy, no model"});
    return;
  }
  if (const auto checked = CheckAll(question, home, findings); !checked) {
    findings.push_back({"model", "missing", checked.error().ToString()});
  }
}

}  // namespace kw::cli
