#include "kw/base/json.h"
#include "kw/mock.h"
#include "server.h"

namespace kw {

Result<std::unique_ptr<MockEndpoint>> MockEndpoint::Start(MockOptions options,
                                                          std::shared_ptr<ChatModel> model) {
  KW_TRY(mock::CheckOptions(options, model.get()));
  KW_ASSIGN(mock::FaultPlan plan, mock::FaultPlan::Parse(options.faults, options.seed));
  if (!mock::AnswerSource(options).has_wide_characters()) {
    for (const mock::FaultKind kind : {mock::FaultKind::kSplitUtf8, mock::FaultKind::kHalfChar}) {
      if (!plan.Names(kind)) continue;
      return Fail(ErrorCode::kInvalid,
                  "the fault " + mock::NameOf(kind) +
                      " needs answers with characters of several bytes: add --unicode");
    }
  }
  auto server = std::make_unique<Server>(std::move(options), std::move(model), std::move(plan));
  KW_TRY(server->Start());
  return std::unique_ptr<MockEndpoint>(new MockEndpoint(std::move(server)));
}

MockEndpoint::MockEndpoint(std::unique_ptr<Server> server) : server_(std::move(server)) {}
MockEndpoint::~MockEndpoint() = default;

int MockEndpoint::port() const { return server_->port(); }

std::string MockEndpoint::base_url() const {
  std::string host = server_->host();
  if (host.find(':') != std::string::npos) host = "[" + host + "]";
  return "http://" + host + ":" + std::to_string(port()) + "/v1";
}

MockStats MockEndpoint::stats() const { return server_->stats(); }
std::vector<KeptRequest> MockEndpoint::requests() const { return server_->requests(); }

std::string MockStatsToJson(const MockStats& stats) {
  Json faults = Json::object();
  for (const auto& [name, count] : stats.faults) faults[name] = count;
  return DumpJson({{"version", 1},
                   {"requests", stats.requests},
                   {"asked", stats.asked},
                   {"completed", stats.completed},
                   {"streamed", stats.streamed},
                   {"refused", stats.refused},
                   {"closed_early", stats.closed_early},
                   {"closed_after_chunks", stats.closed_after},
                   {"chunks", stats.chunks},
                   {"bytes", stats.bytes},
                   {"open", stats.open},
                   {"most_open", stats.most_open},
                   {"faults", std::move(faults)}});
}

}  // namespace kw
