// The endpoint's thread: its sockets, its routes, and what it counts.
#pragma once

#include <event2/event.h>
#include <event2/http.h>

#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "answer_source.h"
#include "exchange.h"
#include "kw/mock.h"
#include "pacer.h"

namespace kw {

class MockEndpoint::Server : public mock::ExchangeOwner {
 public:
  Server(MockOptions options, std::shared_ptr<ChatModel> model, mock::FaultPlan plan);
  ~Server() override;
  // Opens the port and starts the thread.
  [[nodiscard]] Result<void> Start();

  const std::string& host() const { return options_.host; }
  int port() const { return port_; }
  MockStats stats() const;
  std::vector<KeptRequest> requests() const;

 private:
  // Answers of the model on their way to the loop, and the wish to stop; outlives the server while
  // the model still holds a callback.
  struct Inbox;
  struct Waiting {
    mock::Asked asked;
    std::optional<mock::Fault> fault;
  };

  static void OnRequest(evhttp_request* request, void* self);
  static void OnWoken(int fd, short, void* self);
  Result<void> Listen();

  void Route(mock::Exchange& exchange, uint64_t id, evhttp_request* request);
  void RouteGet(mock::Exchange& exchange, const std::string& path, bool allowed);
  void Ask(mock::Exchange& exchange, uint64_t id, mock::Protocol protocol,
           const std::string& target, std::string body);
  // What refuses a request before it may meet a fault.
  std::optional<mock::WireError> Check(const mock::Asked& asked,
                                       std::vector<mock::Header>& headers);
  bool IsAllowed(evhttp_request* request) const;
  // Seconds until the next request may come; 0 when it may now.
  int64_t TakeFromRate();
  void AskModel(uint64_t id, const mock::Asked& asked);
  void Answered(uint64_t id, Result<ChatAnswer> said);
  void BeginAnswer(mock::Exchange& exchange, const mock::Asked& asked, const mock::Answer& answer,
                   std::optional<mock::Fault> fault);
  void BeginText(mock::Exchange& exchange, std::string body);
  void Refuse(mock::Exchange& exchange, mock::Protocol protocol, const mock::WireError& error,
              std::vector<mock::Header> headers = {});
  void Keep(evhttp_request* request, const std::string& body);
  void CountFault(mock::FaultKind kind);
  std::vector<std::string> OfferedModels() const;

  int64_t Now() const override;
  void Schedule(uint64_t id, int64_t at_us) override;
  void Sent(size_t bytes, int texts) override;
  void Count(const mock::ExchangeEnd& end) override;
  void Ended(uint64_t id) override;

  const MockOptions options_;
  const std::shared_ptr<ChatModel> model_;
  const mock::AnswerSource source_;
  mock::FaultPlan plan_;
  std::shared_ptr<Inbox> inbox_;
  int port_ = 0;

  // The loop's.
  event_base* base_ = nullptr;
  evhttp* http_ = nullptr;
  event* woken_ = nullptr;
  std::unique_ptr<mock::Pacer> pacer_;
  std::unordered_map<uint64_t, std::unique_ptr<mock::Exchange>> exchanges_;
  std::unordered_map<uint64_t, Waiting> waiting_;  // for the model
  uint64_t next_id_ = 1;
  std::deque<int64_t> recent_us_;  // requests of the last minute
  std::thread thread_;

  mutable std::mutex mutex_;
  MockStats stats_;
  std::deque<KeptRequest> kept_;
};

}  // namespace kw
